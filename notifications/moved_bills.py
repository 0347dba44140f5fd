"""Notices about a bill that came to its person's private side: what others were told of it leaves their lists.

A notice says whose bill it is about, and is read by who sees that member: so it follows the bill (FAULTS F09, F14).
"""

from django.db import transaction
from django.utils import timezone

from accounts.models import Delegate, Member
from activity.models import Event
from bills.models import Bill
from notifications.models import Notification
from payments.models import AutopayCharge

MOVED = "bill.moved_aside"
BATCH = 200


def follow() -> int:
    """Let the notices about every bill that was moved follow it; how many bills. Two workers share the work."""
    done = 0
    while some := _follow_some():
        done += some
    return done


@transaction.atomic
def _follow_some() -> int:
    waiting = Event.objects.filter(processed_at__isnull=True, kind=MOVED).order_by("pk")
    events = list(waiting.select_for_update(skip_locked=True)[:BATCH])
    for event in events:
        _follow(event)
    Event.objects.filter(pk__in=[event.pk for event in events]).update(processed_at=timezone.now())
    return len(events)


def _follow(event: Event) -> None:
    """Along the notices of who could have been told: those of the household, and who acted for the member."""
    bill = Bill.objects.get(pk=event.data["bill_id"])
    before = event.data["from_member_id"]
    told = Member.objects.filter(household_id=event.owner_id, user__isnull=False).values_list("user_id", flat=True)
    helpers = Delegate.objects.filter(member_id=before).values_list("user_id", flat=True)
    Notification.objects.filter(
        user_id__in={*told, *helpers}, member_id=before, subject__in=_subjects(bill)
    ).update(member_id=event.data["member_id"])  # fmt: skip


def _subjects(bill: Bill) -> list[str]:
    """What notices about a bill are about: itself, questions, charges and payments of it."""
    return [
        f"bill:{bill.number}",
        *(f"inquiry:{number}" for number in bill.inquiries.values_list("number", flat=True)),
        *(f"charge:{charge_id}" for charge_id in AutopayCharge.objects.filter(bill=bill).values_list("pk", flat=True)),
        *(f"payment:{number}" for number in bill.allocations.values_list("payment__number", flat=True)),
    ]
