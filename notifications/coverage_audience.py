"""Whom a grace period concerns: who is told of the subscriber's bills, each once for every time that it began."""

from collections.abc import Iterator

from activity.models import Event
from bills.models import GracePeriod
from notifications.audience import Told, readers_of_bill


def readers_of_grace(event: Event) -> Iterator[Told]:
    """The subscriber and, unless the subscriber is confidential, the primary holder. Needs `grace_id` and `times`.

    Nobody with a sign-in: a letter, for this notice must reach somebody (FAULTS L17).
    """
    grace = GracePeriod.objects.select_related("coverage__subscriber").filter(pk=event.data["grace_id"]).first()
    if grace is None:
        return
    subscriber, key = grace.coverage.subscriber, f"{grace.pk}:{event.data['times']}"
    readers: list[int | None] = [*readers_of_bill(subscriber)] or [None]
    for user_id in readers:
        yield Told(user_id, f"grace:{grace.pk}", key, subscriber.pk)
