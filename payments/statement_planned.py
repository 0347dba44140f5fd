"""What a statement says is planned: of payment plans what was missed and the next instalment, and autopay's charges."""

import datetime as dt
from collections import defaultdict
from typing import Any

from payments.autopay import days
from payments.models import AutopayCharge, PaymentPlan, PlanBill
from payments.plans import charging, standing
from payments.plans.standing import Standing, State

MISSED = (State.MISSED, State.GRACE)


class Planned:
    """What is planned for some bills on a day, as a statement keeps it: each with the bills that it is for."""

    def __init__(self, bill_ids: list[int], on: dt.date) -> None:
        self.on = on
        self._bills: dict[int, list[int]] = defaultdict(list)
        on_plans = PlanBill.objects.standing().filter(bill_id__in=bill_ids, plan__status=PaymentPlan.Status.ACTIVE)
        for plan_id, bill_id in on_plans.order_by("plan_id", "bill_id").values_list("plan_id", "bill_id"):
            self._bills[plan_id].append(bill_id)
        plans = list(PaymentPlan.objects.filter(pk__in=self._bills).select_related("policy").order_by("pk"))
        running = [where for where in standing.of_many(plans) if not where.is_waiting] if plans else []
        taken = charging.of_many(running)
        self.installments = [each for where in running for each in self._of_plan(where, taken.get(where.plan.pk))]
        self.autopay = self._charges(bill_ids, {where.plan.pk: where.plan.number for where in running})

    def _of_plan(self, where: Standing, taken: charging.Taken | None) -> list[dict[str, Any]]:
        """What was missed of a plan, all of it together, and the next that is not due yet. Nothing while it waits."""
        lines = list(where.open_lines)
        found = []
        if charging.state_of(where, taken, self.on) in MISSED:
            late = [line for line in lines if line.installment.due_on <= self.on]
            found.append(self._part(where, late[0].installment.due_on, where.due_cents(self.on), is_missed=True))
            lines = lines[len(late) :]
        if lines:
            found.append(self._part(where, lines[0].installment.due_on, lines[0].open_cents, is_missed=False))
        return found

    def _part(self, where: Standing, due_on: dt.date, cents: int, *, is_missed: bool) -> dict[str, Any]:
        return {
            "plan": where.plan.number, "bills": self._bills[where.plan.pk], "due_on": str(due_on), "cents": cents,
            "is_missed": is_missed,
        }  # fmt: skip

    def _charges(self, bill_ids: list[int], plans: dict[int, str]) -> list[dict[str, Any]]:
        """The announced charges (12 CFR 1005.10(d): amount and date, ten days ahead), on the days of their plans."""
        announced = AutopayCharge.objects.filter(status=AutopayCharge.Status.ANNOUNCED).on_course()
        announced = announced.select_related("enrollment", "installment")
        of_bills = announced.filter(bill_id__in=bill_ids)
        of_plans = announced.filter(installment__plan_id__in=list(plans), installment__superseded_at__isnull=True)
        found = [(days.planned(each), each) for each in (*of_bills, *(of_plans if plans else ()))]
        return [
            {
                "bill": each.bill_id, "on": str(day), "cents": each.amount_cents,
                "plan": plans[each.installment.plan_id] if each.installment else "",
                "bills": self._bills[each.installment.plan_id] if each.installment else [each.bill_id],
            }
            for day, each in sorted(found, key=lambda one: (one[0], one[1].pk)) if day >= self.on
        ]  # fmt: skip
