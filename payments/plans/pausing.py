"""Letting a plan wait: once for hardship, as long as its member chooses; and by itself while a bill of it is held.

While it waits nothing is due. Afterwards what was not paid goes on a month apart, beginning at least ten days later.
"""

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from bills.models import Hold
from ledger.transactions import atomic_with_retry
from payments.models import PaymentPlan
from payments.plans import agreeing, respreading, spreading, standing
from payments.plans.spreading import Part
from payments.plans.standing import Standing
from payments.plans.terms import TermsRefused

Pause = PaymentPlan.Pause
WAITS_DAYS = 1  # a pause that waits for something is looked at again every day


class PauseRefused(TermsRefused):
    """A plan that cannot be paused, or not again."""


@atomic_with_retry
def for_hardship(plan: PaymentPlan, *, months: int, by: User) -> PaymentPlan:
    """Pause for so many months, once in the life of a plan. Raises PauseRefused."""
    plan = respreading.locked(plan)
    if plan.status != PaymentPlan.Status.ACTIVE:
        raise PauseRefused(_("This plan has ended."))
    if plan.hardship_used_at is not None:
        raise PauseRefused(_("This plan was paused before. Change it, or call us: there are other ways."))
    if plan.paused_from is not None:
        raise PauseRefused(_("This plan is paused already."))
    if not 1 <= months <= plan.policy.pause_months:
        raise PauseRefused(_("A pause lasts at most %(months)d months.") % {"months": plan.policy.pause_months})
    where = standing.of(plan)
    refuse_while_charged(where)
    today = timezone.localdate()
    until = spreading.months_later(today, months, day=today.day)
    PaymentPlan.objects.filter(pk=plan.pk).update(
        paused_from=today, paused_until=until, pause_reason=Pause.HARDSHIP, hardship_used_at=timezone.now(),
        missed_since=None, noticed_on=None,
    )  # fmt: skip
    respreading.drop_announced([line.installment for line in where.lines], code="plan_paused")
    agreeing.say("plan.paused", plan, actor=f"user:{by.pk}", reason_code=Pause.HARDSHIP)
    plan.refresh_from_db()
    return plan


@atomic_with_retry
def go_on(plan: PaymentPlan, *, by: User | None = None) -> PaymentPlan:
    """End a pause: what was not paid goes on. Raises PauseRefused for one that waits for a bill."""
    plan = respreading.locked(plan)
    where = standing.of(plan)
    if by is not None and (plan.pause_reason != Pause.HARDSHIP or _held_for(where)):
        raise PauseRefused(_("This plan goes on by itself once it is decided."))
    _resume(plan, where, timezone.localdate(), actor=f"user:{by.pk}" if by else "system")
    plan.refresh_from_db()
    return plan


def keep(plan: PaymentPlan, where: Standing, today: dt.date) -> bool:
    """Begin, keep up or end the pause that a held bill makes, and end one that is over; whether the plan moved.

    A pause for hardship runs to its own end, whatever is held meanwhile: it is given once, and for its whole time.
    """
    if plan.pause_reason == Pause.HARDSHIP and plan.paused_until is not None and today < plan.paused_until:
        return False
    reason = _held_for(where)
    if reason and plan.pause_reason in ("", Pause.HARDSHIP):
        PaymentPlan.objects.filter(pk=plan.pk).update(
            paused_from=plan.paused_from or today, paused_until=today + dt.timedelta(days=WAITS_DAYS),
            pause_reason=reason, missed_since=None, noticed_on=None,
        )  # fmt: skip
        respreading.drop_announced([line.installment for line in where.lines], code="plan_paused")
        agreeing.say("plan.paused", plan, reason_code=reason)
        return True
    if reason:
        PaymentPlan.objects.filter(pk=plan.pk).update(
            paused_until=today + dt.timedelta(days=WAITS_DAYS), pause_reason=reason
        )
        return False
    if plan.pause_reason:
        _resume(plan, where, today, actor="system")
        return True
    return False


def refuse_while_charged(where: Standing) -> None:
    """Raise PauseRefused while an instalment is about to be charged: what is on its way is not changed any more."""
    lines = [line.installment.pk for line in where.lines]
    if where.plan.autopay.filter(charges__installment__in=lines, charges__status="queued").exists():
        raise PauseRefused(_("A payment of this plan is being charged right now. Try again in an hour."))


def reason_of(where: Standing) -> str:
    """Why a plan waits at this moment, written down yet or not; empty where it does not."""
    return where.plan.pause_reason or _held_for(where)


def _held_for(where: Standing) -> str:
    if not where.is_held:
        return ""
    helped = Hold.objects.standing().filter(bill__in=where.bills, cause=Hold.Cause.ASSISTANCE).exists()
    return Pause.ASSISTANCE if helped else Pause.REVIEW


def _resume(plan: PaymentPlan, where: Standing, today: dt.date, *, actor: str) -> None:
    if plan.paused_from is None:
        return
    respreading.write(plan, _later(plan, where, today))
    PaymentPlan.objects.filter(pk=plan.pk).update(
        paused_from=None, paused_until=None, pause_reason="", missed_since=None, noticed_on=None
    )
    agreeing.say("plan.resumed", plan, actor=actor)


def _later(plan: PaymentPlan, where: Standing, today: dt.date) -> list[Part]:
    """The instalments, those that are not paid whole moved so that the first is ten days away or more."""
    parts = respreading.parts_of(where)
    is_open = {line.installment.position for line in where.open_lines}
    day = spreading.first_due(plan.day_of_month, today=today)
    first = next((part.due_on for part in parts if part.position in is_open), day)
    if first >= day:
        return parts
    moved, place = [], 0
    for part in parts:
        if part.position in is_open:
            due = spreading.months_later(day, place, day=plan.day_of_month)
            moved.append(Part(part.position, due, part.amount_cents))
            place += 1
        else:
            moved.append(part)
    return moved
