"""Announcing the instalments of payment plans that autopay pays: by the rules of `announcing`, in its transaction.

What an instalment still comes to follows from all that was paid of its plan (payments.plans.standing), so it is asked
there, plan by plan, and not in SQL again. The caller holds the lock that lets one run announce at a time.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.utils import timezone

from activity.models import Event
from activity.recording import record_many
from payments.autopay import changing, days
from payments.autopay.terms import Covers
from payments.checkout import MIN_CENTS
from payments.models import AutopayCharge, AutopayEnrollment, PaymentPlan
from payments.models.autopay import APPROVED
from payments.plans import standing
from payments.plans.standing import Line, Standing

Charge = AutopayCharge.Status
BATCH = 500  # plans that are looked at together
WAITING = (Charge.ANNOUNCED, Charge.ASKED)
OVER = (PaymentPlan.Status.DEFAULTED, PaymentPlan.Status.ENDED)  # one that was paid off may open again
PLAN_OVER = "plan_over"


@dataclass(slots=True)
class Work:
    """What is to be told of a run."""

    announced: list[AutopayCharge] = field(default_factory=list)
    changed: list[AutopayCharge] = field(default_factory=list)
    closed: list[AutopayCharge] = field(default_factory=list)


def run(given: Mapping[str, Any], *, begins_again: Sequence[str]) -> Work:
    """Bring the announced instalments up to date with what is owed. `given`: of `announcing.params`.

    `begins_again`: the codes of charges that were not needed, after which an instalment is announced anew.
    """
    _stop_ended()
    work = Work()
    found = AutopayEnrollment.objects.in_force().filter(covers=Covers.PLAN, user__is_active=True)
    found = found.select_related("plan__policy", "method").order_by("pk")
    each_one = found.iterator(chunk_size=BATCH)
    while together := list(islice(each_one, BATCH)):
        enrollments = {each.plan_id: each for each in together}
        where = standing.of_many([each.plan for each in together if each.plan is not None])
        latest = _charges(enrollments)
        for of_plan in where:
            _look(enrollments[of_plan.plan.pk], of_plan, latest[of_plan.plan.pk], given, begins_again, work)
    _tell(work)
    return work


def _stop_ended() -> None:
    """Turn autopay off where its plan has ended unpaid: its bills are paid by hand, or by another autopay."""
    for enrollment in AutopayEnrollment.objects.in_force().filter(covers=Covers.PLAN, plan__status__in=OVER):
        changing.stop(enrollment, actor="system", code=PLAN_OVER)


def _charges(plan_ids: Iterable[int | None]) -> Mapping[int, dict[int, AutopayCharge]]:
    """By plan, the latest charge of each instalment, superseded ones included."""
    found = AutopayCharge.objects.filter(installment__plan_id__in=list(plan_ids))
    latest = found.select_related("method", "installment").order_by("installment_id", "-cycle", "-attempt")
    by_plan: defaultdict[int, dict[int, AutopayCharge]] = defaultdict(dict)
    for charge in latest.distinct("installment_id"):
        if charge.installment is not None:
            by_plan[charge.installment.plan_id][charge.installment.pk] = charge
    return by_plan


def _look(
    enrollment: AutopayEnrollment, where: Standing, charges: Mapping[int, AutopayCharge], given: Mapping[str, Any],
    begins_again: Sequence[str], work: Work,
) -> None:  # fmt: skip
    lines = {line.installment.pk: line for line in where.lines}
    for charge in charges.values():
        if charge.status in WAITING and charge.enrollment_id == enrollment.pk:
            _follow(charge, lines.get(charge.installment_id or 0), enrollment, where, given, work)
    if _is_still(enrollment, where):
        return
    first = timezone.localdate(enrollment.created_at)  # what was due before is paid by hand
    for line in where.open_lines:
        part = line.installment
        is_due = first <= part.due_on <= given["horizon"] and line.open_cents >= MIN_CENTS
        if is_due and _is_free(charges.get(part.pk), begins_again):
            work.announced.append(_new(enrollment, line, charges.get(part.pk), given))


def _is_still(enrollment: AutopayEnrollment, where: Standing) -> bool:
    """Whether nothing is announced for now: autopay or the plan is paused, or has nothing more to pay."""
    is_on = enrollment.status == AutopayEnrollment.Status.ACTIVE
    return not is_on or where.plan.status != PaymentPlan.Status.ACTIVE or where.is_waiting


def _is_free(latest: AutopayCharge | None, begins_again: Sequence[str]) -> bool:
    """Whether an instalment may be announced: not again after it was charged, skipped, or failed."""
    return latest is None or (latest.status == Charge.NOT_NEEDED and latest.code in begins_again)


def _previous(enrollment: AutopayEnrollment) -> int | None:
    """What autopay charged last: an amount like it needs the shorter notice."""
    sent = enrollment.charges.filter(status__in=(Charge.SENT, Charge.DONE)).order_by("-due_on", "-pk")
    return sent.values_list("amount_cents", flat=True).first()


def _new(
    enrollment: AutopayEnrollment, line: Line, latest: AutopayCharge | None, given: Mapping[str, Any]
) -> AutopayCharge:
    due_on = line.installment.due_on
    wanted = days.charge_day(
        due_on, rule=enrollment.day_rule, days_before=enrollment.days_before, day_of_month=enrollment.day_of_month,
        is_bank_debit=False,
    )  # fmt: skip
    noticed: dt.date = given["noticed_same"] if _previous(enrollment) == line.open_cents else given["noticed"]
    day = wanted if wanted >= noticed else max(due_on, noticed)
    limit = enrollment.limit_cents
    return AutopayCharge(
        enrollment=enrollment, household_id=enrollment.household_id, installment=line.installment,
        cycle=latest.cycle + 1 if latest is not None else 1, amount_cents=line.open_cents, due_on=due_on,
        status=Charge.ASKED if limit is not None and limit < line.open_cents else Charge.ANNOUNCED,
        charge_on=days.on_or_after(day, enrollment.method), method=enrollment.method,
    )  # fmt: skip


def _follow(
    charge: AutopayCharge, line: Line | None, enrollment: AutopayEnrollment, where: Standing,
    given: Mapping[str, Any], work: Work,
) -> None:  # fmt: skip
    """Close an announced charge that is not needed any more, or announce anew what has changed."""
    if line is None or where.plan.status != PaymentPlan.Status.ACTIVE:
        _close(charge, "void", work)
    elif where.waiting_cents:  # what is on its way changes nothing: it may yet fail
        return
    elif line.open_cents <= 0:
        _close(charge, "paid_meanwhile", work)
    elif line.open_cents >= MIN_CENTS and not _is_still(enrollment, where):
        _change(charge, line.open_cents, enrollment, given, work)


def _close(charge: AutopayCharge, code: str, work: Work) -> None:
    found = AutopayCharge.objects.filter(pk=charge.pk, status=charge.status)
    if found.update(status=Charge.NOT_NEEDED, code=code):
        charge.status, charge.code = Charge.NOT_NEEDED, code
        work.closed.append(charge)


def _change(
    charge: AutopayCharge, open_cents: int, enrollment: AutopayEnrollment, given: Mapping[str, Any], work: Work
) -> None:
    """A retry is never raised: it is for what failed. More than was announced, or a day gone by, needs new notice.

    What nobody said yes to is not asked about again: a yes at any time is for the next day.
    """
    amount = open_cents if charge.attempt == 1 else min(open_cents, charge.amount_cents)
    is_more = amount > charge.amount_cents
    method, limit = charge.method or enrollment.method, enrollment.limit_cents
    is_unanswered = is_more or charge.status == Charge.ASKED or charge.code != APPROVED
    is_asked = limit is not None and limit < amount and is_unanswered
    is_moved = is_more or (charge.charge_on < given["too_late"] and not is_asked)
    if amount == charge.amount_cents and not is_moved:
        return
    fields: dict[str, Any] = {"amount_cents": amount, "status": Charge.ASKED if is_asked else Charge.ANNOUNCED}
    if is_asked:
        fields["code"] = ""
    if is_moved:
        day = days.on_or_after(max(charge.charge_on, given["noticed"]), method)
        fields |= {"charge_on": day, "announced_at": given["now"]}
    if AutopayCharge.objects.filter(pk=charge.pk, status=charge.status).update(**fields):
        charge.status = fields["status"]
        work.changed.append(charge)


def _tell(work: Work) -> None:
    AutopayCharge.objects.bulk_create(work.announced)
    record_many(
        [
            *_events(work.announced, "autopay.announced"),
            *_events(work.changed, "autopay.changed"),
            *_events(work.closed, "autopay.not_needed"),
        ]
    )


def _events(charges: Iterable[AutopayCharge], kind: str) -> Iterator[Event]:
    for charge in charges:
        yield Event(
            kind="autopay.asked" if charge.status == Charge.ASKED else kind, subject=f"autopay:{charge.enrollment_id}",
            owner_id=charge.household_id, actor="system", from_status="", to_status="", reason="",
            data={"charge_id": charge.pk, "enrollment_id": charge.enrollment_id},
        )  # fmt: skip
