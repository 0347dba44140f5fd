"""What a guest keeps of a payment: amount, date, method, bill number and state. On the page, as PDF and by mail."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import mailing
from payments import calendar, declines, wording
from payments.models import GuestPayment, Mandate, Payment, PaymentMethod
from payments.states import PaymentStatus

EXPECTED = (PaymentStatus.DRAFT, PaymentStatus.SUBMITTED, PaymentStatus.REQUIRES_ACTION, PaymentStatus.PROCESSING)
# A guest has no account with the plan, and owes nothing.
MEANINGS: dict[str, Promise] = {
    PaymentStatus.SUCCEEDED: _("Your payment was received and is on the bill."),
    PaymentStatus.RETURNED: _("Your bank took this payment back."),
    PaymentStatus.DISPUTED: _("Your bank has questioned this payment."),
}


@dataclass(frozen=True, slots=True)
class GuestReceipt:
    """A guest's payment as the guest may read it. Nothing of the service, the provider or a person."""

    payment: Payment
    bill_number: str
    method: str
    state: wording.State
    declined: str
    expected_on: dt.date | None
    mandate: str

    @property
    def is_undecided(self) -> bool:
        """Whether the provider has not said yet what became of it."""
        return self.payment.status == PaymentStatus.SUBMITTED

    @property
    def has_failed(self) -> bool:
        """Whether nothing was charged."""
        return self.payment.status in (PaymentStatus.FAILED, PaymentStatus.CANCELED)


def of(payment: Payment) -> GuestReceipt:
    """The receipt of a guest's payment."""
    state = wording.state_of(payment)
    if payment.status in MEANINGS:
        state = wording.State(state.name, str(MEANINGS[payment.status]), state.tone)
    mandate = Mandate.objects.filter(payment=payment).first()
    return GuestReceipt(
        payment=payment,
        bill_number=payment.allocations.select_related("bill").get().bill.number,
        method=wording.method_of(payment),
        state=state,
        declined=str(declines.text_of(payment.failure_code)) if payment.status == PaymentStatus.FAILED else "",
        expected_on=expected_on(payment) if payment.status in EXPECTED else None,
        mandate=mandate.text if mandate is not None else "",
    )


def send(payment: Payment) -> None:
    """Queue the receipt of a payment that succeeded, once, where its guest gave an address.

    Called in the transaction that makes it succeed. The mail says no more than the page does (FAULTS G16).
    """
    guest = GuestPayment.objects.filter(payment=payment).exclude(email="").first()
    if guest is None:
        return
    with translation.override(guest.language):
        context = {
            "receipt": of(payment),
            "payment": payment,
            "portal_name": settings.PORTAL_NAME,
            "support_phone": settings.SUPPORT_PHONE,
            "support_tty": settings.SUPPORT_TTY,
        }
        subject, text, html = (
            render_to_string(f"guest/mail/{part}", context) for part in ("subject.txt", "body.txt", "body.html")
        )
    mailing.queue(address=guest.email, subject=subject.strip(), text=text.strip() + "\n", html=html)


def expected_on(payment: Payment) -> dt.date:
    """The day by which it is expected to post."""
    is_bank_debit = payment.method_kind == PaymentMethod.Kind.BANK_ACCOUNT
    return payment.expected_on or calendar.expected_posting(
        payment.kind, timezone.localdate(), is_bank_debit=is_bank_debit
    )
