"""Whom news about help concerns: the one who applied, and nobody else of the household (FAULTS K13)."""

from collections.abc import Iterator

from accounts.models import User
from accounts.visibility import scope_of
from activity.models import Event
from bills.models import Bill
from notifications.audience import Told


def applicant(event: Event) -> Iterator[Told]:
    """Who applied, once for each event. Needs `user_id`."""
    yield Told(event.data["user_id"], event.subject, str(event.pk))


def awarded(event: Event) -> Iterator[Told]:
    """Who applied for what was given, once. Needs `user_id` and `award_id`."""
    yield Told(event.data["user_id"], event.subject, str(event.data["award_id"]))


def credited(event: Event) -> Iterator[Told]:
    """Who applied for it, once for each bill of an award, as long as they see whose it is. Needs `bill_id` too."""
    user_id, bill_id = event.data["user_id"], event.data["bill_id"]
    bill = Bill.objects.filter(pk=bill_id).visible_to(scope_of(User.objects.get(pk=user_id))).first()
    if bill is not None:
        yield Told(user_id, event.subject, f"{event.data['award_id']}:{bill_id}", bill.member_id)


def awarded_ahead(event: Event) -> Iterator[Told]:
    """The same, once for each number of days ahead. Needs `days` too."""
    yield Told(event.data["user_id"], event.subject, f"{event.data['award_id']}:{event.data['days']}")
