"""Queries whose SQL is worked out once in a process, and asked again with other values.

Building a query and writing it as SQL costs Django several times what the database takes to answer it. `prepared` keeps
the SQL, which holds no value of anybody, and fills in the values of each call. Nothing that was read is kept.
"""

import datetime as dt
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import update_wrapper
from types import SimpleNamespace
from typing import Any, Generic, ParamSpec, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.db.models.query import FlatValuesListIterable, ModelIterable, ValuesListIterable
from django.db.models.sql.compiler import SQLCompiler

P = ParamSpec("P")
Row = TypeVar("Row")
Stock = Iterator[int]

ITERABLES = (ModelIterable, ValuesListIterable, FlatValuesListIterable)
# A query is compiled twice, with stand-ins for its values that have nothing in common: what then differs by more than
# they do was derived from a value. They fit a small integer, and as days and instants the calendar.
STAND_INS = (range(20_000, 22_000, 37), range(30_000, 32_700, 53))
FIRST_DAY, FIRST_INSTANT = dt.date(1900, 1, 1), dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
GAP = re.compile(r"(?<!%)%s")


class NotPrepared(Exception):
    """The query does more with a value than pass it on, so that its SQL cannot be kept for another."""


class Prepared(Generic[P, Row]):
    """A function that builds a queryset, called in its place for the list of the rows: one query.

    Values are positional: numbers, text, days, instants, sets of numbers, and data classes of these. The function may
    look at whether one is None or empty, and else passes them on as they are: what it derived from a value would be
    kept. It reads no clock, for the same reason. Keyword arguments are constants, with SQL of their own for each.
    Raises NotPrepared where a value is derived.
    """

    def __init__(self, build: Callable[P, QuerySet[Any, Row]]) -> None:
        self.build = build
        self.kept: dict[Hashable, _Kept | None] = {}
        update_wrapper(self, build)

    def __call__(self, *values: P.args, **constants: P.kwargs) -> list[Row]:
        """Ask the database; the rows."""
        slots = [slot for value in values for slot in _slots(value)]
        shape = (*(slot.shape for slot in slots), *constants.items())
        try:
            kept = self.kept[shape]
        except KeyError:
            kept = self.kept[shape] = self._prepare(values, constants, slots)
        return [] if kept is None else kept.rows(slots)

    def _prepare(self, values: Sequence[Any], constants: Mapping[str, Any], slots: Sequence["_Slot"]) -> "_Kept | None":
        """The SQL with gaps for the values, or None where nothing can be found, as with an empty set."""
        once, again = (self._compiled(values, constants, stock) for stock in STAND_INS)
        if once is None or again is None:
            return None
        if once.sql != again.sql:
            raise NotPrepared(f"{self.build.__qualname__}: the SQL depends on a value")
        pieces = GAP.split(once.sql)
        gaps = _gaps(pieces, once.parameters, STAND_INS[0])
        if gaps != _gaps(pieces, again.parameters, STAND_INS[1]):
            raise NotPrepared(f"{self.build.__qualname__}: a parameter is derived from a value")
        if any(gap.slot is not None and slots[gap.slot].is_set and not gap.is_listed for gap in gaps):
            raise NotPrepared(f"{self.build.__qualname__}: a set stands for one value")
        return _Kept(once, pieces, gaps)

    def _compiled(self, values: Sequence[Any], constants: Mapping[str, Any], stock: range) -> "_Compiled | None":
        numbers = iter(stock)
        queryset: QuerySet[Any, Row] = self.build(*(_stand_in(value, numbers) for value in values), **constants)
        if queryset._prefetch_related_lookups or queryset._iterable_class not in ITERABLES:  # type: ignore[attr-defined]
            raise NotPrepared(f"{self.build.__qualname__}: only models and lists of values, without a prefetch")
        compiler = queryset.query.get_compiler(using=DEFAULT_DB_ALIAS)
        try:
            sql, parameters = compiler.as_sql()
        except EmptyResultSet:
            return None
        columns = [column for column, _sql, _alias in compiler.select[: compiler.col_count]]
        return _Compiled(queryset, compiler, sql, tuple(parameters), compiler.get_converters(columns))


prepared = Prepared


@dataclass(frozen=True, slots=True)
class _Slot:
    """One value of a call: what of it the SQL depends on, and what fills its gaps."""

    shape: Hashable
    filling: Sequence[Any]
    is_set: bool = False


@dataclass(frozen=True, slots=True)
class _Gap:
    """One parameter of the SQL: a constant, or what the value of this slot fills."""

    constant: Any
    slot: int | None
    is_listed: bool


@dataclass(frozen=True, slots=True)
class _Compiled:
    queryset: QuerySet[Any, Any]
    compiler: SQLCompiler
    sql: str
    parameters: tuple[Any, ...]
    converters: dict[int, Any]

    def converted(self, found: list[Any], connection: BaseDatabaseWrapper) -> Iterable[Any]:
        """What the database answered, as the fields of models want it."""
        if self.compiler.has_extra_select:  # what it is ordered by stands behind the columns asked for
            found = [row[: self.compiler.col_count] for row in found]
        if not self.converters:
            return found
        compiler = copy(self.compiler)
        compiler.connection = connection
        return map(tuple, compiler.apply_converters(found, self.converters))


@dataclass(frozen=True, slots=True)
class _Kept:
    """SQL in pieces, with a gap between each and the next."""

    compiled: _Compiled
    pieces: Sequence[str]
    gaps: Sequence[_Gap]

    def rows(self, slots: Sequence[_Slot]) -> list[Any]:
        """The rows that the database answers, as the queryset would give them."""
        sql = [self.pieces[0]]
        parameters: list[Any] = []
        for gap, piece in zip(self.gaps, self.pieces[1:], strict=True):
            filling = (gap.constant,) if gap.slot is None else slots[gap.slot].filling
            sql.append(", ".join(["%s"] * len(filling)))
            sql.append(piece)
            parameters.extend(filling)
        connection = connections[DEFAULT_DB_ALIAS]
        with connection.cursor() as cursor:
            cursor.execute("".join(sql), parameters)
            found = cursor.fetchall()
        compiled = self.compiled
        answered = _Answered(compiled.compiler, compiled.converted(found, connection))
        stand_in = SimpleNamespace(
            db=DEFAULT_DB_ALIAS, query=answered, model=compiled.queryset.model, _known_related_objects={}
        )
        iterable: Any = compiled.queryset._iterable_class
        return list(iterable(stand_in))


class _Answered:
    """What Django's own iterables take for a query and its compiler: one that has been asked already."""

    def __init__(self, compiler: SQLCompiler, found: Iterable[Any]) -> None:
        self.found = found
        self.select, self.klass_info = compiler.select, compiler.klass_info
        self.annotation_col_map = compiler.annotation_col_map

    def get_compiler(self, *_names: Any, **_options: Any) -> "_Answered":
        return self

    def execute_sql(self, **_options: Any) -> None:
        """It was asked before."""

    def results_iter(self, *_results: Any, **_options: Any) -> Iterator[Any]:
        return iter(self.found)


def _slots(value: Any) -> Iterator[_Slot]:
    """What a value consists of, in the order in which `_stand_in` uses up its stock."""
    if is_dataclass(value):
        for field in fields(value):
            yield from _slots(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for kind in sorted(set(value.values())):
            yield _Slot(("of", kind), [key for key, found in value.items() if found == kind], is_set=True)
    elif isinstance(value, (set, frozenset, list, tuple)):
        yield _Slot(bool(value), tuple(value), is_set=True)
    else:
        yield _Slot(type(value).__name__, (value,))


def _stand_in(value: Any, numbers: Stock) -> Any:
    """Something of the same shape, from the stock."""
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _stand_in(getattr(value, each.name), numbers) for each in fields(value)})
    if isinstance(value, Mapping):
        return {next(numbers): kind for kind in sorted(set(value.values()))}
    number = next(numbers)
    match value:
        case None:
            return None
        case set() | frozenset() | list() | tuple():
            return type(value)([number] if value else [])
        case bool():
            raise NotPrepared("whether something holds decides on the SQL: a keyword argument")
        case int():
            return number
        case str():
            return f"stand-in {number}"
        case dt.datetime():
            return FIRST_INSTANT + dt.timedelta(days=number)
        case dt.date():
            return FIRST_DAY + dt.timedelta(days=number)
    raise NotPrepared(f"no value of a query that is kept: {type(value).__name__}")


def _gaps(pieces: Sequence[str], parameters: Sequence[Any], stock: range) -> list[_Gap]:
    """What fills each gap. Within a list (`IN`) in the order of the slots: a set's own is chance."""
    gaps: list[_Gap] = []
    listed = 0  # how many of the last gaps stand in one list
    for before, parameter in zip(pieces, parameters, strict=False):
        listed = 1 if before.endswith("IN (") else listed + 1 if listed and before == ", " else 0
        place = _place(parameter, stock)
        gaps.append(_Gap(parameter if place is None else None, place, is_listed=listed > 0))
        if listed and all(gap.slot is not None for gap in gaps[-listed:]):
            gaps[-listed:] = sorted(gaps[-listed:], key=lambda gap: gap.slot or 0)
    return gaps


def _place(found: Any, stock: range) -> int | None:
    """Which slot's stand-in a parameter is; None for a constant, and for what was derived from a stand-in."""
    number = -1
    match found:
        case bool():
            pass
        case int():
            number = found
        case str():
            number = int(found.removeprefix("stand-in ")) if re.fullmatch(r"stand-in \d+", found) else -1
        case dt.datetime():
            number = (found - FIRST_INSTANT) // dt.timedelta(days=1) if found.tzinfo else -1
            number = number if FIRST_INSTANT + dt.timedelta(days=number) == found else -1
        case dt.date():
            number = (found - FIRST_DAY).days
    return stock.index(number) if number in stock else None
