"""The portal's database as the plan reads it and lets time pass in it: plain SQL, none of the portal's code."""

from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection

# Time passes by moving what is undecided into the past: the portal's clock is the machine's.
MOVED = (
    "UPDATE payments_payment SET asked_at = asked_at - %(by)s::interval, submitted_at = submitted_at - %(by)s::interval"
    " WHERE household_id = %(house)s AND status IN ('submitted', 'requires_action', 'processing')",
    "UPDATE payments_refund SET created_at = created_at - %(by)s::interval WHERE status = 'submitted' AND payment_id IN"
    " (SELECT id FROM payments_payment WHERE household_id = %(house)s)",
    "UPDATE payments_stripeevent SET next_try_at = next_try_at - %(by)s::interval WHERE outcome = 'waiting'",
)


class Book:
    """One connection that is opened again where it broke."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection: Connection | None = None

    def rows(self, query: str, *values: Any, **named: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self._open().cursor() as cursor:
            cursor.execute(query, named or values)
            return cursor.fetchall() if cursor.description else []

    def one(self, query: str, *values: Any) -> Any:
        """The first value of the first row; None where there is none."""
        found = self.rows(query, *values)
        return found[0][0] if found else None

    def let_time_pass(self, house: int, *, seconds: int) -> None:
        """Move what waits for a household into the past."""
        for statement in MOVED:
            self.rows(statement, house=house, by=f"{seconds} seconds")

    def reconnect(self) -> None:
        """Forget a connection that is known to be broken."""
        self._connection = None

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg2.connect(self.url)
            self._connection.autocommit = True
        return self._connection
