"""Notices about payment plans, as things stand now: read by the owner alone."""

import datetime as dt
from collections.abc import Sequence

from django.urls import reverse
from django.utils import timezone

from notifications.models import Notification
from notifications.news.looking import Looked, News, NotToBeSent, name_of
from payments.models import PaymentPlan
from payments.plans import paying, standing
from payments.plans.standing import Standing
from payments.plans.watching import DUE_SOON_DAYS


def of_plans(notices: Sequence[Notification]) -> dict[int, Looked]:
    """What each notice is about; nothing that is paid meanwhile is asked for."""
    numbers = {name_of(notice) for notice in notices}
    plans = list(PaymentPlan.objects.filter(number__in=numbers).select_related("policy"))
    by_number = {where.plan.number: where for where in standing.of_many(plans)}
    today = timezone.localdate()
    return {notice.pk: _looked(notice, by_number.get(name_of(notice)), today) for notice in notices}


def _looked(notice: Notification, where: Standing | None, today: dt.date) -> Looked:
    if where is None or where.plan.owner_id != notice.user_id:
        return NotToBeSent("the plan is another's")
    if reason := _why_not_true(notice.kind, where, today):
        return NotToBeSent(reason)
    first = where.next_line
    due_on = where.ends_on() if notice.kind == "plan_grace" else first.installment.due_on if first else None
    path = reverse("plan", args=[where.plan.number])
    return News(path, due_on, paying.suggested_cents(where) or None)


def _why_not_true(kind: str, where: Standing, today: dt.date) -> str:
    first, plan = where.next_line, where.plan
    is_running = plan.status == PaymentPlan.Status.ACTIVE
    soon = today + dt.timedelta(days=DUE_SOON_DAYS)
    is_soon = first is not None and today <= first.installment.due_on <= soon and plan.paused_from is None
    is_missed = is_running and plan.missed_since is not None and where.missed_since(today) is not None
    true = {
        "plan_due_soon": is_running and is_soon,
        "plan_missed": is_missed,
        "plan_grace": is_missed and plan.noticed_on is not None,
        "plan_defaulted": plan.status == PaymentPlan.Status.DEFAULTED,
        "plan_completed": plan.status == PaymentPlan.Status.COMPLETED,
    }
    return "" if true.get(kind, True) else "it is paid, or its payment on its way, or otherwise by now"
