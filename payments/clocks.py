"""Which moment it is where money depends on it: the database's clock decides, and one that differs is an alarm.

Several machines charge, each with a clock of its own (FAULTS E25). A worker that is ahead would charge early, and
one that is off by minutes refuses all of Stripe's webhooks as too old.
"""

import datetime as dt
import logging

from django.conf import settings
from django.db import connection
from django.utils import timezone

from activity.recording import open_work

logger = logging.getLogger(__name__)

MOST_SECONDS = 30  # that a machine's clock may differ: what keeps time over a network is right to fractions of one


def now() -> dt.datetime:
    """The database's moment; this process's own where the clock is moved on purpose (the demo, tests of months)."""
    return timezone.now() if settings.IS_CLOCK_MOVED else _database_now()


def watch() -> float:
    """How many seconds this process's clock is ahead of the database's; work for staff, once a day, where it is off."""
    if settings.IS_CLOCK_MOVED:
        return 0.0
    ahead = (timezone.now() - _database_now()).total_seconds()
    if abs(ahead) > MOST_SECONDS:
        alarm(f"The clock of a worker is {ahead:+.0f} seconds off the database's. Days follow the database's.")
    return ahead


def alarm(detail: str) -> None:
    """Say that a clock is wrong, once a day."""
    logger.error("a clock is wrong: %s", detail)
    open_work(
        "payment_unknown", subject="clock", dedupe_key=f"clock:{timezone.localdate()}",
        detail=f"{detail} Have the machines' time service looked at.",
    )  # fmt: skip


def _database_now() -> dt.datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: dt.datetime = cursor.fetchone()[0]
    return found
