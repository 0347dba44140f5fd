"""What a notice says, in its reader's language, and whether it is still to be said (FAULTS F09, L01 to L04, L14).

A mail says that there is news and where to read it: no amount, service, provider, member or name, and nothing that is
loaded from anywhere.
"""

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy

from accounts.models import User
from notifications.models import Notification
from payments.models import Payment, PaymentMethod
from payments.states import SETTLED, PaymentStatus

# In which states of its payment each notice is still true.
STILL_TRUE = {
    "receipt": frozenset(SETTLED) - {PaymentStatus.RETURNED},
    "payment_failed": frozenset({PaymentStatus.FAILED}),
    "payment_on_its_way": frozenset({PaymentStatus.PROCESSING}),
}


class NotToBeSent(Exception):
    """A notice that has lost its reader or its truth since it was made; its text is the reason."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendered mail and where it goes."""

    address: str
    language: str
    subject: str
    text: str
    html: str


def render(notice: Notification) -> Mail:
    """Render a notice as things stand now. Raises NotToBeSent."""
    user = notice.user
    if user is None or not user.is_active:
        raise NotToBeSent("the user is not active")
    if not EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists():
        raise NotToBeSent("the user has no confirmed address")
    path = _path(notice, user)
    language = user.language if user.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    context = {
        "portal_name": settings.PORTAL_NAME,
        "url": settings.PORTAL_URL + path,
        "support_phone": settings.SUPPORT_PHONE,
        "support_tty": settings.SUPPORT_TTY,
        "support_hours": gettext_lazy(settings.SUPPORT_HOURS),
    }
    with translation.override(language):
        subject, text, html = (
            render_to_string(f"mail/{notice.kind}/{part}", context) for part in ("subject.txt", "body.txt", "body.html")
        )
    return Mail(user.email, language, subject.strip(), text.strip() + "\n", html)


def _path(notice: Notification, user: User) -> str:
    """Where the notice's news is read. Raises NotToBeSent where the reader may not see it, or it is no longer true."""
    family, _colon, name = notice.subject.partition(":")
    if family == "method":
        method = PaymentMethod.objects.visible_to(user).filter(pk=name).first()
        if method is None or (method.removed_at is not None and notice.kind != "method_removed"):
            raise NotToBeSent("the method is gone")
        return reverse("payment_methods")
    if family == "member":
        if not user.members.filter(pk=name).exists():
            raise NotToBeSent("the member is no longer the user's")
        return reverse("settings")
    payment = Payment.objects.visible_to(user).filter(number=name).first()
    if payment is None:
        raise NotToBeSent("the payment is not visible to the user")
    if payment.status not in STILL_TRUE.get(notice.kind, {payment.status}):
        raise NotToBeSent(f"the payment is {payment.status} by now")
    return reverse("payment", args=[payment.number])
