"""Which plans' next instalment autopay takes: it is not asked for by hand, nor reminded of."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from payments.models import AutopayCharge, AutopayEnrollment, Installment
from payments.plans.standing import Standing, State

Charge = AutopayCharge.Status
TO_COME = (Charge.ANNOUNCED, Charge.QUEUED)
BY_HAND = (Charge.SKIPPED, Charge.FAILED, Charge.ASKED)  # a charge that is not made, or only after a yes


@dataclass(frozen=True, slots=True)
class Taken:
    """Autopay that takes an instalment, and the charge once it is announced."""

    enrollment: AutopayEnrollment
    charge: AutopayCharge | None


def of_many(standings: Sequence[Standing]) -> dict[int, Taken]:
    """By the id of the plan, what takes its next instalment: two queries, or one where no plan has autopay.

    What was due before autopay was turned on, was skipped, has failed for good or waits for a yes is paid by hand.
    """
    following = {each.plan.pk: each.next_line.installment for each in standings if each.next_line is not None}
    found = AutopayEnrollment.objects.filter(plan__in=following, status=AutopayEnrollment.Status.ACTIVE)
    on = {each.plan_id: each for each in found if each.plan_id is not None}
    latest = _latest([following[plan_id] for plan_id in on])
    taken = {}
    for plan_id, enrollment in on.items():
        part = following[plan_id]
        charge = latest.get(part.pk)
        if takes(enrollment.created_at, part.due_on, None if charge is None else charge.status):
            taken[plan_id] = Taken(enrollment, charge)
    return taken


def takes(enrolled_at: dt.datetime, due_on: dt.date, charge_status: str | None) -> bool:
    """Whether autopay takes an instalment: by its latest charge, or before there is one by when autopay began."""
    if charge_status is not None:
        return charge_status not in BY_HAND
    return due_on >= timezone.localdate(enrolled_at)


def of(where: Standing) -> Taken | None:
    """What takes the next instalment of one plan."""
    return of_many([where]).get(where.plan.pk)


def is_to_come(charge_status: str | None, charge_on: dt.date | None, today: dt.date) -> bool:
    """Whether a charge of an instalment is still to be made: until then nothing is missed, whenever it was due.

    A charge lies after the due date where its notice asks for it, or where it is tried again.
    """
    return charge_status in TO_COME and charge_on is not None and charge_on >= today


def state_of(where: Standing, taken: Taken | None, today: dt.date | None = None) -> State:
    """The state of a plan, given what takes its next instalment: what autopay is about to take is due, not missed."""
    today, state = today or timezone.localdate(), where.state(today)
    charge = taken.charge if taken is not None else None
    is_ahead = charge is not None and is_to_come(charge.status, charge.charge_on, today)
    return State.DUE if state == State.MISSED and is_ahead else state


def _latest(parts: Sequence[Installment]) -> dict[int, AutopayCharge]:
    if not parts:
        return {}
    found = AutopayCharge.objects.filter(installment__in=parts).select_related("method", "enrollment")
    latest = found.order_by("installment_id", "-cycle", "-attempt").distinct("installment_id")
    return {charge.installment_id: charge for charge in latest if charge.installment_id is not None}
