"""Writing down what happened, who looked, and what waits for a person: in the caller's own transaction."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from activity import queue
from activity.models import Access, Event, WorkItem


def record(
    kind: str,
    *,
    subject: str,
    actor: str,
    owner_id: int = 0,
    from_status: str = "",
    to_status: str = "",
    reason: str = "",
    **data: Any,
) -> Event:
    """Record an event in the same transaction as what it tells of. `data`: ids, codes and cents only."""
    return Event.objects.create(
        kind=kind,
        subject=subject,
        actor=actor,
        owner_id=owner_id,
        from_status=from_status,
        to_status=to_status,
        reason=reason,
        data=data,
    )


def record_many(events: Iterable[Event]) -> None:
    """Record events that were made one by one, in one statement."""
    Event.objects.bulk_create(events)


def record_query(query: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> None:
    """Record the events that a SELECT yields (kind, subject, owner_id, actor, data), in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO activity_event (kind, subject, owner_id, actor, data) {query}", params)  # noqa: S608


def looked(
    *,
    user_id: int,
    subject: str,
    action: str,
    member_id: int | None = None,
    reason: str = "",
    address: str | None = None,
) -> None:
    """Record that somebody of staff or a delegate looked at another person's record (FAULTS N01)."""
    Access.objects.create(
        user_id=user_id, subject=subject, action=action, member_id=member_id, reason=reason, address=address
    )


def open_work(
    kind: str, *, subject: str, dedupe_key: str, detail: str = "", due_at: dt.datetime | None = None
) -> WorkItem:
    """Open a work item for staff, once for its key; a repeat returns the one that stands.

    `due_at`: by when it is to be done; without it, as activity.queue says of its kind.
    """
    due_at = due_at or queue.due_at(kind, opened_at=timezone.now())
    item, _is_new = WorkItem.objects.get_or_create(
        dedupe_key=dedupe_key, defaults={"kind": kind, "subject": subject, "detail": detail, "due_at": due_at}
    )
    return item


def close_work(dedupe_key: str, *, reason: str) -> bool:
    """Close an item whose cause has gone by itself, saying how; whether there was one that waited."""
    item = WorkItem.objects.filter(dedupe_key=dedupe_key, done_at__isnull=True).first()
    if item is None:
        return False
    closed = WorkItem.objects.filter(pk=item.pk, done_at__isnull=True).update(
        done_at=timezone.now(), done_reason=reason[:500]
    )
    if closed:
        record("work.done", subject=f"work:{item.pk}", actor="system", reason=reason[:500])
    return bool(closed)
