"""The queue of notices in Postgres: claimed by lease, begun one by one, closed by compare and set.

A claim takes many at once and leaves them `waiting`, leased. Only the one that is being sent is `sending`: it alone may
be sent twice when its sender dies, and never a third time (FAULTS L04, docs/decisions/0502).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from notifications.models import Notification
from notifications.rendering import Mail

AT_ONCE = 100
LEASE = dt.timedelta(minutes=2)  # longer than one mail can take: each word to the server has EMAIL_TIMEOUT
REPEATED = "sent again after its sender died"
DIED_TWICE = "its sender died twice"
Status = Notification.Status

CLAIM = """
    UPDATE notifications_notification n SET
        status = CASE WHEN n.status = 'sending' AND n.reason = %(repeated)s THEN 'failed' ELSE 'waiting' END,
        reason = CASE WHEN n.status = 'waiting' THEN n.reason
                      WHEN n.reason = %(repeated)s THEN %(twice)s ELSE %(repeated)s END,
        tries = n.tries + 1, next_try_at = %(lease)s
    FROM (SELECT id FROM notifications_notification
          WHERE status IN ('waiting', 'sending') AND channel <> 'letter'
            AND next_try_at <= %(now)s
          ORDER BY next_try_at, id LIMIT %(size)s FOR UPDATE SKIP LOCKED) due
    WHERE n.id = due.id RETURNING n.id
"""
# In one statement and one commit, with the words of what was sent.
CLOSE = """
    WITH closed AS (
    UPDATE notifications_notification n SET status = d.status, reason = d.reason, is_void = d.is_void,
        tries = d.tries_after, next_try_at = coalesce(d.next_try_at, n.next_try_at),
        sent_at = coalesce(d.sent_at, n.sent_at), address = coalesce(d.address, n.address),
        language = coalesce(d.language, n.language)
    FROM unnest(%(ids)s::bigint[], %(tries)s::int[], %(statuses)s::text[], %(reasons)s::text[], %(voids)s::bool[],
        %(after)s::int[], %(next)s::timestamptz[], %(sent)s::timestamptz[], %(addresses)s::text[],
        %(languages)s::text[])
        d (id, tries, status, reason, is_void, tries_after, next_try_at, sent_at, address, language)
    WHERE n.id = d.id AND n.tries = d.tries RETURNING n.id
    ), kept AS (
    INSERT INTO notifications_senttext (notification_id, subject, text)
    SELECT t.id, t.subject, t.text
    FROM unnest(%(sent_ids)s::bigint[], %(subjects)s::text[], %(texts)s::text[]) t (id, subject, text)
    JOIN closed USING (id)
    ON CONFLICT (notification_id) DO UPDATE SET subject = excluded.subject, text = excluded.text
    )
    SELECT id FROM closed
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What is to be written about one notice, if it is still ours to mark."""

    notice: Notification
    status: str
    reason: str = ""
    is_void: bool = False
    counts: bool = True  # whether this was a try
    next_try_at: dt.datetime | None = None
    mail: Mail | None = None  # what was sent


def claim(size: int = AT_ONCE) -> list[int]:
    """Lease the next notices that are due to this sender: their ids, those given up among them."""
    now = timezone.now()
    params: dict[str, Any] = {"repeated": REPEATED, "twice": DIED_TWICE, "lease": now + LEASE, "now": now, "size": size}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, params)
        return sorted(pk for (pk,) in cursor.fetchall())


def claimed(ids: Sequence[int]) -> list[Notification]:
    """The notices of a claim that are to be worked off, with their users."""
    return list(Notification.objects.filter(pk__in=ids, status=Status.WAITING).select_related("user").order_by("pk"))


def begin(notice: Notification) -> Mark:
    """The mark that a notice is about to be sent."""
    return Mark(notice=notice, status=Status.SENDING, reason=_kept(notice.reason), next_try_at=timezone.now() + LEASE)


def write(marks: Sequence[Mark]) -> set[int]:
    """Write marks, in one commit; the ids of those that were still ours."""
    if not marks:
        return set()
    now = timezone.now()
    sent = [(mark.notice.pk, mark.mail) for mark in marks if mark.mail is not None]
    params: dict[str, Any] = {
        "ids": [mark.notice.pk for mark in marks],
        "tries": [mark.notice.tries for mark in marks],
        "statuses": [str(mark.status) for mark in marks],
        "reasons": [mark.reason[:200] for mark in marks],
        "voids": [mark.is_void for mark in marks],
        "after": [mark.notice.tries - (0 if mark.counts else 1) for mark in marks],
        "next": [mark.next_try_at for mark in marks],
        "sent": [now if mark.status == Status.SENT else None for mark in marks],
        "addresses": [mark.mail.address if mark.mail else None for mark in marks],
        "languages": [mark.mail.language if mark.mail else None for mark in marks],
        "sent_ids": [pk for pk, _mail in sent],
        "subjects": [mail.subject[:200] for _pk, mail in sent],
        "texts": [mail.text for _pk, mail in sent],
    }
    with connection.cursor() as cursor:
        cursor.execute(CLOSE, params)
        return {pk for (pk,) in cursor.fetchall()}


def _kept(reason: str) -> str:
    """That a notice is a repeat is remembered until it is closed."""
    return reason if reason == REPEATED else ""
