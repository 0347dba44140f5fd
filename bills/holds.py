"""Letting a bill wait, and letting it go on: each cause for itself; `Bill.held_since` says whether any stands."""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from activity.recording import record
from bills.models import Bill, Hold
from ledger.models import Account

# Nobody is past due on the day that a medical bill goes on: from then on there is at least so long to pay it.
DAYS_TO_PAY = 21


@transaction.atomic
def begin(bill: Bill, *, cause: Hold.Cause, reference: str = "", reason: str = "", by: User | None = None) -> Hold:
    """Hold a bill for a cause; the hold that stands for the same cause and reference is returned."""
    locked = Bill.objects.select_for_update().order_by().select_related(None).get(pk=bill.pk)
    now = timezone.now()
    hold, is_new = Hold.objects.standing().get_or_create(
        bill=locked, cause=cause, reference=reference, defaults={"began_at": now, "began_by": by, "reason": reason}
    )
    if is_new:
        _keep(locked, event="bill.held", cause=cause, reference=reference, by=by)
    return hold


@transaction.atomic
def end(holds: Iterable[Hold], *, by: User | None = None) -> int:
    """End holds; how many stood. A bill goes on once none of its holds is left."""
    ended = 0
    for hold in sorted(holds, key=lambda hold: (hold.bill_id, hold.pk)):  # one order of locks
        locked = Bill.objects.select_for_update().order_by().select_related(None).get(pk=hold.bill_id)
        changed = Hold.objects.standing().filter(pk=hold.pk).update(ended_at=timezone.now(), ended_by=by)
        if changed:
            ended += 1
            _keep(locked, event="bill.released", cause=hold.cause, reference=hold.reference, by=by)
            give_time(locked)
    return ended


def end_all_of(reference: str, *, by: User | None = None) -> int:
    """End every hold that came of one thing (`application:5`); how many stood."""
    return end(Hold.objects.standing().filter(reference=reference), by=by)


def causes_of(bill: Bill) -> frozenset[str]:
    """The causes for which a bill waits now: no query where it waits for none."""
    if bill.held_since is None:
        return frozenset()
    return frozenset(Hold.objects.standing().filter(bill=bill).values_list("cause", flat=True))


def _keep(bill: Bill, *, event: str, cause: str, reference: str, by: User | None) -> None:
    """Let the bill say since when it is held, and record what happened."""
    first = Hold.objects.standing().filter(bill=bill).order_by("began_at", "pk").first()
    Bill.objects.filter(pk=bill.pk).update(
        held_since=first.began_at if first else None, hold_reason=str(first.reason) if first else ""
    )
    record(
        event, subject=f"bill:{bill.number}", owner_id=bill.household_id, actor=f"user:{by.pk}" if by else "system",
        bill_id=bill.pk, cause=str(cause), reference=reference,
    )  # fmt: skip


def give_time(bill: Bill) -> None:
    """Give time to pay a medical bill that waits no longer, or is another's to pay. A premium's follows its month."""
    due_on = timezone.localdate() + dt.timedelta(days=DAYS_TO_PAY)
    moved = Bill.objects.filter(
        pk=bill.pk, kind=Bill.Kind.MEDICAL, held_since__isnull=True, voided_at__isnull=True, due_on__lt=due_on
    )
    if moved.update(due_on=due_on):
        Account.objects.filter(pk=bill.receivable_id).update(matures_on=due_on)
