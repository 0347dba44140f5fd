"""Lists and their pages (docs.stripe.com/api/pagination): newest first, `limit` 1 to 100, cursors by id."""

from collections.abc import Callable, Iterable, Iterator

from stripe_sandbox import errors, forms
from stripe_sandbox.forms import Obj

Test = Callable[[Obj], bool]

PAGING = frozenset({"limit", "starting_after", "ending_before"})


def limit_of(params: Obj) -> int:
    """The page size asked for; 10 when not said."""
    limit = forms.integer(params, "limit", default=10)
    if limit is None or not 1 <= limit <= 100:
        raise errors.invalid(
            "Invalid limit: must be between 1 and 100", code="parameter_invalid_integer", param="limit"
        )
    return limit


def created_test(params: Obj, name: str = "created") -> Test | None:
    """A test for `created=…` or `created[gte]=…` and its kin."""
    wanted = params.get(name)
    if wanted is None:
        return None
    if not isinstance(wanted, dict):
        exact = forms.integer(params, name)
        return lambda obj: bool(obj[name] == exact)
    bounds = {word: forms.integer(wanted, word) for word in wanted}
    if set(bounds) - {"gt", "gte", "lt", "lte"}:
        raise errors.invalid(f"Invalid {name} filter", param=name)
    low = max([(bounds.get("gt") or -2) + 1, bounds.get("gte") or -1])
    high = min([(bounds["lt"] or 0) - 1 if "lt" in bounds else 1 << 62, bounds.get("lte") or 1 << 62])
    return lambda obj: low <= obj[name] <= high


def page(rows: Iterable[Obj], params: Obj, *, url: str, tests: Iterable[Test | None] = ()) -> Obj:
    """One page of the rows (newest first) that pass the tests."""
    limit = limit_of(params)
    after, before = forms.text(params, "starting_after"), forms.text(params, "ending_before")
    if after and before:
        raise errors.invalid("You cannot use both starting_after and ending_before.", param="starting_after")
    wanted = [test for test in tests if test]
    if before:
        taken = list(_until(rows, before))
        taken = [row for row in taken if all(test(row) for test in wanted)]
        return {"object": "list", "data": taken[-limit:], "has_more": len(taken) > limit, "url": url}
    data: list[Obj] = []
    for row in _from(rows, after) if after else rows:
        if all(test(row) for test in wanted):
            if len(data) == limit:
                return {"object": "list", "data": data, "has_more": True, "url": url}
            data.append(row)
    return {"object": "list", "data": data, "has_more": False, "url": url}


def equals(params: Obj, *names: str) -> list[Test]:
    """A test of equality for each of these parameters that is given."""
    return [_same(name, params[name]) for name in names if params.get(name)]


def _same(name: str, value: str) -> Test:
    return lambda obj: bool(obj.get(name) == value)


def _from(rows: Iterable[Obj], cursor: str) -> Iterator[Obj]:
    passed = False
    for row in rows:
        if passed:
            yield row
        passed = passed or row["id"] == cursor
    if not passed:
        raise errors.missing("object", cursor, param="starting_after", status=400)


def _until(rows: Iterable[Obj], cursor: str) -> Iterator[Obj]:
    for row in rows:
        if row["id"] == cursor:
            return
        yield row
    raise errors.missing("object", cursor, param="ending_before", status=400)
