"""What one payment says to one viewer: its bills as far as the viewer sees them, its state in true words, its refunds.

The page, the PDF, the history and its export all print this, so that what is hidden is hidden everywhere (FAULTS F06).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.visibility import Scope
from bills import naming
from bills.models import Bill
from ledger.chart import Code
from ledger.models import Transfer
from payments import calendar, wording
from payments.models import Payment, PaymentAllocation, PaymentMethod, Refund
from payments.states import PaymentStatus

EXPECTED = (PaymentStatus.DRAFT, PaymentStatus.SUBMITTED, PaymentStatus.REQUIRES_ACTION, PaymentStatus.PROCESSING)


@dataclass(frozen=True, slots=True)
class Line:
    """What a payment is for, one bill. A bill that the viewer no longer sees has no number, provider or person."""

    title: str
    number: str
    provider_name: str
    person: str
    member_id: int | None
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Returned:
    """One refund in words."""

    amount_cents: int
    state: str
    meaning: str
    asked_at: dt.datetime
    went_to: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment as one viewer may read it. Amounts in US cents."""

    payment: Payment
    lines: list[Line]
    state: wording.State
    method: str
    refunds: list[Returned]
    credited_cents: int
    expected_on: dt.date | None
    is_own: bool

    @property
    def is_undecided(self) -> bool:
        """Whether the provider has not said yet what became of it."""
        return self.payment.status == PaymentStatus.SUBMITTED

    @property
    def is_retryable(self) -> bool:
        """Whether its bills are to be paid again: it failed, was given up, or the bank took it back."""
        return self.payment.status in (PaymentStatus.FAILED, PaymentStatus.CANCELED, PaymentStatus.RETURNED)

    @property
    def bill_numbers(self) -> list[str]:
        """The numbers of the bills that the viewer sees."""
        return [line.number for line in self.lines if line.number]


def of(payment: Payment, scope: Scope) -> Receipt:
    """The receipt of a payment, for a viewer who may see the payment."""
    lines = lines_of([payment], scope)[payment.pk]
    method = method_of(payment, lines, scope)
    return Receipt(
        payment=payment,
        lines=lines,
        state=wording.state_of(payment),
        method=method,
        refunds=[_returned(refund, method or _("Card")) for refund in payment.refunds.order_by("pk")],
        credited_cents=_credited_cents(payment),
        expected_on=payment.expected_on if payment.status in EXPECTED else None,
        is_own=payment.payer_id == scope.user_id,
    )


def summary(payment: Payment, scope: Scope) -> dict[str, Any]:
    """What stands beside every step of a payment: its bills, its total, and when it is expected to post."""
    return {
        "payment": payment,
        "lines": lines_of([payment], scope)[payment.pk],
        "expected_on": payment.expected_on
        or calendar.expected_posting(
            payment.kind,
            timezone.localdate(),
            is_bank_debit=payment.method_kind == PaymentMethod.Kind.BANK_ACCOUNT,
        ),
    }


def method_of(payment: Payment, lines: Iterable[Line], scope: Scope) -> str:
    """What a payment was made with: not said of another's card to a delegate who sees amounts and dates alone."""
    if payment.payer_id != scope.user_id and any(
        line.member_id is not None and scope.sees_only_amounts_of(line.member_id) for line in lines
    ):
        return ""
    return wording.method_of(payment)


def lines_of(payments: Iterable[Payment], scope: Scope) -> dict[int, list[Line]]:
    """The lines of each payment, by its id: two queries however many they are."""
    lines: dict[int, list[Line]] = {payment.pk: [] for payment in payments}
    allocations = list(
        PaymentAllocation.objects.filter(payment_id__in=lines).select_related("bill", "bill__member").order_by("pk")
    )
    seen = set(
        Bill.objects.visible_to(scope)
        .filter(pk__in=[allocation.bill_id for allocation in allocations])
        .values_list("pk", flat=True)
    )
    for allocation in allocations:
        lines[allocation.payment_id].append(_line(allocation, scope, is_seen=allocation.bill_id in seen))
    return lines


def _line(allocation: PaymentAllocation, scope: Scope, *, is_seen: bool) -> Line:
    bill = allocation.bill
    if not is_seen:
        title = _("Premium") if bill.kind == Bill.Kind.PREMIUM else _("Medical bill")
        return Line(title, "", "", "", None, allocation.amount_cents)
    return Line(
        title=naming.title_of(bill, scope),
        number=bill.number,
        provider_name=naming.provider_of(bill, scope),
        person=bill.member.full_name,
        member_id=bill.member_id,
        amount_cents=allocation.amount_cents,
    )


def _returned(refund: Refund, method: str) -> Returned:
    return Returned(
        amount_cents=refund.amount_cents,
        state=refund.get_status_display(),
        meaning=wording.refund_meaning(refund),
        asked_at=refund.created_at,
        went_to=method,
    )


def _credited_cents(payment: Payment) -> int:
    """What no bill could take any more, and is household credit."""
    found = Transfer.objects.filter(
        owner_id=payment.household_id, key__startswith=f"payment:{payment.pk}:bill:", code=Code.OVERPAYMENT
    ).aggregate(cents=Sum("amount_cents"))
    return found["cents"] or 0
