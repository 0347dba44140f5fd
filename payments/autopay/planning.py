"""The day's charges: announced, and due by now, they are queued in Postgres by one statement, as often as it is run."""

import datetime as dt

from django.db import connection
from django.utils import timezone

from ledger.transactions import atomic_with_retry
from payments import clocks
from payments.autopay.charge_sql import IS_ON, MOST_DAYS_LATE

# A database whose clock is ahead by less than this charges nothing early (FAULTS E25). It is past what the clock
# changes do to a night: a day has one beginning (E21, E22).
DAY_BEGINS = dt.timedelta(hours=1)

QUEUE = f"""
    UPDATE payments_autopaycharge c SET status = 'queued', queued_at = %(now)s
    FROM payments_autopayenrollment e
    WHERE c.status = 'announced' AND c.charge_on <= %(today)s AND c.charge_on >= %(too_late)s
      AND e.id = c.enrollment_id AND {IS_ON}
      AND NOT EXISTS (SELECT 1 FROM bills_bill b WHERE b.id = c.bill_id AND b.held_since IS NOT NULL)
"""  # noqa: S608  # constants


def day() -> dt.date:
    """Today, by the database's clock, as the run counts: from DAY_BEGINS after midnight on, in the portal's zone."""
    return timezone.localdate(clocks.now() - DAY_BEGINS)


@atomic_with_retry
def run(*, today: dt.date | None = None) -> int:
    """Queue what is due; how many. A repeat, or a second one at the same moment, queues nothing more."""
    today = today or day()
    given = {"today": today, "too_late": today - dt.timedelta(days=MOST_DAYS_LATE), "now": timezone.now()}
    with connection.cursor() as cursor:
        cursor.execute(QUEUE, given)
        return int(cursor.rowcount)
