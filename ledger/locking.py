"""Locking accounts before they are looked at and posted to: in the one order of the book, that of their ids.

A posting to a receivable also changes the control account above it. Whoever locks the receivable alone, and its control
only by posting, waits crosswise with a posting of another: so both are locked, the lower id first (FAULTS A20).
"""

from collections.abc import Collection

from django.db import connection

HOLD = """
    SELECT id, balance_cents FROM ledger_account
    WHERE id = ANY(%(ids)s::bigint[] || ARRAY(
        SELECT control_id FROM ledger_account WHERE id = ANY(%(ids)s::bigint[]) AND control_id IS NOT NULL))
    ORDER BY id FOR NO KEY UPDATE
"""


def hold(account_ids: Collection[int]) -> dict[int, int]:
    """Lock these accounts and their controls until the end of the transaction; their balances by id, US cents.

    An account that does not exist is left out. Accounts of the plan itself are not tracked: nobody locks them.
    """
    with connection.cursor() as cursor:
        cursor.execute(HOLD, {"ids": sorted(account_ids)})
        return dict(cursor.fetchall())
