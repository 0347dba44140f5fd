"""Pages by keyset: a page begins where the last one ended, so that page 1,000 costs as much as page 1.

A cursor is signed for whom it was shown to: another's yields the first page of one's own (FAULTS F05, I16).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Some rows, and the cursors of the pages before and after them; empty where there is none."""

    rows: list[M]
    previous: str
    next: str


def page(rows: "QuerySet[M]", *, key: Sequence[str], size: int, cursor: str, reader: str) -> Page[M]:
    """One page of `size` rows, ordered by `key` (field names, the last unique, `-` before those that descend).

    `reader` names whom the cursor is for. One query, size + 1 rows read.
    """
    direction, values = _read(cursor, reader, len(key))
    is_back = direction == "previous"
    ordered = rows.order_by(*(_turned(name) for name in key) if is_back else key)
    if values:
        ordered = ordered.filter(_beyond(key, values, is_back=is_back))
    found = list(ordered[: size + 1])
    has_more = len(found) > size
    found = found[:size]
    if is_back:
        found.reverse()
    if not found:
        return Page([], "", "")
    has_previous = has_more if is_back else bool(values)
    has_next = bool(values) if is_back else has_more
    return Page(
        found,
        _write("previous", found[0], key, reader) if has_previous else "",
        _write("next", found[-1], key, reader) if has_next else "",
    )


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _beyond(key: Sequence[str], values: Sequence[Any], *, is_back: bool) -> Q:
    """Rows after (or before) the row with these values in the order of the key.

    The first field's bound stands alone as well, so that an index on the key is entered at the right place.
    """
    condition, equal = Q(), Q()
    for name, value in zip(key, values, strict=True):
        field = name.lstrip("-")
        operator = "lt" if name.startswith("-") != is_back else "gt"
        condition |= equal & Q(**{f"{field}__{operator}": value})
        equal &= Q(**{field: value})
    first = key[0].lstrip("-")
    bound = "lte" if key[0].startswith("-") != is_back else "gte"
    return Q(**{f"{first}__{bound}": values[0]}) & condition


def _write(direction: str, row: Model, key: Sequence[str], reader: str) -> str:
    values = [_value(row, name.lstrip("-")) for name in key]
    return signing.dumps([direction, *map(str, values)], salt=f"keyset:{reader}")


def _value(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = getattr(row, name)
    return row


def _read(cursor: str, reader: str, length: int) -> tuple[str, list[str]]:
    """A cursor's direction and values; the first page for one that is not ours to read."""
    if not cursor:
        return "next", []
    try:
        direction, *values = signing.loads(cursor, salt=f"keyset:{reader}")
    except (signing.BadSignature, ValueError):
        return "next", []
    return (direction, values) if len(values) == length else ("next", [])
