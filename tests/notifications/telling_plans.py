"""A plan of the reader's of which a kind of notice is true."""

import datetime as dt

from django.utils import timezone

from accounts.models import User
from notifications.kinds import Kind
from payments.models import PaymentPlan
from tests.conftest import Cast
from tests.factories import make_bill
from tests.payments.plans.making import make_plan, move_back


def subject_of(cast: Cast, kind: Kind, reader: User) -> str:
    """`plan:` and its number."""
    member = reader.members.get()
    plan = make_plan(member, [make_bill(member)])
    today = timezone.localdate()
    first = plan.installments.order_by("position")[0].due_on
    days = {
        "plan_due_soon": (first - today).days - 2,
        "plan_due_today": (first - today).days,
        "plan_missed": 100,
        "plan_grace": 160,
    }
    if kind.name in days:
        move_back(plan, days[kind.name])
    changes: dict[str, dict[str, object]] = {
        "plan_missed": {"missed_since": today - dt.timedelta(days=9)},
        "plan_grace": {"missed_since": today - dt.timedelta(days=70), "noticed_on": today},
        "plan_defaulted": {"status": "defaulted", "noticed_on": today, "defaulted_at": timezone.now()},
        "plan_completed": {"status": "completed"},
    }
    if kind.name == "plan_paused":
        until = today + dt.timedelta(days=30)
        changes["plan_paused"] = {"paused_from": today, "paused_until": until, "pause_reason": "hardship"}
    changed = changes.get(kind.name, {})
    if "status" in changed:
        changed["ended_at"] = timezone.now()
    PaymentPlan.objects.filter(pk=plan.pk).update(**changed)
    return f"plan:{plan.number}"
