"""Household credit: what the plan owes a household, put to the bills that it owes."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

import ledger
from accounts.models import Household
from activity.recording import record
from bills.models import Bill
from ledger import Posting
from ledger.chart import Code
from ledger.locking import hold
from ledger.models import Transfer
from ledger.transactions import atomic_with_retry

MAX_BILLS = 500  # of one household in one call; the next call takes the rest


def _nothing_on_its_way(_bills: Sequence[Bill]) -> Mapping[int, int]:
    return {}


@atomic_with_retry
def apply(
    household: Household,
    *,
    on: dt.date,
    actor: str,
    on_their_way: Callable[[Sequence[Bill]], Mapping[int, int]] = _nothing_on_its_way,
) -> int:
    """Put a household's credit to its open bills, the earliest due first; return the US cents that were applied.

    `on_their_way` is asked under the lock for the US cents that payments are bringing to each bill, by its id: those
    are left for the payments (payments.allocating.in_flight_cents). A repeat finds nothing left to apply. Bills under
    review are passed over.
    """
    credit_id = household.credit_id
    assert credit_id is not None
    bills = list(
        Bill.objects.owed()
        .filter(household=household, voided_at__isnull=True, held_since__isnull=True)
        .select_related("receivable")[:MAX_BILLS]
    )
    balances = hold([credit_id, *(bill.receivable_id for bill in bills)])
    coming = on_their_way(bills)
    left, postings = -balances[credit_id], []
    for bill in bills:
        cents = min(left, balances[bill.receivable_id] - coming.get(bill.pk, 0))
        if cents <= 0:
            continue
        left -= cents
        times = Transfer.objects.filter(credit_id=bill.receivable_id, code=Code.CREDIT_APPLIED).count()
        postings.append(
            Posting(
                debit_id=credit_id,
                credit_id=bill.receivable_id,
                amount_cents=cents,
                code=Code.CREDIT_APPLIED,
                key=f"bill:{bill.pk}:credit-applied:{times + 1}",
                reference=f"bill:{bill.number}",
                effective_on=on,
                owner_id=household.pk,
            )
        )
        record(
            "credit.applied",
            subject=f"bill:{bill.number}",
            owner_id=household.pk,
            actor=actor,
            bill_id=bill.pk,
            amount_cents=cents,
        )
    ledger.post_many(postings)
    return -balances[credit_id] - left
