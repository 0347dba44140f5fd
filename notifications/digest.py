"""The weekly digest of a family: how many bills are to be paid and how much is new. Counts and a link, once a week.

Made by one statement for all who asked for it; what it counts is counted when it is sent.
"""

import datetime as dt

from django.db import connection, transaction

from activity.doorbell import ring
from notifications.kinds import KINDS

KIND = KINDS["weekly_digest"]
WEEKDAY = 0  # Monday

ASKED = """
    INSERT INTO notifications_notification (kind, subject, user_id, dedupe_key, next_try_at)
    SELECT %(kind)s, 'digest:' || %(week)s, p.user_id, %(kind)s || ':' || %(week)s || ':' || p.user_id, now()
    FROM notifications_preference p JOIN accounts_user u ON u.id = p.user_id
    WHERE p.kind = %(kind)s AND p.channel = 'mail' AND p.is_wanted AND u.is_active
      AND EXISTS (SELECT 1 FROM accounts_member m WHERE m.user_id = p.user_id)
    ON CONFLICT (dedupe_key) DO NOTHING
"""


@transaction.atomic
def make(day: dt.date) -> int:
    """Make the digests of a day's week for all who asked for one; how many are new."""
    with connection.cursor() as cursor:
        cursor.execute(ASKED, {"kind": KIND.name, "week": f"{day:%G-W%V}"})
        made = int(cursor.rowcount)
    if made:
        ring("notifications.tasks.work_off")
    return made
