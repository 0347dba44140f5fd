"""The next automatic payment at one glance: asked for within a query that is made anyway (the overview has twelve)."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, JSONField, Subquery
from django.db.models.functions import Coalesce, JSONObject

from accounts.models import Member
from accounts.visibility import Scope
from payments import wording
from payments.autopay.notes import TO_COME
from payments.models import AutopayCharge, AutopayEnrollment

NAME = "next_charge"  # the annotation
METHOD = ("kind", "brand", "last4", "bank_name")
IS_ON = (AutopayEnrollment.Status.ACTIVE, AutopayEnrollment.Status.PAUSED)


@dataclass(frozen=True, slots=True)
class NextCharge:
    """What autopay takes next, US cents. `is_asked`: only after a yes; `is_plan`: an instalment of a plan."""

    charge_id: int
    amount_cents: int
    day: dt.date
    method: str
    is_asked: bool
    is_plan: bool


def next_charge(scope: Scope) -> Subquery:
    """The viewer's next charge, as an annotation: worked out once for a query, whatever its rows."""
    found = AutopayCharge.objects.visible_to(scope).filter(status__in=TO_COME, enrollment__status__in=IS_ON)
    method = {name: Coalesce(f"method__{name}", f"enrollment__method__{name}") for name in METHOD}
    told = JSONObject(
        charge_id="pk", amount_cents="amount_cents", charge_on="charge_on", paused_until="enrollment__paused_until",
        status="status", plan_part="installment_id", **method,
    )  # fmt: skip
    return Subquery(found.order_by(F("charge_on"), "pk").values(told=told)[:1], output_field=JSONField())


def of(members: Sequence[Member]) -> NextCharge | None:
    """What was annotated to members."""
    found: Mapping[str, Any] | None = next((getattr(member, NAME) for member in members), None)
    if found is None:
        return None
    days = [dt.date.fromisoformat(found[name]) for name in ("charge_on", "paused_until") if found[name]]
    return NextCharge(
        charge_id=found["charge_id"], amount_cents=found["amount_cents"], day=max(days),
        method=wording.name(found["kind"], found["brand"], found["last4"], bank_name=found["bank_name"]),
        is_asked=found["status"] == AutopayCharge.Status.ASKED, is_plan=found["plan_part"] is not None,
    )  # fmt: skip
