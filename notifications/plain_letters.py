"""The plain letter of a notice that is no document of its own: what it is about, and where to read it."""

from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone, translation

from bills import pdf
from bills.models import Bill
from notifications.kinds import KINDS
from notifications.models import Notification

TEMPLATE = "print/notice.html"


def printed(letter: Notification, language: str, to: Sequence[str]) -> bytes:
    """The letter as a PDF. `to`: the lines of its address, the name first. Nothing of a service stands in it."""
    with translation.override(language):
        context = {
            "label": KINDS[letter.kind].label, "on": timezone.localdate(letter.created_at), "to": to,
            "bill": _bill(letter), "has_sign_in": letter.user_id is not None, "portal_url": settings.PORTAL_URL,
        }  # fmt: skip
        return pdf.rendered(TEMPLATE, context)


def _bill(letter: Notification) -> Bill | None:
    """The bill that it is about, as long as its reader may see it."""
    family, _colon, number = letter.subject.partition(":")
    if family != "bill":
        return None
    bills = Bill.objects.filter(number=number).select_related("receivable")
    seen = bills.visible_to(letter.user) if letter.user is not None else bills.filter(member=letter.member_id)
    return seen.first()
