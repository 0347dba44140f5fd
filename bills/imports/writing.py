"""Many new rows at once, by COPY: as fast as the database takes them, with its every constraint and trigger."""

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DataError, IntegrityError, connection

COPY_BYTES = 256 * 1024
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class RowRefused(Exception):
    """The database does not take a row that an importer made: a defect of the importer."""


def _cell(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        # What is printable needs no escape but for the backslash.
        return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPES)
    if value is True:
        return "t"
    if value is False:
        return "f"
    return str(value)


def copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Append rows to a table; each has a value for each of the columns."""
    lines = ["\t".join([str(v) if v.__class__ is int else _cell(v) for v in row]) for row in rows]
    if not lines:
        return
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    try:
        with connection.cursor() as cursor, connection.wrap_database_errors:
            cursor.copy_expert(statement, io.StringIO("\n".join(lines) + "\n"), COPY_BYTES)
    except (DataError, IntegrityError) as error:
        # PostgreSQL quotes the row in its message, and rows carry names: the log gets the rule alone.
        found = getattr(error.__cause__, "diag", None)
        broken = f"{table}: {getattr(found, 'sqlstate', '')} {getattr(found, 'constraint_name', '') or ''}"
        raise RowRefused(broken) from None


def draw_ids(table: str, count: int) -> list[int]:
    """The next `count` ids of a table, for rows that refer to each other before they are written."""
    if not count:
        return []
    # The sequence is looked up once, not for every id.
    sql = """
        WITH named AS MATERIALIZED (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS sequence)
        SELECT nextval(sequence) FROM named, generate_series(1, %s)
    """
    return [row[0] for row in fetch(sql, [table, count])]


def fetch(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def execute(sql: str, parameters: Sequence[Any]) -> int:
    """Run a statement; the number of rows that it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def due_after(issued_on: dt.date, days: int) -> dt.date:
    """The date that a bill is due, `days` after it was issued."""
    return issued_on + dt.timedelta(days=days)
