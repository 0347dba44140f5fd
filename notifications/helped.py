"""Whom news about help concerns: the one who applied, and nobody else of the household (FAULTS K13).

What an award does to a bill, or to a premium, that the applicant may not see any more is not told to them (F06).
"""

from collections.abc import Iterator

from accounts.models import User
from accounts.visibility import scope_of
from activity.models import Event
from assistance.models import Award
from bills.models import Bill
from notifications.audience import Told


def applicant(event: Event) -> Iterator[Told]:
    """Who applied, once for each event. Needs `user_id`."""
    yield Told(event.data["user_id"], event.subject, str(event.pk))


def awarded(event: Event) -> Iterator[Told]:
    """Who applied for what was given, once, as long as they see it. Needs `user_id` and `award_id`."""
    if _is_seen(event):
        yield Told(event.data["user_id"], event.subject, str(event.data["award_id"]))


def credited(event: Event) -> Iterator[Told]:
    """Who applied for it, once for each bill of an award; of who is apart by now, they. Needs `bill_id` too."""
    bill = Bill.objects.select_related("member").get(pk=event.data["bill_id"])
    scope = scope_of(User.objects.get(pk=event.data["user_id"]))
    user_id = scope.user_id if bill.member_id in scope.member_ids else bill.member.user_id
    if user_id is not None:
        yield Told(user_id, event.subject, f"{event.data['award_id']}:{bill.pk}", bill.member_id)


def awarded_ahead(event: Event) -> Iterator[Told]:
    """The same, once for each number of days ahead. Needs `days` too."""
    if _is_seen(event):
        yield Told(event.data["user_id"], event.subject, f"{event.data['award_id']}:{event.data['days']}")


def _is_seen(event: Event) -> bool:
    applicant = User.objects.get(pk=event.data["user_id"])
    return Award.objects.visible_to(applicant).filter(pk=event.data["award_id"]).exists()
