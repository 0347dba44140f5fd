"""The queue of what waits for a person: taken by somebody, done with a reason."""

from django.db import transaction
from django.utils import timezone

from activity.models import WorkItem
from activity.recording import record


class AlreadyDone(Exception):
    """Somebody was quicker: the item is done."""


@transaction.atomic
def take(item: WorkItem, *, by_id: int) -> None:
    """Make somebody the owner of an item that is not done, also where another had it. Raises AlreadyDone."""
    if not WorkItem.objects.filter(pk=item.pk, done_at__isnull=True).update(owner_id=by_id):
        raise AlreadyDone(f"work item {item.pk} is done already")
    record("work.taken", subject=f"work:{item.pk}", actor=f"user:{by_id}")


@transaction.atomic
def finish(item: WorkItem, *, by_id: int, reason: str) -> None:
    """Close an item, saying what was done. Raises AlreadyDone, and ValueError without a reason."""
    if not reason.strip():
        raise ValueError("work is done with a reason")
    changed = WorkItem.objects.filter(pk=item.pk, done_at__isnull=True).update(
        done_at=timezone.now(), done_by_id=by_id, done_reason=reason.strip()
    )
    if not changed:
        raise AlreadyDone(f"work item {item.pk} is done already")
    record("work.done", subject=f"work:{item.pk}", actor=f"user:{by_id}", reason=reason.strip())
