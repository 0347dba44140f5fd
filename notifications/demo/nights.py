"""The nights before the demo: Charlie's forgotten premium is in grace, and last month's statements are out."""

import datetime as dt

from payments import grace, monthly_statements


def keep_up(today: dt.date) -> None:
    """What the nights before the demo would have done, by the functions that do it every night."""
    grace.run(today)
    monthly_statements.issue(today.replace(day=1) - dt.timedelta(days=1), on=today)
