"""The sources of a household's credit, read from the book: what each was, why it is too much, and what is left of it.

What a member moved or asked back names its source (CreditMove). What else took from the credit (a refund by staff, a
bank's return, credit put to bills) takes from the sources of its own payment first, then from the oldest.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from accounts.models import Household
from bills.models import Bill
from ledger.chart import Code
from ledger.models import Transfer
from payments.models import CreditMove, Payment, Refund
from payments.states import SETTLED

MAX_TRANSFERS = 2_000
MOVED = "credit-move:"
_OVER = re.compile(r"payment:(\d+):bill:(\d+):over")
_FOR_NO_BILL = re.compile(r"payment:(\d+):credit")  # for the household itself: payments.assigning
_REFUND = re.compile(r"refund:(\d+) of payment:(\S+)")


@dataclass(frozen=True, slots=True)
class Source:
    """One transfer to household credit and what is left of it, US cents.

    `payment` is the one that was more than its bill owed; else the bill was lowered or withdrawn after it was paid.
    `payments` are all whose money it can be, the latest first, and `labels` how their methods were labelled.
    """

    transfer_id: int
    household_id: int
    on: dt.date
    code: int
    amount_cents: int
    left_cents: int
    payment: Payment | None
    bill: Bill | None
    payments: tuple[Payment, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """How the methods were labelled that it was paid with: HSA, FSA, or nothing."""
        return tuple({payment.method_label for payment in self.payments})


def of(household: Household) -> list[Source]:
    """The sources of which something is left, the oldest first."""
    account_id = household.credit_id
    transfers = list(
        Transfer.objects.filter(Q(credit_id=account_id) | Q(debit_id=account_id)).order_by("-pk")[:MAX_TRANSFERS]
    )[::-1]
    undone = {transfer.reverses_id for transfer in transfers if transfer.reverses_id}
    standing = [one for one in transfers if one.pk not in undone and not one.reverses_id]
    incoming = [transfer for transfer in standing if transfer.credit_id == account_id]
    origins = _origins(household, incoming)
    left = {transfer.pk: transfer.amount_cents for transfer in incoming}
    moves, refund_ids = _moved(household)
    for source_id, cents in moves:
        left[source_id] = left.get(source_id, 0) - cents
    for transfer in standing:
        if transfer.debit_id == account_id and not _is_moved(transfer, refund_ids):
            _take(left, transfer, origins)
    return [
        _source(household, transfer, left[transfer.pk], *origins[transfer.pk])
        for transfer in incoming
        if left[transfer.pk] > 0
    ]


def why(source: Source, user_id: int) -> str:
    """Why it was too much, in words, for this viewer."""
    if source.bill is None:
        return _("More was paid than was owed.")
    if source.payment is None:
        if source.bill.voided_at is not None:
            return _("The bill was withdrawn after it had been paid.")
        return _("The bill was lowered after it had been paid.")
    others = [payment for payment in _paying(source.bill) if payment.pk != source.payment.pk]
    if any(payment.payer_id != source.payment.payer_id for payment in others):
        if source.payment.payer_id == user_id:
            return _("Somebody else had paid the bill when your payment arrived.")
        return _("Two people paid the same bill.")
    if others:
        return _("The bill had been paid already when this payment arrived.")
    if source.bill.voided_at is not None:
        return _("The bill was withdrawn before this payment arrived.")
    return _("The bill was lowered before this payment arrived.")


def _moved(household: Household) -> tuple[list[tuple[int, int]], set[int]]:
    """What was moved: (source, US cents), and the refunds among it. A refund that failed or was declined gives back."""
    moves = CreditMove.objects.filter(household=household).exclude(
        refund__status__in=[Refund.Status.FAILED, Refund.Status.CANCELED, Refund.Status.DECLINED]
    )
    rows = list(moves.values_list("source_id", "refund_id").annotate(cents=Sum("amount_cents")))
    return [(source_id, cents) for source_id, _refund, cents in rows], {row[1] for row in rows if row[1] is not None}


def _is_moved(transfer: Transfer, refund_ids: set[int]) -> bool:
    if transfer.key.startswith(MOVED):
        return True
    named = _REFUND.match(transfer.reference)
    return named is not None and transfer.code == Code.CREDIT_REFUND and int(named[1]) in refund_ids


def _take(left: dict[int, int], transfer: Transfer, origins: dict[int, tuple[Payment | None, Bill | None]]) -> None:
    """Take a transfer out of the credit from the sources of its own payment first, then from the oldest."""
    number = transfer.reference.rpartition("payment:")[2]

    def is_anothers(source_id: int) -> bool:
        payment = origins[source_id][0] if source_id in origins else None
        return payment is None or payment.number != number

    rest = transfer.amount_cents
    for source_id in sorted(left, key=lambda source_id: (is_anothers(source_id), source_id)):
        if source_id < transfer.pk and left[source_id] > 0:
            taken = min(rest, left[source_id])
            left[source_id] -= taken
            rest -= taken


def _origins(household: Household, incoming: Iterable[Transfer]) -> dict[int, tuple[Payment | None, Bill | None]]:
    """The payment and the bill that each transfer came from, as far as it names them. Two queries."""
    named = {transfer.pk: _names(transfer) for transfer in incoming}
    payments = {
        payment.number: payment
        for payment in Payment.objects.filter(
            household=household, number__in={number for number, _bill, _id in named.values() if number}
        ).select_related("household")
    }
    bills = list(
        Bill.objects.filter(household=household)
        .filter(
            Q(number__in={number for _payment, number, _id in named.values() if number})
            | Q(pk__in={bill_id for _payment, _bill, bill_id in named.values() if bill_id})
        )
        .select_related("member", "coverage__plan", "receivable")
    )
    by_number, by_id = {bill.number: bill for bill in bills}, {bill.pk: bill for bill in bills}
    return {
        pk: (payments.get(payment_number), by_number.get(bill_number) or by_id.get(bill_id))
        for pk, (payment_number, bill_number, bill_id) in named.items()
    }


def _names(transfer: Transfer) -> tuple[str, str, int]:
    """The number of a payment, that of a bill, the id of a bill: whichever the transfer names.

    What came of a payment is that payment's, whatever the book says of it (a refund or a dispute undone, a fee taken
    off): what names nothing is the holder's to see.
    """
    if transfer.reference.startswith("payment:"):
        over = _OVER.fullmatch(transfer.key)
        return transfer.reference.removeprefix("payment:"), "", int(over[2]) if over is not None else 0
    if "payment:" in transfer.reference and not _FOR_NO_BILL.fullmatch(transfer.key):
        return transfer.reference.rpartition("payment:")[2], "", 0
    if transfer.reference.startswith("bill:"):
        return "", transfer.reference.removeprefix("bill:"), 0
    return "", "", 0


def _source(household: Household, transfer: Transfer, left: int, payment: Payment | None, bill: Bill | None) -> Source:
    payments = (payment,) if payment is not None else tuple(_paying(bill)) if bill is not None else ()
    return Source(
        transfer_id=transfer.pk,
        household_id=household.pk,
        on=transfer.effective_on,
        code=transfer.code,
        amount_cents=transfer.amount_cents,
        left_cents=left,
        payment=payment,
        bill=bill,
        payments=payments,
    )


def _paying(bill: Bill) -> list[Payment]:
    """The payments that have paid on a bill, the latest first."""
    settled = Payment.objects.filter(allocations__bill=bill, status__in=SETTLED).select_related("household")
    return list(settled.order_by("-pk"))
