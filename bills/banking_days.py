"""Days on which the banks are open, and from when a bill is past due (RULES section 11).

A bill that is due while they are closed is paid in time until the end of the next day on which they are open.
"""

import datetime as dt

from holidays.financial.federal_reserve import FederalReserve

# The Federal Reserve Banks' own: open on the Friday before a holiday that falls on a Saturday.
_FEDERAL_RESERVE = FederalReserve()  # type: ignore[no-untyped-call]


def is_banking_day(day: dt.date) -> bool:
    """Whether the Federal Reserve Banks are open."""
    return day.weekday() < 5 and day not in _FEDERAL_RESERVE


def add_banking_days(day: dt.date, count: int) -> dt.date:
    """The day `count` banking days after `day`."""
    while count:
        day += dt.timedelta(days=1)
        count -= is_banking_day(day)
    return day


def next_banking_day(day: dt.date) -> dt.date:
    """The day itself where the banks are open, else the next on which they are."""
    while not is_banking_day(day):
        day += dt.timedelta(days=1)
    return day


def first_due_in_time(today: dt.date) -> dt.date:
    """The earliest due date that is still met by paying today: what was due before it is past due.

    One day to compare with, for lists and statements over many bills.
    """
    first = today
    while not is_banking_day(first - dt.timedelta(days=1)):
        first -= dt.timedelta(days=1)
    return first


def due_days_newly_past(today: dt.date) -> list[dt.date]:
    """The due dates of which today is the first day past due: several after a weekend, none during it."""
    before = first_due_in_time(today - dt.timedelta(days=1))
    return [before + dt.timedelta(days=number) for number in range((first_due_in_time(today) - before).days)]
