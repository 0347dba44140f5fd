"""Instalments sum to the cent, whatever is spread, shrunk or added (FAULTS A21)."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as some

from payments.plans import spreading
from payments.plans.spreading import Part

TODAY = dt.date(2026, 11, 28)
TOTALS = some.integers(min_value=100, max_value=99_999_999)


@given(total=TOTALS, count=some.integers(min_value=1, max_value=120))
def test_even_instalments_sum_to_the_whole_and_differ_by_a_cent(total: int, count: int) -> None:
    parts = spreading.evenly(total, count)
    assert sum(parts) == total
    assert max(parts) - min(parts) <= 1
    assert parts == sorted(parts, reverse=True)


@given(total=TOTALS, amount=some.integers(min_value=50, max_value=1_000_000))
def test_instalments_of_an_amount_sum_to_the_whole_and_can_all_be_charged(total: int, amount: int) -> None:
    amount = max(amount, total // 100)
    parts = spreading.by_amount(total, amount)
    assert sum(parts) == total
    assert all(part >= min(total, spreading.MIN_PART_CENTS) for part in parts)


def test_a_hundred_dollars_over_three_seven_and_eleven() -> None:
    assert spreading.evenly(10_000, 3) == [3_334, 3_333, 3_333]
    assert sum(spreading.evenly(10_000, 7)) == sum(spreading.evenly(10_000, 11)) == 10_000


@given(
    total=TOTALS, count=some.integers(min_value=2, max_value=36), to=some.integers(min_value=0, max_value=99_999_999),
    day=some.integers(min_value=1, max_value=31),
)  # fmt: skip
def test_a_changed_total_is_met_to_the_cent_and_nothing_before_the_end_moves(
    total: int, count: int, to: int, day: int
) -> None:
    parts = spreading.scheduled(spreading.evenly(total, count), day=day, today=TODAY)
    changed = spreading.respread(parts, to, day=day, today=TODAY)
    assert sum(part.amount_cents for part in changed) == to
    assert [part.position for part in changed] == list(range(1, len(changed) + 1))
    assert [part.due_on for part in changed] == sorted({part.due_on for part in changed})
    untouched = min(len(parts), len(changed)) - 2
    assert changed[: max(0, untouched)] == parts[: max(0, untouched)]


@given(
    total=some.integers(min_value=10_000, max_value=9_999_999), count=some.integers(min_value=2, max_value=36),
    award=some.integers(min_value=1, max_value=9_999),
)  # fmt: skip
def test_what_is_taken_off_and_comes_back_gives_the_schedule_that_was(total: int, count: int, award: int) -> None:
    total -= total % count  # equal instalments: else the last is a cent short of the usual
    if total // count < spreading.MIN_PART_CENTS * 2 or award >= total // count * (count - 1):
        return
    parts = spreading.scheduled(spreading.evenly(total, count), day=15, today=TODAY)
    less = spreading.respread(parts, total - award, day=15, today=TODAY)
    if less[-1].amount_cents > total // count:  # a small end joined the one before it
        return
    assert spreading.respread(less, total, day=15, today=TODAY) == parts


def test_the_last_instalments_shrink_first() -> None:
    parts = spreading.scheduled([10_000] * 4, day=15, today=TODAY)
    assert [p.amount_cents for p in spreading.respread(parts, 25_000, day=15, today=TODAY)] == [10_000, 10_000, 5_000]


def test_an_end_too_small_to_charge_joins_the_one_before_it() -> None:
    parts = spreading.scheduled([10_000] * 3, day=15, today=TODAY)
    assert [p.amount_cents for p in spreading.respread(parts, 20_030, day=15, today=TODAY)] == [10_000, 10_030]


def test_a_day_that_a_month_lacks_is_its_last() -> None:
    parts = spreading.scheduled([1_000] * 4, day=31, today=dt.date(2027, 12, 15))
    assert [part.due_on for part in parts] == [
        dt.date(2027, 12, 31), dt.date(2028, 1, 31), dt.date(2028, 2, 29), dt.date(2028, 3, 31),
    ]  # fmt: skip


@given(day=some.integers(min_value=1, max_value=31), today=some.dates(dt.date(2024, 1, 1), dt.date(2032, 12, 31)))
def test_the_first_instalment_is_ten_days_away_and_never_forty_five(day: int, today: dt.date) -> None:
    first = spreading.first_due(day, today=today)
    assert 10 <= (first - today).days < 45


def test_a_down_payment_is_due_at_once_and_comes_before_the_rest() -> None:
    parts = spreading.scheduled([1_000, 1_000], day=1, today=TODAY, down_cents=500)
    assert parts[0] == Part(0, TODAY, 500)
    assert [part.due_on for part in parts[1:]] == [dt.date(2027, 1, 1), dt.date(2027, 2, 1)]


@given(amounts=some.lists(some.integers(min_value=1, max_value=9_999), min_size=1, max_size=20), paid=TOTALS)
def test_what_was_paid_fills_the_instalments_in_order(amounts: list[int], paid: int) -> None:
    parts = [Part(place, TODAY, cents) for place, cents in enumerate(amounts)]
    found = spreading.covered(parts, paid)
    assert sum(found) == min(paid, sum(amounts))
    opened = False
    for part, cents in zip(parts, found, strict=True):
        assert not (opened and cents)
        opened = opened or cents < part.amount_cents
