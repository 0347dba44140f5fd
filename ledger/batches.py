"""Posting what a query draws up: for batches that never leave the database, such as a month's premiums."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, connection, transaction

from ledger.chart import FIRST_HOUSEHOLD_ACCOUNT_ID, is_movement
from ledger.errors import MovementNotAllowed
from ledger.posting import COLUMNS, named

POST = f"""
    WITH posted AS (INSERT INTO ledger_transfer ({COLUMNS}) {{query}} RETURNING code, debit_id, credit_id)
    SELECT code, CASE WHEN debit_id < {FIRST_HOUSEHOLD_ACCOUNT_ID} THEN debit_id ELSE {FIRST_HOUSEHOLD_ACCOUNT_ID} END,
           CASE WHEN credit_id < {FIRST_HOUSEHOLD_ACCOUNT_ID} THEN credit_id ELSE {FIRST_HOUSEHOLD_ACCOUNT_ID} END,
           count(*)
    FROM posted GROUP BY 1, 2, 3
"""  # noqa: S608  # the parts are constants


def post_query(query: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> int:
    """Post the rows of a SELECT that yields COLUMNS, in their order, in one statement; return how many.

    Every key must be new: where one stands, nothing is posted. Raises as `ledger.post`, and leaves the caller's
    transaction usable.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        try:
            cursor.execute(POST.format(query=query), params)
        except IntegrityError as refusal:
            raise named(refusal) from refusal
        movements = cursor.fetchall()
        for code, debit_id, credit_id, _count in movements:
            if not is_movement(code, debit_id, credit_id):
                raise MovementNotAllowed(f"the chart has no movement {code} from {credit_id} to {debit_id}")
    return sum(int(movement[3]) for movement in movements)
