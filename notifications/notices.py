"""From what happened to whom it is told: notices are made from events, once, in the transaction that marks them done.

Which events are told, as what and to whom stands in kinds/. Only ids are kept here: what a notice says is rendered,
and checked again, at the moment of sending.
"""

import logging
from collections.abc import Iterator

from django.db import connection, transaction
from django.utils import timezone

from activity.models import Event
from notifications import bill_notices, kinds, moved_bills
from notifications.audience import Told
from notifications.kinds import Kind
from notifications.models import Channel, Notification

logger = logging.getLogger(__name__)

BATCH = 200
SKIP_BATCH = 5_000

BY_EVENT = kinds.by_event()
TOLD = sorted([*BY_EVENT, bill_notices.ISSUED, moved_bills.MOVED])  # everything else is only marked as done

SKIP = """
    UPDATE activity_event SET processed_at = now() WHERE id IN (
        SELECT id FROM activity_event WHERE processed_at IS NULL AND kind <> ALL(%s)
        ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
"""


def make() -> int:
    """Make notices of every event that waits; how many events were worked off. Two workers share the work."""
    done = moved_bills.follow()  # first: nobody is told any more of what is not theirs to know
    while True:
        told, bills, skipped = _make_some(), bill_notices.tell_of_new_bills(), _skip_some()
        done += told + bills + skipped
        if told < BATCH and bills < bill_notices.EVENTS_AT_ONCE and skipped < SKIP_BATCH:
            return done


@transaction.atomic
def _make_some() -> int:
    waiting = Event.objects.filter(processed_at__isnull=True, kind__in=list(BY_EVENT)).order_by("pk")
    events = list(waiting.select_for_update(skip_locked=True)[:BATCH])
    made = [notice for event in events for notice in _readable(event)]
    Notification.objects.bulk_create(made, ignore_conflicts=True)  # dedupe_key: a fact is told once
    Event.objects.filter(pk__in=[event.pk for event in events]).update(processed_at=timezone.now())
    return len(events)


def _skip_some() -> int:
    with connection.cursor() as cursor:
        cursor.execute(SKIP, [TOLD, SKIP_BATCH])
        return int(cursor.rowcount)


def _readable(event: Event) -> list[Notification]:
    """The notices of an event; none of one that does not carry what they need, which must not stop all others."""
    try:
        return list(_notices_of(event))
    except (KeyError, TypeError, ValueError):
        logger.exception("nobody could be told of event %s", event.pk)
        return []


def _notices_of(event: Event) -> Iterator[Notification]:
    for kind in BY_EVENT[event.kind]:
        if kind.told is not None:
            for told in kind.told(event):
                yield notice(kind, told)


def notice(kind: Kind, told: Told) -> Notification:
    """A notice to one person, not saved yet: due at once, once for the kind, the fact and the person."""
    return Notification(
        kind=kind.name,
        subject=told.subject,
        user_id=told.user_id,
        member_id=told.member_id,
        channel=Channel.MAIL if told.user_id else Channel.LETTER,
        dedupe_key=f"{kind.name}:{told.key}:{told.user_id or 0}",
        next_try_at=timezone.now(),
    )
