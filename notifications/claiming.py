"""The queue of notices in Postgres: claimed by lease, begun one by one, closed by compare and set.

A notice that waits stands in `notifications_queued`, narrow and in no index that a claim changes (docs/decisions/2091).
A claim takes many at once and leases them. Only the one that is being sent is begun: it alone may be sent twice when
its sender dies, and never a third time (FAULTS L04, docs/decisions/0502).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from notifications.models import Notification
from notifications.rendering import Mail

AT_ONCE = 1_000
LEASE = dt.timedelta(minutes=2)  # longer than one mail can take: each word to the server has EMAIL_TIMEOUT
REPEATED = "sent again after its sender died"
DIED_TWICE = "its sender died twice"
MOST_DEATHS = 2
BEGUN = "begun"  # a mark of a notice that is about to be sent; no status, since it goes on waiting for its outcome
Status = Notification.Status

CLAIM = """
    UPDATE notifications_queued q SET tries = q.tries + 1, deaths = q.deaths + q.is_begun::int, is_begun = false,
        leased_until = %(lease)s
    FROM (SELECT notification_id FROM notifications_queued
          WHERE due_at <= %(now)s AND (leased_until IS NULL OR leased_until <= %(now)s)
          ORDER BY due_at, notification_id LIMIT %(size)s FOR UPDATE SKIP LOCKED) due
    WHERE q.notification_id = due.notification_id RETURNING q.notification_id, q.tries, q.deaths
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
SENT = """
    ours AS (
    DELETE FROM notifications_queued WHERE notification_id = %(id)s AND tries = %(tries)s RETURNING notification_id
    ), closed AS (
    UPDATE notifications_notification n SET status = 'sent', reason = %(reason)s, is_void = false, sent_at = %(now)s,
        tries = %(tries)s, address = %(address)s, language = %(language)s
    FROM ours WHERE n.id = ours.notification_id RETURNING n.id
    ), kept AS (
    INSERT INTO notifications_senttext (notification_id, subject, text) SELECT id, %(subject)s, %(text)s FROM closed
    ON CONFLICT (notification_id) DO UPDATE SET subject = excluded.subject, text = excluded.text
    )
"""
BEGIN = """
    begun AS (
    UPDATE notifications_queued SET is_begun = true, leased_until = %(next_lease)s
    WHERE notification_id = %(next_id)s AND tries = %(next_tries)s RETURNING notification_id AS id
    )
"""
# The commit that begins a mail does not wait for the disk (docs/decisions/1401); that which ends a run of them does,
# and takes them with it.
NO_WAIT = "(SELECT set_config('synchronous_commit', 'off', true)) wait"
SEND = f"WITH {SENT} SELECT id FROM closed"  # noqa: S608  # the parts are constants, as below
START = f"WITH {BEGIN} SELECT id FROM begun, {NO_WAIT}"  # noqa: S608
# The step from one mail to the next, in one statement and one commit.
STEP = f"""WITH {SENT}, {BEGIN}
    SELECT id FROM (SELECT id FROM closed UNION ALL SELECT id FROM begun) marked, {NO_WAIT}
"""  # noqa: S608


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
    leased_until: dt.datetime | None = None  # while it is being sent
    mail: Mail | None = None  # what was sent


def claim(size: int = AT_ONCE) -> list[Lease]:
    """Lease the next notices that are due to this sender, those given up among them."""
    now = timezone.now()
    leases = sorted(map(Lease._make, _run(CLAIM, {"lease": now + LEASE, "now": now, "size": size})))
    if given_up := [lease for lease in leases if lease.deaths >= MOST_DEATHS]:
        write([Mark(notice=lease, status=Status.FAILED, reason=DIED_TWICE) for lease in given_up])
    return leases


def claimed(leases: Sequence[Lease]) -> list[Notification]:
    """The notices of a claim that are to be worked off and are still ours, with their users."""
    ours = {lease.pk: lease for lease in leases}
    standing = Notification.objects.filter(pk__in=ours, status=Status.WAITING).annotate(claims=F("queued__tries"))
    found = [
        notice for notice in standing.select_related("user").order_by("pk") if notice.claims == ours[notice.pk].tries
    ]
    for notice in found:
        notice.tries = ours[notice.pk].tries
        if ours[notice.pk].deaths:
            notice.reason = REPEATED
    return found


def begin(notice: Notification) -> Mark:
    """The mark that a notice is about to be sent."""
    return Mark(notice=notice, status=BEGUN, leased_until=timezone.now() + LEASE)


def write(marks: Sequence[Mark]) -> set[int]:
    """Write marks, in one commit; the ids of those that were still ours."""
    alike: dict[tuple[object, ...], list[Claimed]] = defaultdict(list)
    single = []
    for mark in marks:
        if mark.status in (Status.SENT, BEGUN):
            single.append(mark)
        else:
            alike[mark.status, mark.reason, mark.is_void, mark.counts, mark.next_try_at].append(mark.notice)
    if [mark.status for mark in single] == [Status.SENT, BEGUN] and not alike:
        return _ids(STEP, _sent(single[0]) | _begun(single[1]))
    if len(alike) + len(single) <= 1:
        return _write_all(alike, single)
    with transaction.atomic():
        return _write_all(alike, single)


def _write_all(alike: Mapping[tuple[object, ...], Sequence[Claimed]], single: Sequence[Mark]) -> set[int]:
    written = {pk for says, notices in alike.items() for pk in _write_alike(says, notices)}
    for mark in single:
        written |= _ids(START, _begun(mark)) if mark.status == BEGUN else _ids(SEND, _sent(mark))
    return written


def _write_alike(says: tuple[object, ...], notices: Sequence[Claimed]) -> set[int]:
    status, reason, is_void, counts, next_try_at = says
    params: dict[str, Any] = {
        "status": str(status), "reason": str(reason)[:200], "is_void": is_void, "not_a_try": 0 if counts else 1,
        "next": next_try_at, "ids": [notice.pk for notice in notices], "tries": [notice.tries for notice in notices],
    }  # fmt: skip
    return _ids(PUT_OFF if status == Status.WAITING else CLOSE, params)


def _sent(mark: Mark) -> dict[str, Any]:
    mail = mark.mail
    assert mail is not None, "what was sent is kept"
    return {
        "id": mark.notice.pk, "tries": mark.notice.tries, "reason": mark.reason[:200], "now": timezone.now(),
        "address": mail.address, "language": mail.language, "subject": mail.subject[:200], "text": mail.text,
    }  # fmt: skip


def _begun(mark: Mark) -> dict[str, Any]:
    return {"next_id": mark.notice.pk, "next_tries": mark.notice.tries, "next_lease": mark.leased_until}


def _ids(statement: str, params: Mapping[str, Any]) -> set[int]:
    return {row[0] for row in _run(statement, params)}


def _run(statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()
