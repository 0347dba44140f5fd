"""What a bill's balance is made of, when less is charged than was settled already: the member's money and the plan's.

What the member paid becomes household credit. What the plan gave (an adjustment, a subsidy, an award) was never money
of the member's: it is taken back, so that lowering or voiding a bill gives nobody what nobody has paid.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from bills.models import Bill
from ledger import Posting
from ledger.chart import CODES_OF_PAYMENT, Code
from ledger.locking import hold as hold_accounts
from ledger.models import Transfer

# What the plan gives, the first to be taken back first: a person's decision before what a coverage says.
GIVEN = (
    Code.WRITE_OFF, Code.ADJUSTMENT, Code.ASSISTANCE, Code.CHARITABLE_SUBSIDY, Code.SUBSIDY,
)  # fmt: skip
# What the member has paid, and what of it went back or was moved to household credit.
PAID = CODES_OF_PAYMENT

NET_PAID = """
    SELECT coalesce(sum(CASE WHEN credit_id = %s THEN amount_cents ELSE -amount_cents END), 0)::bigint
    FROM ledger_transfer WHERE (debit_id = %s OR credit_id = %s) AND code = ANY(%s)
"""


def hold(bill: Bill) -> int:
    """Lock the accounts that a posting to the bill changes, until the end of the transaction; its balance, US cents."""
    return hold_accounts([bill.receivable_id])[bill.receivable_id]


def stands(bill: Bill, key: str) -> bool:
    """Whether a posting of this key has been made for the bill's household."""
    return Transfer.objects.filter(owner_id=bill.household_id, key=key).exists()


def paid_cents(bill: Bill) -> int:
    """What the member has paid on a bill, less what was given back or moved to household credit; US cents."""
    with connection.cursor() as cursor:
        cursor.execute(NET_PAID, [*[bill.receivable_id] * 3, [int(code) for code in PAID]])
        return max(0, int(cursor.fetchone()[0]))


def given_cents(bill: Bill, code: Code) -> int:
    """What the plan gave of one kind and has not taken back on a bill, US cents."""
    with connection.cursor() as cursor:
        cursor.execute(NET_PAID, [*[bill.receivable_id] * 3, [int(code)]])
        return int(cursor.fetchone()[0])


def excess(bill: Bill, cents: int, *, key: str, on: dt.date) -> list[Posting]:
    """The postings that carry `cents` beyond a bill's balance away: the member's money first, then the plan's.

    Both are made in the statement that lowers the bill, under the lock of `hold`.
    """
    credited = min(cents, paid_cents(bill))
    postings = taken_back(bill, cents - credited, key=key, on=on)
    if credited:
        credit_id = bill.household.credit_id
        assert credit_id is not None
        postings.append(
            posting_for(bill, Code.CREDIT_RAISED, credited, f"{key}:credit", on, bill.receivable_id, credit_id)
        )
    return postings


def taken_back(bill: Bill, cents: int, *, key: str, on: dt.date, codes: Sequence[Code] = GIVEN) -> list[Posting]:
    """Reversals of what the plan gave, the latest first; of one that is more than `cents`, the rest is given again."""
    postings: list[Posting] = []
    given = Transfer.objects.filter(
        credit_id=bill.receivable_id, code__in=codes, reverses__isnull=True, reversals__isnull=True
    )
    for transfer in sorted(given, key=lambda given: (codes.index(Code(given.code)), -given.pk)):
        if cents <= 0:
            break
        code, source_id = Code(transfer.code), transfer.debit_id
        postings.append(
            posting_for(
                bill, code, transfer.amount_cents, f"{key}:undo:{transfer.pk}", on, bill.receivable_id, source_id,
                reverses_id=transfer.pk,
            )
        )  # fmt: skip
        if (rest := transfer.amount_cents - cents) > 0:
            postings.append(
                posting_for(bill, code, rest, f"{key}:keep:{transfer.pk}", on, source_id, bill.receivable_id)
            )
        cents -= min(cents, transfer.amount_cents)
    return postings


def posting_for(
    bill: Bill, code: Code, cents: int, key: str, on: dt.date, debit_id: int, credit_id: int,
    reverses_id: int | None = None,
) -> Posting:  # fmt: skip
    """The posting of `cents` US cents about a bill, for its household."""
    return Posting(
        debit_id=debit_id,
        credit_id=credit_id,
        amount_cents=cents,
        code=code,
        key=key,
        reference=f"bill:{bill.number}",
        effective_on=on,
        owner_id=bill.household_id,
        reverses_id=reverses_id,
    )
