"""The queue of notices in Postgres: claimed by lease, begun one by one, closed by compare and set.

A notice that waits stands in `notifications_queued`, narrow and in no index that a claim changes (docs/decisions/2091).
A claim takes many at once and leases them. Only the one that is being sent is begun: it alone may be sent twice when
its sender dies, and never a third time (FAULTS L04, docs/decisions/0502).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple, Protocol

from django.db import connection, transaction
from django.utils import timezone

from notifications.models import Notification, Queued
from notifications.rendering import Mail

AT_ONCE = 1_000
LEASE = dt.timedelta(minutes=2)  # longer than one mail can take: each word to the server has EMAIL_TIMEOUT
REPEATED = "sent again after its sender died"
DIED_TWICE = "its sender died twice"
MOST_DEATHS = 2
BEGUN = "begun"  # a mark of a notice that is about to be sent; no status, since it goes on waiting for its outcome
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
# One was sent, or one is about to be, or both in one commit: migration 0005. The commit that begins a mail does not
# wait for the disk (docs/decisions/1401); that which ends a run of them does, and takes them with it.
STEP = """
    SELECT notifications_step(%(id)s, %(tries)s, %(reason)s, %(address)s, %(language)s, %(subject)s, %(text)s,
        %(next_id)s, %(next_tries)s, %(lease)s, %(now)s)
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
    ours = {(lease.pk, lease.tries): lease for lease in leases}
    queued = Queued.objects.filter(pk__in=[lease.pk for lease in leases])
    standing = {lease.pk: lease for key in queued.values_list("pk", "tries") if (lease := ours.get(key))}
    found = Notification.objects.filter(pk__in=standing, status=Status.WAITING).select_related("user").order_by("pk")
    for notice in found:
        notice.tries = standing[notice.pk].tries
        if standing[notice.pk].deaths:
            notice.reason = REPEATED
    return list(found)


def begin(notice: Notification) -> Mark:
    """The mark that a notice is about to be sent."""
    return Mark(notice=notice, status=BEGUN, leased_until=timezone.now() + LEASE)


def write(marks: Sequence[Mark]) -> set[int]:
    """Write marks, in one commit; the ids of those that were still ours."""
    alike: dict[tuple[object, ...], list[Claimed]] = defaultdict(list)
    sent: list[Mark] = []
    begun: list[Mark] = []
    for mark in marks:
        if mark.status == Status.SENT:
            sent.append(mark)
        elif mark.status == BEGUN:
            begun.append(mark)
        else:
            alike[mark.status, mark.reason, mark.is_void, mark.counts, mark.next_try_at].append(mark.notice)
    steps = list(zip_longest(sent, begun))
    if len(alike) + len(steps) <= 1:
        return _write_all(alike, steps)
    with transaction.atomic():
        return _write_all(alike, steps)


def _write_all(
    alike: Mapping[tuple[object, ...], Sequence[Claimed]], steps: Sequence[tuple[Mark | None, Mark | None]]
) -> set[int]:
    written = {pk for says, notices in alike.items() for pk in _write_alike(says, notices)}
    return written.union(*(_step(sent, begun) for sent, begun in steps))


def _write_alike(says: tuple[object, ...], notices: Sequence[Claimed]) -> set[int]:
    status, reason, is_void, counts, next_try_at = says
    params: dict[str, Any] = {
        "status": str(status), "reason": str(reason)[:200], "is_void": is_void, "not_a_try": 0 if counts else 1,
        "next": next_try_at, "ids": [notice.pk for notice in notices], "tries": [notice.tries for notice in notices],
    }  # fmt: skip
    return _ids(PUT_OFF if status == Status.WAITING else CLOSE, params)


def _step(sent: Mark | None, begun: Mark | None) -> set[int]:
    params: dict[str, Any] = dict.fromkeys(
        ("id", "tries", "reason", "address", "language", "subject", "text", "next_id", "next_tries", "lease")
    )
    params["now"] = timezone.now()
    if sent is not None:
        mail = sent.mail
        assert mail is not None, "what was sent is kept"
        params |= {
            "id": sent.notice.pk, "tries": sent.notice.tries, "reason": sent.reason[:200], "address": mail.address,
            "language": mail.language, "subject": mail.subject[:200], "text": mail.text,
        }  # fmt: skip
    if begun is not None:
        params |= {"next_id": begun.notice.pk, "next_tries": begun.notice.tries, "lease": begun.leased_until}
    return _ids(STEP, params)


def _ids(statement: str, params: Mapping[str, Any]) -> set[int]:
    return {row[0] for row in _run(statement, params)}


def _run(statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())
