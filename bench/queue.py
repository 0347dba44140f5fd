"""`queue`: notices claimed, and closed, as senders do it, against SKIP LOCKED by hand, a hundred a claim.

By WORKERS processes at once, on both sides: so many the portal's worker has where nothing else is set
(docker-compose.yml, WORKER_CONCURRENCY).
"""

from bench import databases, reminders
from bench.databases import execute
from bench.frame import Run, benchmark, timed
from bench.processes import together
from notifications import claiming, sending
from notifications.claiming import AT_ONCE, Mark

QUEUED = """
    INSERT INTO notifications_notification (kind, subject, user_id, dedupe_key)
    SELECT 'due_in_3_days', 'bill:B' || n, 1 + n / 10, 'queue:' || n FROM generate_series(1, %s) n
"""
CLAIM = """
    UPDATE notifications_queued q SET tries = q.tries + 1, leased_until = now() + interval '2 minutes'
    FROM (SELECT notification_id FROM notifications_queued
          WHERE due_at <= now() AND (leased_until IS NULL OR leased_until <= now())
          ORDER BY due_at, notification_id LIMIT %s FOR UPDATE SKIP LOCKED) due
    WHERE q.notification_id = due.notification_id RETURNING q.notification_id
"""
A_CLAIM = 100  # of the yardstick
WORKERS = 2
DONE = """
    WITH done AS (DELETE FROM notifications_queued WHERE notification_id = ANY(%s) RETURNING notification_id)
    UPDATE notifications_notification n SET status = 'kept' FROM done WHERE n.id = done.notification_id
"""


def queued(count: int) -> None:
    """So many notices that are due."""
    reminders.empty()
    execute(QUEUED, count)
    databases.vacuum("notifications_notification", "notifications_queued")


@benchmark("queue", size=10_000, full=100_000)
def measure(run: Run) -> None:
    """Notices claimed and closed by two workers, against the same a hundred a claim through psycopg2."""
    reminders.fill(run.size)

    def ours(_worker: int) -> None:
        while leases := claiming.claim(AT_ONCE):
            claiming.write([Mark(notice=lease, status="kept") for lease in leases])

    def raw(_worker: int) -> None:
        cursor = databases.raw().cursor()
        while True:
            cursor.execute(CLAIM, [A_CLAIM])
            ids = [pk for (pk,) in cursor.fetchall()]
            if not ids:
                return
            cursor.execute(DONE, [ids])

    row = run.compare(
        "claimed and closed", lambda: together(WORKERS, ours), lambda: together(WORKERS, raw), work=run.size,
        unit="ids/s", before=lambda: queued(run.size), at_least=0.5,
    )  # fmt: skip
    run.figure("claimed and closed: rate", row.ours, "ids/s", at_least=50_000)
    queued(run.size)
    decided = list[int]()
    execute(
        "INSERT INTO notifications_preference (user_id, kind, channel, is_wanted, changed_at)"
        " SELECT id, 'due_in_3_days', 'mail', false, now() FROM accounts_user"
    )
    seconds = timed(lambda: decided.append(sending.send_waiting(limit=run.size)))
    assert execute("SELECT count(*) FROM notifications_notification WHERE status = 'kept'") == [(run.size,)]
    run.figure("decided about and kept in the portal", run.size / seconds, "notices/s")
