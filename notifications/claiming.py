"""The queue of notices in Postgres: claimed by lease, begun one by one, closed by compare and set.

A notice that waits stands in `notifications_queued`, narrow and in no index that a claim changes (docs/decisions/2091).
A claim takes many at once and leases them. Only the one that is being sent is begun: it alone may be sent twice when
its sender dies, and never a third time (FAULTS L04, docs/decisions/0502).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple, Protocol

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from notifications.models import Notification, Queued
from notifications.rendering import Mail

AT_ONCE = 1_000
LEASE = dt.timedelta(minutes=2)  # longer than one mail can take: each word to the server has EMAIL_TIMEOUT
REPEATED = "sent again after its sender died"
DIED_TWICE = "its sender died twice"
MOST_DEATHS = 2
Status = Notification.Status

# By where the locked rows stand: looking each up by its id again cost a quarter of a claim. A row that another changed
# after this statement began stands elsewhere, is left alone, and is found by the next claim.
CLAIM = """
    UPDATE notifications_queued SET tries = tries + 1, deaths = deaths + is_begun::int, is_begun = false,
        leased_until = %(lease)s
    WHERE ctid = ANY (ARRAY (
        SELECT ctid FROM notifications_queued
        WHERE due_at <= %(now)s AND (leased_until IS NULL OR leased_until <= %(now)s)
        ORDER BY due_at, notification_id LIMIT %(size)s FOR UPDATE SKIP LOCKED))
    RETURNING notification_id, tries, deaths
"""
# Many notices of which the same is to be said, and nothing was sent: out of the queue, or later.
CLOSE = """
    WITH ours AS (
    DELETE FROM notifications_queued q USING unnest(%(ids)s::bigint[], %(tries)s::int[]) d (id, tries)
    WHERE q.notification_id = d.id AND q.tries = d.tries RETURNING q.notification_id, q.tries
    )
    UPDATE notifications_notification n SET status = %(status)s, reason = %(reason)s, is_void = %(is_void)s,
        tries = ours.tries - %(not_a_try)s
    FROM ours WHERE n.id = ours.notification_id RETURNING n.id
"""
PUT_OFF = """
    WITH ours AS (
    UPDATE notifications_queued q SET tries = q.tries - %(not_a_try)s, is_begun = false, leased_until = NULL,
        due_at = coalesce(%(next)s::timestamptz, q.due_at)
    FROM unnest(%(ids)s::bigint[], %(tries)s::int[]) d (id, tries)
    WHERE q.notification_id = d.id AND q.tries = d.tries RETURNING q.notification_id, q.tries, q.due_at
    )
    UPDATE notifications_notification n SET reason = %(reason)s, tries = ours.tries, next_try_at = ours.due_at
    FROM ours WHERE n.id = ours.notification_id RETURNING n.id
"""
# What is about to be said, of all that are sent next at once, where they are still ours.
KEEP_WORDS = """
    WITH ours AS (
    SELECT d.* FROM unnest(%(ids)s::bigint[], %(tries)s::int[], %(addresses)s::text[], %(languages)s::text[],
        %(subjects)s::text[], %(texts)s::text[]) d (id, tries, address, language, subject, text)
    JOIN notifications_queued q ON q.notification_id = d.id AND q.tries = d.tries
    ), addressed AS (
    UPDATE notifications_notification n SET address = ours.address, language = ours.language
    FROM ours WHERE n.id = ours.id
    )
    INSERT INTO notifications_senttext (notification_id, subject, text) SELECT id, subject, text FROM ours
        ON CONFLICT (notification_id) DO UPDATE SET subject = excluded.subject, text = excluded.text
"""
# One was sent, or one is about to be, or both in one commit: migration 0006. The commit that begins a mail does not
# wait for the disk (docs/decisions/1401); that which ends a run of them does, and takes them with it.
STEP = "SELECT notifications_step(%s, %s, %s, %s, %s, %s, %s)"
NOBODY = (None, None, None)


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
    deaths: int = 0  # of senders that had begun it


class Mark(NamedTuple):
    """What is to be written about one notice, if it is still ours to mark."""

    notice: Claimed
    status: str
    reason: str = ""
    is_void: bool = False
    counts: bool = True  # whether this was a try
    next_try_at: dt.datetime | None = None


def claim(size: int = AT_ONCE) -> list[Lease]:
    """Lease the next notices that are due to this sender, those given up among them."""
    now = timezone.now()
    leases = sorted(map(Lease._make, _run(CLAIM, {"lease": now + LEASE, "now": now, "size": size})))
    if given_up := [lease for lease in leases if lease.deaths >= MOST_DEATHS]:
        write([Mark(notice=lease, status=Status.FAILED, reason=DIED_TWICE) for lease in given_up])
    return leases


def claimed(leases: Sequence[Lease]) -> list[Notification]:
    """The notices of a claim that are to be worked off and are still ours, with their users."""
    ours = {(lease.pk, lease.tries): lease for lease in leases}
    queued = Queued.objects.filter(pk__in=[lease.pk for lease in leases])
    standing = {lease.pk: lease for key in queued.values_list("pk", "tries") if (lease := ours.get(key))}
    found = Notification.objects.filter(pk__in=standing, status=Status.WAITING).select_related("user").order_by("pk")
    for notice in found:
        notice.tries = standing[notice.pk].tries
        if standing[notice.pk].deaths:
            notice.reason = REPEATED
    return list(found)


def keep_words(to_send: Sequence[tuple[Notification, Mail]]) -> None:
    """Keep what is about to be said to whom, for staff to read: also what a sender that dies may have said."""
    if not to_send:
        return
    notices, mails = zip(*to_send, strict=True)
    params = {
        "ids": [notice.pk for notice in notices], "tries": [notice.tries for notice in notices],
        "addresses": [mail.address for mail in mails], "languages": [mail.language for mail in mails],
        "subjects": [mail.subject[:200] for mail in mails], "texts": [mail.text for mail in mails],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(KEEP_WORDS, params)


def step(cursor: CursorWrapper, sent: Mark | None, begun: Claimed | None) -> bool:
    """Close a notice that was sent and begin the next one, in one commit; whether the next is still ours."""
    now = timezone.now()
    was = (sent.notice.pk, sent.notice.tries, sent.reason[:200]) if sent else NOBODY
    cursor.execute(STEP, (*was, *((begun.pk, begun.tries, now + LEASE) if begun else NOBODY), now))
    written = cursor.fetchall()
    return begun is not None and (begun.pk,) in written


def write(marks: Sequence[Mark]) -> set[int]:
    """Write marks of notices that were not sent, in one commit; the ids of those that were still ours."""
    alike: dict[tuple[object, ...], list[Claimed]] = defaultdict(list)
    for mark in marks:
        alike[mark.status, mark.reason, mark.is_void, mark.counts, mark.next_try_at].append(mark.notice)
    with transaction.atomic() if len(alike) > 1 else nullcontext():
        return {pk for says, notices in alike.items() for pk in _write_alike(says, notices)}


def _write_alike(says: tuple[object, ...], notices: Sequence[Claimed]) -> set[int]:
    status, reason, is_void, counts, next_try_at = says
    params: dict[str, Any] = {
        "status": str(status), "reason": str(reason)[:200], "is_void": is_void, "not_a_try": 0 if counts else 1,
        "next": next_try_at, "ids": [notice.pk for notice in notices], "tries": [notice.tries for notice in notices],
    }  # fmt: skip
    return {row[0] for row in _run(PUT_OFF if status == Status.WAITING else CLOSE, params)}


def _run(statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())
