"""The queue of notices in Postgres: claimed by lease, begun one by one, closed by compare and set.

A claim takes many at once and leaves them `waiting`, leased. Only the one that is being sent is `sending`: it alone may
be sent twice when its sender dies, and never a third time (FAULTS L04, docs/decisions/0502).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from django.db import connection, transaction
from django.utils import timezone

from notifications.models import Notification
from notifications.rendering import Mail

AT_ONCE = 1_000
LEASE = dt.timedelta(minutes=2)  # longer than one mail can take: each word to the server has EMAIL_TIMEOUT
REPEATED = "sent again after its sender died"
DIED_TWICE = "its sender died twice"
Status = Notification.Status

# No index knows of a lease: Postgres then writes a claimed row beside the old one, in the room that its page is left
# with, and no index again (docs/decisions/2032).
CLAIM = """
    UPDATE notifications_notification n SET
        status = CASE WHEN n.status = 'sending' AND n.reason = %(repeated)s THEN 'failed' ELSE 'waiting' END,
        reason = CASE WHEN n.status = 'waiting' THEN n.reason
                      WHEN n.reason = %(repeated)s THEN %(twice)s ELSE %(repeated)s END,
        tries = n.tries + 1, leased_until = %(lease)s
    FROM (SELECT id FROM notifications_notification
          WHERE status IN ('waiting', 'sending') AND channel <> 'letter'
            AND next_try_at <= %(now)s AND (leased_until IS NULL OR leased_until <= %(now)s)
          ORDER BY next_try_at, id LIMIT %(size)s FOR UPDATE SKIP LOCKED) due
    WHERE n.id = due.id RETURNING n.id, n.tries
"""
# In one statement and one commit, with the words of what was sent. The commit that begins a mail does not wait for the
# disk (docs/decisions/1401); that which ends a run of them does, and takes them with it.
CLOSE = """
    WITH closed AS (
    UPDATE notifications_notification n SET status = d.status, reason = d.reason, is_void = d.is_void,
        tries = d.tries_after, next_try_at = coalesce(d.next_try_at, n.next_try_at), leased_until = d.leased_until,
        sent_at = coalesce(d.sent_at, n.sent_at), address = coalesce(d.address, n.address),
        language = coalesce(d.language, n.language)
    FROM unnest(%(ids)s::bigint[], %(tries)s::int[], %(statuses)s::text[], %(reasons)s::text[], %(voids)s::bool[],
        %(after)s::int[], %(next)s::timestamptz[], %(leases)s::timestamptz[], %(sent)s::timestamptz[],
        %(addresses)s::text[], %(languages)s::text[])
        d (id, tries, status, reason, is_void, tries_after, next_try_at, leased_until, sent_at, address, language)
    WHERE n.id = d.id AND n.tries = d.tries RETURNING n.id
    ), kept AS (
    INSERT INTO notifications_senttext (notification_id, subject, text)
    SELECT t.id, t.subject, t.text
    FROM unnest(%(sent_ids)s::bigint[], %(subjects)s::text[], %(texts)s::text[]) t (id, subject, text)
    JOIN closed USING (id)
    ON CONFLICT (notification_id) DO UPDATE SET subject = excluded.subject, text = excluded.text
    )
    SELECT id FROM closed,
        (SELECT set_config('synchronous_commit', coalesce(%(wait)s, current_setting('synchronous_commit')), true)) wait
"""
# The step from one mail to the next, as `write` does it most: the same as CLOSE, for one that was sent and one begun.
STEP = """
    WITH closed AS (
    UPDATE notifications_notification SET status = 'sent', reason = %(reason)s, is_void = false, sent_at = %(now)s,
        leased_until = NULL, address = %(address)s, language = %(language)s
    WHERE id = %(id)s AND tries = %(tries)s RETURNING id
    ), kept AS (
    INSERT INTO notifications_senttext (notification_id, subject, text) SELECT id, %(subject)s, %(text)s FROM closed
    ON CONFLICT (notification_id) DO UPDATE SET subject = excluded.subject, text = excluded.text
    ), begun AS (
    UPDATE notifications_notification SET status = 'sending', reason = %(next_reason)s, is_void = false,
        leased_until = %(next_lease)s
    WHERE id = %(next_id)s AND tries = %(next_tries)s RETURNING id
    )
    SELECT id FROM (SELECT id FROM closed UNION ALL SELECT id FROM begun) written,
        (SELECT set_config('synchronous_commit', 'off', true)) wait
"""
# Many notices of which the same is to be said, and nothing was sent.
CLOSE_ALIKE = """
    UPDATE notifications_notification n SET status = %(status)s, reason = %(reason)s, is_void = %(is_void)s,
        tries = n.tries - %(not_a_try)s, next_try_at = coalesce(%(next)s::timestamptz, n.next_try_at),
        leased_until = NULL
    FROM unnest(%(ids)s::bigint[], %(tries)s::int[]) d (id, tries)
    WHERE n.id = d.id AND n.tries = d.tries RETURNING n.id
"""


class Claimed(Protocol):
    """A notice that was claimed: its id, and by its tries whether it is still ours."""

    @property
    def pk(self) -> int:
        """Its id."""

    @property
    def tries(self) -> int:
        """How often it was claimed."""


class Lease(NamedTuple):
    """What a claim says of one notice; enough to close it."""

    pk: int
    tries: int


class Mark(NamedTuple):
    """What is to be written about one notice, if it is still ours to mark."""

    notice: Claimed
    status: str
    reason: str = ""
    is_void: bool = False
    counts: bool = True  # whether this was a try
    next_try_at: dt.datetime | None = None
    leased_until: dt.datetime | None = None  # while it is being sent
    mail: Mail | None = None  # what was sent


def claim(size: int = AT_ONCE) -> list[Lease]:
    """Lease the next notices that are due to this sender, those given up among them."""
    now = timezone.now()
    params: dict[str, Any] = {"repeated": REPEATED, "twice": DIED_TWICE, "lease": now + LEASE, "now": now, "size": size}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, params)
        return sorted(map(Lease._make, cursor.fetchall()))


def claimed(leases: Sequence[Lease]) -> list[Notification]:
    """The notices of a claim that are to be worked off and are still ours, with their users."""
    tries = dict(leases)
    found = Notification.objects.filter(pk__in=tries, status=Status.WAITING).select_related("user").order_by("pk")
    return [notice for notice in found if notice.tries == tries[notice.pk]]


def begin(notice: Notification) -> Mark:
    """The mark that a notice is about to be sent."""
    return Mark(notice=notice, status=Status.SENDING, reason=_kept(notice.reason), leased_until=timezone.now() + LEASE)


def write(marks: Sequence[Mark]) -> set[int]:
    """Write marks, in one commit; the ids of those that were still ours."""
    alike: dict[tuple[object, ...], list[Claimed]] = defaultdict(list)
    single = []
    for mark in marks:
        if mark.mail is None and mark.status not in (Status.SENT, Status.SENDING):
            alike[mark.status, mark.reason, mark.is_void, mark.counts, mark.next_try_at].append(mark.notice)
        else:
            single.append(mark)
    if len(alike) + bool(single) <= 1:
        return _write_all(alike, single)
    with transaction.atomic():
        return _write_all(alike, single)


def _write_all(alike: Mapping[tuple[object, ...], Sequence[Claimed]], single: Sequence[Mark]) -> set[int]:
    written = {pk for says, notices in alike.items() for pk in _write_alike(says, notices)}
    return written | (_write_each(single) if single else set())


def _write_alike(says: tuple[object, ...], notices: Sequence[Claimed]) -> set[int]:
    status, reason, is_void, counts, next_try_at = says
    params: dict[str, Any] = {
        "status": str(status), "reason": str(reason)[:200], "is_void": is_void, "not_a_try": 0 if counts else 1,
        "next": next_try_at, "ids": [notice.pk for notice in notices], "tries": [notice.tries for notice in notices],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(CLOSE_ALIKE, params)
        return {pk for (pk,) in cursor.fetchall()}


def _step(sent: Mark, mail: Mail, begun: Mark) -> set[int]:
    params: dict[str, Any] = {
        "id": sent.notice.pk, "tries": sent.notice.tries, "reason": sent.reason[:200], "now": timezone.now(),
        "address": mail.address, "language": mail.language, "subject": mail.subject[:200], "text": mail.text,
        "next_id": begun.notice.pk, "next_tries": begun.notice.tries, "next_reason": begun.reason[:200],
        "next_lease": begun.leased_until,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(STEP, params)
        return {pk for (pk,) in cursor.fetchall()}


def _write_each(marks: Sequence[Mark]) -> set[int]:
    if len(marks) == 2 and marks[0].status == Status.SENT and marks[0].mail and marks[1].status == Status.SENDING:
        return _step(marks[0], marks[0].mail, marks[1])
    now = timezone.now()
    sent = [(mark.notice.pk, mark.mail) for mark in marks if mark.mail is not None]
    params: dict[str, Any] = {
        "wait": "off" if any(mark.status == Status.SENDING for mark in marks) else None,
        "ids": [mark.notice.pk for mark in marks],
        "tries": [mark.notice.tries for mark in marks],
        "statuses": [str(mark.status) for mark in marks],
        "reasons": [mark.reason[:200] for mark in marks],
        "voids": [mark.is_void for mark in marks],
        "after": [mark.notice.tries - (0 if mark.counts else 1) for mark in marks],
        "next": [mark.next_try_at for mark in marks],
        "leases": [mark.leased_until for mark in marks],
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
