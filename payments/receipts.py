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
from payments import calendar, dispute_wording, refund_rules, wording
from payments.models import Dispute, Payment, PaymentAllocation, PaymentMethod, Refund
from payments.states import PaymentStatus

MAX_TAKEN_BACK = 3  # on the page of one bill: the latest
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
    arrives_on: dt.date | None


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What the payer's bank took of it, or asked about, in words."""

    payment: Payment
    told: dispute_wording.Told
    on: dt.datetime
    is_open: bool  # whether the money is gone: the bills of the payment are owed again


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment as one viewer may read it. Amounts in US cents."""

    payment: Payment
    lines: list[Line]
    state: wording.State
    method: str
    refunds: list[Returned]
    taken_back: list[TakenBack]
    credited_cents: int
    expected_on: dt.date | None
    is_own: bool

    @property
    def is_by_guest(self) -> bool:
        """Whether somebody paid it without signing in."""
        return self.payment.channel == Payment.Channel.GUEST

    @property
    def is_undecided(self) -> bool:
        """Whether the provider has not said yet what became of it."""
        return self.payment.status == PaymentStatus.SUBMITTED

    @property
    def is_retryable(self) -> bool:
        """Whether its bills are to be paid again: it failed, was given up, or the bank took it back for good."""
        is_lost = self.payment.status == PaymentStatus.DISPUTED and any(
            each.is_open and each.told.tone == "bad" for each in self.taken_back
        )
        return is_lost or self.payment.status in (
            PaymentStatus.FAILED, PaymentStatus.CANCELED, PaymentStatus.RETURNED,
        )  # fmt: skip

    @property
    def bill_numbers(self) -> list[str]:
        """The numbers of the bills that the viewer sees."""
        return [line.number for line in self.lines if line.number]


def of(payment: Payment, scope: Scope) -> Receipt:
    """The receipt of a payment, for a viewer who may see the payment."""
    lines = lines_of([payment], scope)[payment.pk]
    method = method_of(payment, lines, scope)
    refunds = payment.refunds.exclude(status=Refund.Status.DECLINED).select_related("payment").order_by("pk")
    taken_back = taken_back_of(payment, scope)
    return Receipt(
        payment=payment,
        lines=lines,
        state=_state(payment, taken_back),
        method=method,
        refunds=[_returned(refund, method or _("Card")) for refund in refunds],
        taken_back=taken_back,
        credited_cents=_credited_cents(payment),
        expected_on=payment.expected_on if payment.status in EXPECTED else None,
        is_own=payment.payer_id == scope.user_id,
    )


def taken_back_of(payment: Payment, scope: Scope) -> list[TakenBack]:
    """The disputes and returns of a payment."""
    return [_taken_back(dispute, scope) for dispute in payment.disputes.select_related("payment").order_by("pk")]


def taken_back_on(bill: Bill, scope: Scope) -> list[TakenBack]:
    """What banks took of payments of a bill and have not given back, as far as the viewer sees the payments."""
    taken = (
        Dispute.objects.visible_to(scope)
        .filter(payment__allocations__bill=bill, booked_cents__gt=0)
        .select_related("payment")
        .order_by("-pk")[:MAX_TAKEN_BACK]
    )
    return [_taken_back(dispute, scope) for dispute in taken]


def _taken_back(dispute: Dispute, scope: Scope) -> TakenBack:
    """One in words; why a bank did so, the payer alone reads (FAULTS F13)."""
    is_own = dispute.payment.payer_id == scope.user_id
    return TakenBack(
        payment=dispute.payment,
        told=dispute_wording.of(dispute) if is_own else dispute_wording.for_others(dispute),
        on=dispute.booked_at or dispute.opened_at,
        is_open=dispute.booked_cents > 0,
    )


def _state(payment: Payment, taken_back: list[TakenBack]) -> wording.State:
    """The state in words; where a bank took the money, the words of that."""
    told = next((each.told for each in reversed(taken_back) if each.is_open), None)
    if told is None or payment.status not in (PaymentStatus.DISPUTED, PaymentStatus.RETURNED):
        return _state_of(payment)
    return wording.State(payment.get_status_display(), told.meaning, told.tone)


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
    """What a payment was made with: not said of another's card to a delegate who sees amounts and dates alone.

    Of a guest's payment it says that it is one, and nothing of the guest.
    """
    if payment.channel == Payment.Channel.GUEST:
        return _("A guest")
    if payment.payer_id != scope.user_id and any(
        line.member_id is not None and scope.sees_only_amounts_of(line.member_id) for line in lines
    ):
        return ""
    return wording.method_of(payment)


def lines_of(payments: Iterable[Payment], scope: Scope) -> dict[int, list[Line]]:
    """The lines of each payment, by its id: two queries however many they are."""
    payments = list(payments)
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
    for payment in payments:
        if payment.credit_cents:  # what was for no bill (payments.assigning)
            lines[payment.pk].append(Line(_("Household credit"), "", "", "", None, payment.credit_cents))
    return lines


def _line(allocation: PaymentAllocation, scope: Scope, *, is_seen: bool) -> Line:
    bill = allocation.bill
    if not is_seen:
        return Line(_("A bill that is no longer shown to you"), "", "", "", None, allocation.amount_cents)
    return Line(
        title=naming.title_of(bill, scope),
        number=bill.number,
        provider_name=naming.provider_of(bill, scope),
        person=bill.member.shown_name,
        member_id=bill.member_id,
        amount_cents=allocation.amount_cents,
    )


def _state_of(payment: Payment) -> wording.State:
    """The state in words; of a guest's payment not as if the reader had paid."""
    state = wording.state_of(payment)
    if payment.channel != Payment.Channel.GUEST:
        return state
    return wording.State(state.name, _("Somebody paid toward this bill without signing in."), state.tone)


def _returned(refund: Refund, method: str) -> Returned:
    return Returned(
        amount_cents=refund.amount_cents,
        state=refund.get_status_display(),
        meaning=wording.refund_meaning(refund),
        asked_at=refund.created_at,
        went_to=method,
        arrives_on=refund_rules.arrives_on(refund),
    )


def _credited_cents(payment: Payment) -> int:
    """What no bill could take any more, and is household credit."""
    found = Transfer.objects.filter(
        owner_id=payment.household_id, key__startswith=f"payment:{payment.pk}:bill:", code=Code.OVERPAYMENT
    ).aggregate(cents=Sum("amount_cents"))
    return found["cents"] or 0
