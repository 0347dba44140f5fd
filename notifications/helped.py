"""Whom news about help concerns: the one who applied, and nobody else of the household (FAULTS K13)."""

from collections.abc import Iterator

from activity.models import Event
from notifications.audience import Told


def applicant(event: Event) -> Iterator[Told]:
    """Who applied, once for each event. Needs `user_id`."""
    yield Told(event.data["user_id"], event.subject, str(event.pk))


def awarded(event: Event) -> Iterator[Told]:
    """Who applied for what was given, once. Needs `user_id` and `award_id`."""
    yield Told(event.data["user_id"], event.subject, str(event.data["award_id"]))


def credited(event: Event) -> Iterator[Told]:
    """Who applied for it, once for each bill of an award. Needs `bill_id` too."""
    yield Told(event.data["user_id"], event.subject, f"{event.data['award_id']}:{event.data['bill_id']}")


def awarded_ahead(event: Event) -> Iterator[Told]:
    """The same, once for each number of days ahead. Needs `days` too."""
    yield Told(event.data["user_id"], event.subject, f"{event.data['award_id']}:{event.data['days']}")
