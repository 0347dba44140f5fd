"""An account as its owner reads it: entries, the earliest first, each with the balance after it."""

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from ledger.chart import Code

MAX_ENTRIES = 200

# The balance after the latest entry is the sum of all; the window counts back from there, so that only the entries that
# are shown are fetched.
ENTRIES = """
    SELECT id, effective_on, code, cents, balance, other_id, reference, created_at FROM (
        SELECT id, effective_on, code, cents, other_id, reference, created_at, sum(cents) OVER (ORDER BY id) AS balance
        FROM (
            SELECT id, effective_on, code, amount_cents AS cents, credit_id AS other_id, reference, created_at
              FROM ledger_transfer WHERE debit_id = %(account)s
            UNION ALL
            SELECT id, effective_on, code, -amount_cents, debit_id, reference, created_at
              FROM ledger_transfer WHERE credit_id = %(account)s
        ) side
    ) entry ORDER BY id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One transfer as one of its accounts sees it: `cents` and `balance_cents` are debits less credits."""

    transfer_id: int
    effective_on: dt.date
    why: str
    cents: int
    balance_cents: int
    other_id: int
    reference: str
    posted_at: dt.datetime


def latest(account_id: int, *, limit: int = MAX_ENTRIES) -> list[Entry]:
    """The latest entries of one household's account, the earliest of them first.

    It reads every entry of the account, so it is not for the plan's own accounts, which have millions.
    """
    with connection.cursor() as cursor:
        cursor.execute(ENTRIES, {"account": account_id, "limit": limit})
        rows = cursor.fetchall()
    return [
        Entry(number, on, str(Code(code).label), int(cents), int(balance), other, reference, at)
        for number, on, code, cents, balance, other, reference, at in reversed(rows)
    ]
