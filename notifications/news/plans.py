"""Notices about payment plans, as things stand now: read by the owner alone."""

import datetime as dt
from collections.abc import Collection, Sequence

from django.urls import reverse
from django.utils import timezone

from notifications.models import Notification
from notifications.news.looking import Looked, News, NotToBeSent, name_of
from payments.models import PaymentPlan
from payments.plans import charging, paying, standing
from payments.plans.standing import Standing
from payments.plans.watching import DUE_SOON_DAYS

REMINDERS = ("plan_due_soon", "plan_due_today")


def of_plans(notices: Sequence[Notification]) -> dict[int, Looked]:
    """What each notice is about; nothing that is paid meanwhile is asked for."""
    numbers = {name_of(notice) for notice in notices}
    plans = list(PaymentPlan.objects.filter(number__in=numbers).select_related("policy"))
    standings = standing.of_many(plans)
    by_number = {where.plan.number: where for where in standings}
    asks = any(notice.kind in REMINDERS for notice in notices)
    taken = charging.of_many(standings) if asks else {}
    today = timezone.localdate()
    return {notice.pk: _looked(notice, by_number.get(name_of(notice)), taken, today) for notice in notices}


def _looked(notice: Notification, where: Standing | None, taken: Collection[int], today: dt.date) -> Looked:
    if where is None or where.plan.owner_id != notice.user_id:
        return NotToBeSent("the plan is another's")
    if notice.kind in REMINDERS and where.plan.pk in taken:
        return NotToBeSent("autopay takes it")
    if not _is_true(notice.kind, where, today):
        return NotToBeSent("it is paid, or its payment on its way, or otherwise by now")
    path = reverse("plan", args=[where.plan.number])
    return News(path, _day(notice.kind, where), paying.suggested_cents(where) or None)


def _day(kind: str, where: Standing) -> dt.date | None:
    """The day that a notice names: the end of the plan or of its pause, else when the next payment is due."""
    if kind == "plan_grace":
        return where.ends_on()
    if kind == "plan_paused":  # a pause that waits for somebody ends when that is decided
        return where.plan.paused_until if where.plan.pause_reason == PaymentPlan.Pause.HARDSHIP else None
    return where.next_line.installment.due_on if where.next_line is not None else None


def _is_true(kind: str, where: Standing, today: dt.date) -> bool:
    first, plan = where.next_line, where.plan
    is_running, is_paused = plan.status == PaymentPlan.Status.ACTIVE, plan.paused_from is not None
    due_on = first.installment.due_on if first is not None and is_running and not where.is_waiting else None
    is_missed = is_running and plan.missed_since is not None and where.missed_since(today) is not None
    true = {
        "plan_due_soon": due_on is not None and today <= due_on <= today + dt.timedelta(days=DUE_SOON_DAYS),
        "plan_due_today": due_on == today,
        "plan_missed": is_missed,
        "plan_grace": is_missed and plan.noticed_on is not None,
        "plan_defaulted": plan.status == PaymentPlan.Status.DEFAULTED,
        "plan_completed": plan.status == PaymentPlan.Status.COMPLETED,
        "plan_paused": is_running and is_paused,
        "plan_resumed": due_on is not None,
    }
    return true.get(kind, True)
