"""The next instalment of the viewer's plans at one glance, asked for within a query that is made anyway.

The database gives the rows of each plan, and `standing` says where it stands: the same as on the plan's own page.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.aggregates import JSONBAgg
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, Exists, F, JSONField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest, JSONObject, Least
from django.utils import timezone

from accounts.models import Member
from accounts.visibility import Scope
from bills.models import Hold
from payments import wording
from payments.models import (
    AutopayCharge,
    AutopayEnrollment,
    Installment,
    PaymentAllocation,
    PaymentPlan,
    PlanBill,
    PlanPolicy,
)
from payments.plans import charging, spreading
from payments.plans.spreading import Part
from payments.plans.standing import Line, Standing, State
from payments.states import IN_FLIGHT

NAME = "running_plans"  # the annotation
MOST = 20  # plans of one person
DATES = ("paused_from", "paused_until", "missed_since", "noticed_on", "cured_on", "reopened_on")
RULES = ("default_after_days", "notice_days")
METHOD = ("kind", "brand", "last4", "bank_name")


@dataclass(frozen=True, slots=True)
class NextInstalment:
    """What is to be paid next by a plan, US cents: the next instalment, or all that is due by now.

    `is_taken`: autopay takes it; `method`: from which, or the one chosen for paying by hand, or empty.
    """

    number: str
    state: State
    pause_reason: str
    paused_until: dt.date | None
    ends_on: dt.date | None
    amount_cents: int
    day: dt.date
    method: str
    is_taken: bool
    more: int  # how many other plans have something to pay


def running_plans(scope: Scope) -> ArraySubquery:
    """The viewer's own running plans, as an annotation: worked out once for a query, whatever its rows."""
    found = PaymentPlan.objects.owned_by(scope).running().order_by("pk")
    told = JSONObject(
        number="number", pause_reason="pause_reason", left=_left(), lines=_lines(), autopay=_autopay(),
        is_held=Exists(_held()), is_helped=Exists(_helped()),
        method=JSONObject(**{name: f"method__{name}" for name in METHOD}),
        **{name: name for name in DATES}, **{name: f"policy__{name}" for name in RULES},
    )  # fmt: skip
    return ArraySubquery(found.values(told=told)[:MOST], output_field=ArrayField(JSONField()))


def _left() -> Coalesce:
    """What is owed on the bills of a plan and not on its way."""
    waiting = PaymentAllocation.objects.filter(bill_id=OuterRef("bill_id"), payment__status__in=IN_FLIGHT)
    cents = Subquery(waiting.order_by().values("bill_id").annotate(cents=Sum("amount_cents")).values("cents"))
    owed = Greatest(F("bill__receivable__balance_cents"), 0)
    bills = PlanBill.objects.standing().filter(plan_id=OuterRef("pk")).order_by().values("plan_id")
    left = bills.annotate(cents=Sum(owed - Least(owed, Coalesce(cents, 0)), output_field=BigIntegerField()))
    return Coalesce(Subquery(left.values("cents")), 0, output_field=BigIntegerField())


def _held() -> QuerySet[PlanBill]:
    """The bills of a plan that are held: it waits for them from that moment on."""
    return PlanBill.objects.standing().filter(plan_id=OuterRef("pk"), bill__held_since__isnull=False).order_by()


def _helped() -> QuerySet[Hold]:
    rows = PlanBill.objects.standing().filter(plan_id=OuterRef(OuterRef("pk"))).order_by().values("bill_id")
    return Hold.objects.standing().filter(bill_id__in=rows, cause=Hold.Cause.ASSISTANCE)


def _lines() -> Subquery:
    latest = AutopayCharge.objects.filter(installment_id=OuterRef("pk")).order_by("-cycle", "-attempt")
    line = JSONObject(
        position="position", due_on="due_on", cents="amount_cents", charge=Subquery(latest.values("status")[:1]),
        charge_on=Subquery(latest.values("charge_on")[:1]),
    )  # fmt: skip
    lines = Installment.objects.filter(superseded_at__isnull=True, plan_id=OuterRef("pk")).order_by().values("plan_id")
    return Subquery(lines.annotate(told=JSONBAgg(line)).values("told"), output_field=JSONField())


def _autopay() -> Subquery:
    active = AutopayEnrollment.objects.filter(plan_id=OuterRef("pk"), status=AutopayEnrollment.Status.ACTIVE)
    told = JSONObject(created_at="created_at", **{name: f"method__{name}" for name in METHOD})
    return Subquery(active.order_by("pk").values(told=told)[:1], output_field=JSONField())


def of(members: Sequence[Member]) -> NextInstalment | None:
    """What was annotated to members: what is missed before what is due, and what is paused last."""
    rows: Sequence[Mapping[str, Any]] = next((getattr(member, NAME) for member in members), ())
    today = timezone.localdate()
    plans = [(row, _standing(row)) for row in rows]
    open_ones = [(row, where) for row, where in plans if where.next_line is not None]
    if not open_ones:
        return None
    row, where = min(open_ones, key=lambda each: _urgency(each[1], today))
    return _told(row, where, today, more=len(open_ones) - 1)


def _urgency(where: Standing, today: dt.date) -> tuple[bool, dt.date]:
    line = where.next_line
    assert line is not None
    return where.state(today) == State.PAUSED, line.installment.due_on


def _told(row: Mapping[str, Any], where: Standing, today: dt.date, *, more: int) -> NextInstalment:
    line, plan = where.next_line, where.plan
    assert line is not None
    autopay, due_on = row["autopay"], line.installment.due_on
    charge, charge_on = next(
        (each["charge"], each["charge_on"])
        for each in row["lines"] if each["position"] == line.installment.position
    )  # fmt: skip
    is_taken = autopay is not None and charging.takes(
        dt.datetime.fromisoformat(autopay["created_at"]), due_on, None if charge is None else charge
    )
    method = autopay if is_taken else row["method"]
    charge_day = dt.date.fromisoformat(charge_on) if charge_on is not None else None
    is_ahead = is_taken and charging.is_to_come(charge, charge_day, today)
    state = where.state(today)
    state = State.DUE if state == State.MISSED and is_ahead else state
    is_missed = where.missed_since(today) is not None and state != State.DUE
    cents = where.due_cents(today) if is_missed else line.open_cents
    return NextInstalment(
        number=plan.number, state=state, pause_reason=_reason(row), paused_until=plan.paused_until,
        ends_on=where.ends_on(), amount_cents=min(cents, where.left_cents), day=due_on, is_taken=is_taken, more=more,
        method=wording.name(*(method[name] for name in METHOD[:3]), bank_name=method["bank_name"])
        if method["kind"] else "",
    )  # fmt: skip


def _reason(row: Mapping[str, Any]) -> str:
    """Why a plan waits, as `pausing.reason_of` has it."""
    if row["pause_reason"] or not row["is_held"]:
        return str(row["pause_reason"])
    return PaymentPlan.Pause.ASSISTANCE if row["is_helped"] else PaymentPlan.Pause.REVIEW


def _standing(row: Mapping[str, Any]) -> Standing:
    dates = {name: dt.date.fromisoformat(row[name]) if row[name] else None for name in DATES}
    policy = PlanPolicy(**{name: row[name] for name in RULES})
    plan = PaymentPlan(number=row["number"], pause_reason=row["pause_reason"], policy=policy, **dates)
    lines = sorted(row["lines"] or (), key=lambda line: line["position"])
    parts = [Part(line["position"], dt.date.fromisoformat(line["due_on"]), line["cents"]) for line in lines]
    paid = max(0, sum(part.amount_cents for part in parts) - row["left"])
    found = (Installment(position=part.position, due_on=part.due_on, amount_cents=part.amount_cents) for part in parts)
    covered = spreading.covered(parts, paid)
    return Standing(
        plan=plan,
        bills=(),
        lines=tuple(map(Line, found, covered)),
        paid_cents=paid,
        owed_cents=row["left"],
        waiting={},
        is_held=row["is_held"],
    )
