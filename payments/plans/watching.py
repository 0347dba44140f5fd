"""What time does to plans, day by day: due soon and today, missed, notice of default, default, cured, paid off, pauses.

Each is found by comparing what is written with what is so, and written with its event once: a run that is repeated, or
two at the same time, says nothing twice.
"""

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from bills.banking_days import next_banking_day
from ledger.transactions import atomic_with_retry
from payments.models import Installment, PaymentPlan
from payments.plans import agreeing, charging, pausing, respreading, standing
from payments.plans.standing import Standing, State

DUE_SOON_DAYS = 3
Told = Installment.Told


def run(today: dt.date | None = None) -> int:
    """Look at every running plan on a day; how many moved on."""
    today = today or timezone.localdate()
    respreading.run()
    moved, after = 0, 0
    while plans := list(
        PaymentPlan.objects.running().select_related("policy").filter(pk__gt=after)[: respreading.BATCH]
    ):
        after = plans[-1].pk
        moved += sum(look(each.plan, today) for each in standing.of_many(plans) if _needs_look(each, today))
    return moved


def _needs_look(where: Standing, today: dt.date) -> bool:
    """Whether anything about a plan may have changed: without a query for each."""
    plan, first = where.plan, where.next_line
    return (
        first is None
        or where.is_held
        or plan.paused_from is not None
        or plan.missed_since != where.missed_since(today)
        or plan.missed_since is not None
        or today <= first.installment.due_on <= today + dt.timedelta(days=DUE_SOON_DAYS)
    )


@atomic_with_retry
def look(plan: PaymentPlan, today: dt.date) -> bool:
    """Move one plan on to where it stands on a day; whether it moved."""
    plan = respreading.locked(plan)
    if plan.status != PaymentPlan.Status.ACTIVE:
        return False
    where = standing.of(plan)
    if where.owed_cents == 0 and where.waiting_cents == 0:
        respreading.close(plan, PaymentPlan.Status.COMPLETED, code="paid")
        agreeing.say("plan.completed", plan)
        return True
    if pausing.keep(plan, where, today):
        return True
    missed = where.missed_since(today)
    if missed is None:
        return _cured(plan, today) if plan.missed_since is not None else _remind(where, today)
    if plan.missed_since is None and charging.state_of(where, charging.of(where), today) == State.DUE:
        return False
    newly = _newly_missed(where, today)
    if plan.missed_since is None:
        return _write(plan, Q(missed_since=None), "plan.missed", where, missed_since=missed, cured_on=None)
    if newly:
        agreeing.say("plan.missed_more", plan, installment_id=newly[-1].pk)
    return _default(plan, where, today)


def _default(plan: PaymentPlan, where: Standing, today: dt.date) -> bool:
    """Notice first, and the end of the plan only after both periods (H&S 127425: 90 days of missed payments)."""
    assert plan.missed_since is not None
    if plan.noticed_on is None:
        if today < plan.missed_since + dt.timedelta(days=plan.policy.notice_after_days):
            return False
        return _write(plan, Q(noticed_on=None), "plan.grace", where, noticed_on=today)
    ends = where.ends_on()
    if ends is None or today < ends:
        return False
    respreading.close(plan, PaymentPlan.Status.DEFAULTED, code="missed")
    agreeing.say("plan.defaulted", plan)
    return True


def _cured(plan: PaymentPlan, today: dt.date) -> bool:
    changed = PaymentPlan.objects.filter(pk=plan.pk, missed_since__isnull=False).update(
        missed_since=None, noticed_on=None, cured_on=today
    )
    if changed:
        agreeing.say("plan.cured", plan, on=today.isoformat())
    return bool(changed)


def _remind(where: Standing, today: dt.date) -> bool:
    """Tell of the next instalment, some days ahead and on its day, once each; the plan stays as it is."""
    first = where.next_line
    if first is None or where.plan.paused_from is not None or charging.of(where) is not None:
        return False
    due_on = first.installment.due_on
    if due_on == today:
        kind, told = "plan.due_today", Told.TODAY
    elif today < due_on <= today + dt.timedelta(days=DUE_SOON_DAYS):
        kind, told = "plan.due_soon", Told.SOON
    else:
        return False
    if _marked(first.installment, told):
        agreeing.say(kind, where.plan, installment_id=first.installment.pk)
    return False


def _newly_missed(where: Standing, today: dt.date) -> list[Installment]:
    """The instalments that are missed by now and were not told as such; they are marked as told."""
    late = [line.installment for line in where.open_lines if today > next_banking_day(line.installment.due_on)]
    return [installment for installment in late if _marked(installment, Told.MISSED)]


def _marked(installment: Installment, told: Told) -> bool:
    """Mark what its owner is told of an instalment; False where that, or more, was told before."""
    return bool(Installment.objects.filter(pk=installment.pk, told__lt=told).update(told=told))


def _write(plan: PaymentPlan, expected: Q, kind: str, where: Standing, **changes: dt.date | None) -> bool:
    first = where.next_line
    changed = PaymentPlan.objects.filter(expected, pk=plan.pk).update(**changes)
    if changed and first is not None:
        agreeing.say(kind, plan, installment_id=first.installment.pk)
    return bool(changed)
