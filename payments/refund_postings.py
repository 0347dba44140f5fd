"""What a refund does to the book, and how it is undone: the postings of `refunds`, under the lock of its payment."""

from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils import timezone

import ledger
from bills import relief
from bills.models import Bill
from ledger import Posting
from ledger.chart import Code, SystemAccount
from ledger.locking import hold
from ledger.models import Transfer
from ledger.opening import system_id
from payments.models import Payment, Refund

POSTED = (Refund.Status.PENDING, Refund.Status.SUCCEEDED)


def left_by_account(payment: Payment) -> list[tuple[int, int]]:
    """What the payment put where and is not refunded yet: (account, US cents), household credit first."""
    allocations = payment.allocations.values_list("bill_id", flat=True)
    keys = [f"payment:{payment.pk}:bill:{bill_id}{suffix}" for bill_id in allocations for suffix in ("", ":over")]
    postings = Transfer.objects.filter(owner_id=payment.household_id, key__in=keys).values_list(
        "credit_id", "amount_cents", "code"
    )
    left: dict[int, int] = {}
    for account_id, cents, _code in sorted(postings, key=lambda row: (row[2] != Code.OVERPAYMENT, row[0])):
        left[account_id] = left.get(account_id, 0) + cents
    for refund in payment.refunds.filter(status__in=POSTED):
        for transfer in _standing(refund, left):
            left[transfer.debit_id] = left.get(transfer.debit_id, 0) - transfer.amount_cents
    return list(left.items())


def _standing(refund: Refund, account_ids: Iterable[int]) -> QuerySet[Transfer]:
    """A refund's transfers that are not reversed: of the accounts its payment went to, and of its bills."""
    payment = refund.payment
    receivables = payment.allocations.values_list("bill__receivable_id", flat=True)
    keys = [f"refund:{refund.pk}:account:{account_id}" for account_id in {*account_ids, *receivables}]
    return Transfer.objects.filter(owner_id=payment.household_id, key__in=keys, reversals__isnull=True)


def post(refund: Refund) -> None:
    """Post a refund to the accounts that the payment went to; what household credit no longer holds, to its bills.

    Where a bill's money had become household credit meanwhile (the bill was voided or lowered), it is taken from there:
    nobody has it twice, and a void bill owes nothing.
    """
    payment = refund.payment
    bills = _bills(payment)
    credit_id = _credit_id(payment)
    balances = hold([credit_id, *bills])
    # Overpaid money asked back is all of it in household credit, also where a bill was lowered after it was paid.
    left = [(credit_id, refund.amount_cents)] if refund.is_of_credit else left_by_account(payment)
    rest, parts = refund.amount_cents, dict.fromkeys((account_id for account_id, _cents in left), 0)
    for account_id, cents in left:
        if refund.bill is not None and account_id != refund.bill.receivable_id:
            continue
        most = min(cents, -balances[account_id]) if account_id == credit_id else cents
        parts[account_id] = min(rest, max(0, most))
        rest -= parts[account_id]
    if rest:  # the credit was spent meanwhile: the money owed again is that of the bill asked for, or of the first
        bill = refund.bill or next(iter(bills.values()))
        parts[bill.receivable_id] = parts.get(bill.receivable_id, 0) + rest
    postings = [
        _posting(
            refund, Code.CREDIT_REFUND if account_id == credit_id else Code.REFUND, cents,
            f"refund:{refund.pk}:account:{account_id}", account_id, system_id(SystemAccount.STRIPE_CLEARING),
        )
        for account_id, cents in sorted(parts.items())
        if cents
    ]  # fmt: skip
    credit_cents = -balances[credit_id] - parts.get(credit_id, 0)
    for account_id, bill in bills.items():
        moved = min(credit_cents, parts.get(account_id, 0) - relief.paid_cents(bill))
        if moved > 0:
            key = f"refund:{refund.pk}:credit:{account_id}"
            postings.append(_posting(refund, Code.CREDIT_APPLIED, moved, key, credit_id, account_id))
            credit_cents -= moved
    ledger.post_many(postings)


def unpost(refund: Refund) -> None:
    """Reverse a refund's postings: the money did not reach the member (FAULTS D10).

    What was paid on its bills again meanwhile is more than they owe then, and becomes household credit.
    """
    bills = _bills(refund.payment)
    credit_id = _credit_id(refund.payment)
    balances = hold([credit_id, *bills])
    moved_keys = [f"refund:{refund.pk}:credit:{account_id}" for account_id in bills]
    moved = Transfer.objects.filter(owner_id=refund.payment.household_id, key__in=moved_keys, reversals__isnull=True)
    postings = []
    for transfer in (*_standing(refund, [credit_id]), *moved):
        key = f"refund:{refund.pk}:failed:{transfer.key.rpartition(':')[2]}"
        if transfer.code == Code.CREDIT_APPLIED:
            key += ":credit"
        balances[transfer.debit_id] = balances.get(transfer.debit_id, 0) - transfer.amount_cents
        balances[transfer.credit_id] = balances.get(transfer.credit_id, 0) + transfer.amount_cents
        postings.append(
            _posting(
                refund, transfer.code, transfer.amount_cents, key, transfer.credit_id, transfer.debit_id,
                reverses_id=transfer.pk,
            )
        )  # fmt: skip
    for account_id in bills:
        if balances[account_id] < 0:
            key = f"refund:{refund.pk}:failed:{account_id}:over"
            postings.append(_posting(refund, Code.CREDIT_RAISED, -balances[account_id], key, account_id, credit_id))
    ledger.post_many(postings)


def _bills(payment: Payment) -> dict[int, Bill]:
    """The bills of a payment by their receivables, in the order in which it names them."""
    allocations = payment.allocations.select_related("bill").order_by("pk")
    return {allocation.bill.receivable_id: allocation.bill for allocation in allocations}


def _credit_id(payment: Payment) -> int:
    assert payment.household.credit_id is not None
    return payment.household.credit_id


def _posting(
    refund: Refund, code: int, cents: int, key: str, debit_id: int, credit_id: int, reverses_id: int | None = None
) -> Posting:
    return Posting(
        debit_id=debit_id,
        credit_id=credit_id,
        amount_cents=cents,
        code=code,
        key=key,
        reference=f"refund:{refund.pk} of payment:{refund.payment.number}",
        effective_on=timezone.localdate(),
        owner_id=refund.payment.household_id,
        reverses_id=reverses_id,
    )
