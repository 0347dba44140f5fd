"""The state of a bill: one table of what holds first, whatever else holds too."""

import datetime as dt

import pytest

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


def test_a_pill_says_how_late_or_when() -> None:
    """In a few words, with its tone."""
    late = pill(State.PAST_DUE, due_on=TODAY - dt.timedelta(days=1), today=TODAY, due_text="Nov 23")
    assert (late.text, late.tone) == ("1 day past due", "late")
    assert pill(State.PAST_DUE, due_on=LATE, today=TODAY, due_text="").text == "18 days past due"
    due = pill(State.OPEN, due_on=SOON, today=TODAY, due_text="Nov 30")
    assert (due.text, due.tone) == ("Due Nov 30", "due")
    assert pill(State.OPEN, due_on=SOON, today=TODAY, due_text="", in_flight_cents=5_000).text == "$50.00 on its way"
    assert pill(State.PAID, due_on=SOON, today=TODAY, due_text="").tone == "paid"
