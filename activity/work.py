"""The queue of what waits for a person: taken by somebody, done with a reason."""

from django.db import transaction
from django.utils import timezone

from activity.models import WorkItem
from activity.recording import record


class AlreadyDone(Exception):
    """Somebody was quicker: the item is done."""


class NotYours(Exception):
    """Somebody else owns the item, or nobody does."""


class NotByYou(Exception):
    """It is about what this person did: somebody else has to judge it."""


@transaction.atomic
def take(item: WorkItem, *, by_id: int) -> None:
    """Make somebody the owner of an item that is not done, also where another had it. Raises AlreadyDone."""
    if not WorkItem.objects.filter(pk=item.pk, done_at__isnull=True).update(owner_id=by_id):
        raise AlreadyDone(f"work item {item.pk} is done already")
    record("work.taken", subject=f"work:{item.pk}", actor=f"user:{by_id}")


@transaction.atomic
def hand_over(item: WorkItem, *, to_id: int, by_id: int, reason: str) -> None:
    """Make somebody else the owner of an item, saying what they need to know. Raises AlreadyDone, ValueError."""
    if not reason.strip():
        raise ValueError("work is handed over with a reason")
    if not WorkItem.objects.filter(pk=item.pk, done_at__isnull=True).update(owner_id=to_id):
        raise AlreadyDone(f"work item {item.pk} is done already")
    record("work.handed_over", subject=f"work:{item.pk}", actor=f"user:{by_id}", reason=reason.strip(), to_user=to_id)


@transaction.atomic
def give_back(item: WorkItem, *, by_id: int) -> None:
    """Put an item that is one's own back into the queue. Raises AlreadyDone, NotYours."""
    waiting = WorkItem.objects.filter(pk=item.pk, done_at__isnull=True)
    if not waiting.exists():
        raise AlreadyDone(f"work item {item.pk} is done already")
    if not waiting.filter(owner_id=by_id).update(owner=None):
        raise NotYours(f"work item {item.pk} is not yours")
    record("work.given_back", subject=f"work:{item.pk}", actor=f"user:{by_id}")


@transaction.atomic
def finish(item: WorkItem, *, by_id: int, reason: str) -> None:
    """Close an item, saying what was done. Raises AlreadyDone, NotByYou, and ValueError without a reason."""
    if not reason.strip():
        raise ValueError("work is done with a reason")
    if item.kind == WorkItem.Kind.CONFIDENTIAL_LOOK and item.dedupe_key.startswith(f"confidential:{by_id}:"):
        raise NotByYou("You opened this record: somebody else reads why.")
    changed = WorkItem.objects.filter(pk=item.pk, done_at__isnull=True).update(
        done_at=timezone.now(), done_by_id=by_id, done_reason=reason.strip()
    )
    if not changed:
        raise AlreadyDone(f"work item {item.pk} is done already")
    record("work.done", subject=f"work:{item.pk}", actor=f"user:{by_id}", reason=reason.strip())
