"""The state of a bill: one table of what holds first, whatever else holds too."""

import datetime as dt

import pytest

from bills import banking_days
from bills.states import Standing, State, derive, pill

TODAY = dt.date(2026, 11, 24)
LATE, SOON = TODAY - dt.timedelta(days=18), TODAY + dt.timedelta(days=6)


@pytest.mark.parametrize(
    ("standing", "state"),
    [
        (Standing(balance_cents=100, due_on=SOON), State.OPEN),
        (Standing(balance_cents=100, due_on=TODAY), State.OPEN),
        (Standing(balance_cents=100, due_on=LATE), State.PAST_DUE),
        (Standing(balance_cents=100, due_on=SOON, paid_cents=50), State.PARTIALLY_PAID),
        (Standing(balance_cents=100, due_on=LATE, paid_cents=50), State.PAST_DUE),
        (Standing(balance_cents=0, due_on=LATE, paid_cents=150), State.PAID),
        (Standing(balance_cents=0, due_on=LATE), State.PAID),
        (Standing(balance_cents=100, due_on=LATE, in_flight_cents=100), State.PROCESSING),
        (Standing(balance_cents=100, due_on=SOON, in_flight_cents=99), State.OPEN),
        (Standing(balance_cents=100, due_on=LATE, is_held=True, in_flight_cents=100), State.UNDER_REVIEW),
        (Standing(balance_cents=0, due_on=LATE, is_held=True), State.PAID),
        (Standing(balance_cents=100, due_on=LATE, is_on_plan=True), State.ON_PLAN),
        (Standing(balance_cents=100, due_on=SOON, is_scheduled=True), State.SCHEDULED),
        (Standing(balance_cents=100, due_on=SOON, is_scheduled=True, is_on_plan=True), State.ON_PLAN),
        (Standing(balance_cents=100, due_on=LATE, is_void=True, is_held=True), State.VOID),
        (Standing(balance_cents=0, due_on=LATE, is_void=True), State.VOID),
    ],
)
def test_the_first_that_holds_is_the_state(standing: Standing, state: State) -> None:
    """What ends a bill stands before what merely describes it."""
    assert derive(standing, today=TODAY) is state


def test_one_day_to_compare_with_says_the_same_as_every_due_date_by_itself() -> None:
    """For two years of days: lists and statements over many bills agree with the state of one."""
    newly: list[dt.date] = []
    for number in range(730):
        today = TODAY + dt.timedelta(days=number)
        first = banking_days.first_due_in_time(today)
        assert banking_days.next_banking_day(first) >= today > banking_days.next_banking_day(first - dt.timedelta(1))
        newly += banking_days.due_days_newly_past(today)
    assert newly == [newly[0] + dt.timedelta(days=number) for number in range(len(newly))]
    assert len(newly) > 720


@pytest.mark.parametrize(("day", "state"), [(22, State.OPEN), (23, State.OPEN), (24, State.PAST_DUE)])
def test_what_is_due_on_a_saturday_is_paid_in_time_until_mondays_end(day: int, state: State) -> None:
    """RULES 11: due while the banks are closed."""
    standing = Standing(balance_cents=100, due_on=dt.date(2026, 11, 21))
    assert derive(standing, today=TODAY.replace(day=day)) is state


def test_a_pill_says_how_late_or_when() -> None:
    """In a few words, with its tone."""
    late = pill(State.PAST_DUE, due_on=TODAY - dt.timedelta(days=1), today=TODAY, due_text="Nov 23")
    assert (late.text, late.tone) == ("1 day past due", "late")
    assert pill(State.PAST_DUE, due_on=LATE, today=TODAY, due_text="").text == "18 days past due"
    due = pill(State.OPEN, due_on=SOON, today=TODAY, due_text="Nov 30")
    assert (due.text, due.tone) == ("Due Nov 30", "due")
    assert pill(State.OPEN, due_on=SOON, today=TODAY, due_text="", in_flight_cents=5_000).text == "$50.00 on its way"
    assert pill(State.PAID, due_on=SOON, today=TODAY, due_text="").tone == "paid"
