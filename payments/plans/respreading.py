"""Keeping the instalments of running plans what their bills come to: after every change of what was paid or is owed.

Less is taken off the last instalments, more is added at the end (spreading.respread). What came back of a payment is
unpaid again, and missed from that day at the earliest. A bill that is void, paid otherwise or no longer the owner's to
see leaves the plan. Run often; each change is seen once, whatever fires twice.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from accounts.visibility import scope_of
from bills import history
from bills.models import Bill
from ledger.transactions import atomic_with_retry
from payments.allocating import bills_to_pay
from payments.models import AutopayCharge, Installment, PaymentPlan, PlanBill
from payments.plans import agreeing, spreading, standing
from payments.plans.spreading import Part
from payments.plans.standing import Standing

BATCH = 500
REOPENED_DAYS = 120  # a bank can take back a debit that its owner did not authorise for so long (Nacha, and some days)


def run() -> int:
    """Look at every running plan, a batch at a time; how many were changed."""
    changed, after = 0, 0
    while plans := list(PaymentPlan.objects.running().select_related("policy").filter(pk__gt=after)[:BATCH]):
        after = plans[-1].pk
        changed += sum(fit(each.plan) for each in standing.of_many(plans) if _is_unfit(each))
    return changed + sum(reopen(plan_id) for plan_id in _came_back())


def _came_back() -> list[int]:
    """Plans that were paid off, and of which a payment has come back since."""
    since = timezone.now() - dt.timedelta(days=REOPENED_DAYS)
    rows = PlanBill.objects.filter(
        plan__status=PaymentPlan.Status.COMPLETED, plan__ended_at__gte=since, bill__receivable__balance_cents__gt=0,
        bill__on_plan_since__isnull=True, bill__voided_at__isnull=True,
    ).select_related("bill")  # fmt: skip
    paid = history.paid_cents([row.bill for row in rows])
    here = [(row, paid.get(row.bill_id, 0) - row.paid_before_cents) for row in rows]
    return sorted({row.plan_id for row, cents in here if cents < (row.paid_here_cents or 0)})


@atomic_with_retry
def reopen(plan_id: int) -> bool:
    """Open a plan again that had been paid off, with its bills of which a payment came back; whether it was opened."""
    plan = PaymentPlan.objects.select_for_update(of=("self",)).select_related("policy").get(pk=plan_id)
    if plan.status != PaymentPlan.Status.COMPLETED:
        return False
    rows = PlanBill.objects.filter(plan=plan).select_related("bill")
    agreeing.lock_bills([row.bill_id for row in rows])
    fallen = [row for row in rows if row.bill.on_plan_since is None and row.bill.balance_cents > 0]
    PlanBill.objects.filter(pk__in=[row.pk for row in fallen]).update(removed_at=None, paid_here_cents=None)
    Bill.objects.filter(pk__in=[row.bill_id for row in fallen]).update(on_plan_since=timezone.now())
    PaymentPlan.objects.filter(pk=plan.pk).update(
        status=PaymentPlan.Status.ACTIVE, ended_at=None, ended_code="", reopened_on=timezone.localdate()
    )
    agreeing.say("plan.reopened", plan)
    return True


def _is_unfit(where: Standing) -> bool:
    return (
        where.scheduled_cents != where.should_be_cents
        or where.paid_cents != where.plan.paid_cents
        or any(bill.voided_at is not None or bill.member.is_apart for bill in where.bills)
    )


@atomic_with_retry
def fit(plan: PaymentPlan) -> bool:
    """Fit the instalments of one plan to its bills; whether anything was changed."""
    plan = locked(plan)
    if plan.status != PaymentPlan.Status.ACTIVE:
        return False
    where = standing.of(plan)
    gone = [bill for bill in where.bills if bill.voided_at is not None or not _is_theirs(plan, bill)]
    if gone:
        take_off(plan, gone)
        where = standing.of(plan)
        if not where.bills and any(bill.voided_at is None for bill in gone):  # not paid off: none of it is theirs
            close(plan, PaymentPlan.Status.ENDED, code="parted")
            agreeing.say("plan.ended", plan)
            return True
    is_back = where.paid_cents < plan.paid_cents
    if where.paid_cents != plan.paid_cents:
        came_back = {"reopened_on": timezone.localdate()} if is_back else {}
        PaymentPlan.objects.filter(pk=plan.pk).update(paid_cents=where.paid_cents, **came_back)
    moved = where.scheduled_cents != where.should_be_cents
    if moved:
        write(plan, spreading.respread(
            parts_of(where), where.should_be_cents, day=plan.day_of_month, today=timezone.localdate()
        ))  # fmt: skip
        agreeing.say("plan.respread", plan, by_cents=where.should_be_cents - where.scheduled_cents)
    return moved or is_back or bool(gone)


def locked(plan: PaymentPlan) -> PaymentPlan:
    """The plan as it stands, locked with its bills until the end of the transaction."""
    found: PaymentPlan = PaymentPlan.objects.select_for_update(of=("self",)).select_related("policy", "household").get(
        pk=plan.pk
    )  # fmt: skip
    agreeing.lock_bills(PlanBill.objects.standing().filter(plan=found).values_list("bill_id", flat=True))
    return found


def parts_of(where: Standing) -> list[Part]:
    """The instalments as they stand."""
    return [
        Part(line.installment.position, line.installment.due_on, line.installment.amount_cents) for line in where.lines
    ]


def write(plan: PaymentPlan, parts: Sequence[Part]) -> None:
    """Let these be the instalments: what changed is superseded, and a charge announced of it is not needed."""
    now = timezone.now()
    wanted = {part.position: part for part in parts}
    standing_rows = {line.position: line for line in Installment.objects.standing().filter(plan=plan)}
    stale = [
        line for line in standing_rows.values()
        if (part := wanted.get(line.position)) is None
        or (part.due_on, part.amount_cents) != (line.due_on, line.amount_cents)
    ]  # fmt: skip
    Installment.objects.filter(pk__in=[line.pk for line in stale]).update(superseded_at=now)
    drop_announced(stale, code="plan_changed")
    stale_positions = {line.position for line in stale}
    told = {line.due_on: line.told for line in stale}  # of a day that stays, nothing is told again
    Installment.objects.bulk_create(
        Installment(
            plan=plan,
            position=part.position,
            due_on=part.due_on,
            amount_cents=part.amount_cents,
            told=told.get(part.due_on, Installment.Told.NOTHING),
        )  # fmt: skip
        for part in parts
        if part.position in stale_positions or part.position not in standing_rows
    )


def drop_announced(lines: Sequence[Installment], *, code: str) -> int:
    """Charges that were announced of instalments are not needed; how many. What is queued or sent stays."""
    waiting = (AutopayCharge.Status.ANNOUNCED, AutopayCharge.Status.ASKED)
    charges = AutopayCharge.objects.filter(installment__in=[line.pk for line in lines], status__in=waiting)
    return charges.update(status=AutopayCharge.Status.NOT_NEEDED, code=code)


def take_off(plan: PaymentPlan, bills: Sequence[Bill]) -> None:
    """Take bills off a plan, in the caller's transaction, under its locks; what was paid of them stays paid of it."""
    paid = history.paid_cents(list(bills))
    ids = [bill.pk for bill in bills]
    now = timezone.now()
    for row in PlanBill.objects.standing().filter(plan=plan, bill_id__in=ids):
        PlanBill.objects.filter(pk=row.pk, removed_at__isnull=True).update(
            removed_at=now, paid_here_cents=standing.paid_here(row, paid)
        )
    Bill.objects.filter(pk__in=ids).update(on_plan_since=None)


@transaction.atomic
def close(plan: PaymentPlan, status: str, *, code: str) -> None:
    """End a plan that was locked: its bills stand by themselves again, and nothing that was announced is charged."""
    where = standing.of(plan)
    take_off(plan, where.bills)
    drop_announced([line.installment for line in where.lines], code="plan_ended")
    now = timezone.now()
    PaymentPlan.objects.filter(pk=plan.pk, status=PaymentPlan.Status.ACTIVE).update(
        status=status, ended_at=now, ended_code=code, paid_cents=where.paid_cents, paused_from=None, paused_until=None,
        pause_reason="", defaulted_at=now if status == PaymentPlan.Status.DEFAULTED else None,
    )  # fmt: skip


def _is_theirs(plan: PaymentPlan, bill: Bill) -> bool:
    """Whether the owner may still agree about a bill: who is apart by now is out of others' plans (FAULTS F09, F17)."""
    if not bill.member.is_apart or bill.member.user_id == plan.owner_id:
        return True
    return bills_to_pay(scope_of(plan.owner)).filter(pk=bill.pk).exists()
