"""Banking days, and the day a payment is expected to post (RULES section 11)."""

import datetime as dt

from holidays.financial.federal_reserve import FederalReserve

from bills.models import Bill

# Business days after which a payment is expected to post (stated to the member at review).
POSTING_DAYS = {Bill.Kind.MEDICAL: 1, Bill.Kind.PREMIUM: 3}
BANK_DEBIT_DAYS = 4  # docs.stripe.com, ACH Direct Debit: up to four business days

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


def expected_posting(kind: str, submitted_on: dt.date, *, is_bank_debit: bool = False) -> dt.date:
    """The day by which a payment submitted on a day is expected to post."""
    days = POSTING_DAYS[Bill.Kind(kind)]
    return add_banking_days(submitted_on, max(days, BANK_DEBIT_DAYS) if is_bank_debit else days)


def next_banking_day(day: dt.date) -> dt.date:
    """The day itself where the banks are open, else the next on which they are (RULES section 11)."""
    while not is_banking_day(day):
        day += dt.timedelta(days=1)
    return day
