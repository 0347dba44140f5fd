"""Where a plan stands: what was paid of its bills fills its instalments in order, and the rest follows from the dates.

A plan is not told that something is missing while its money is on its way, or on a day when banks are closed (RULES
section 11).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bills import history
from bills.banking_days import next_banking_day
from bills.models import Bill
from payments.allocating import in_flight_cents
from payments.models import Installment, PaymentPlan, PlanBill
from payments.plans import spreading
from payments.plans.spreading import Part

DUE_SOON_DAYS = 7
CURED_DAYS = 30  # how long a plan says that what was missed is made good


class State(models.TextChoices):
    """Where a plan stands, for the member and for staff alike."""

    ON_TRACK = "on_track", _("On track")
    DUE = "due", _("Payment due")
    MISSED = "missed", _("Payment missed")
    GRACE = "grace", _("Last days to catch up")
    CURED = "cured", _("Caught up")
    PAUSED = "paused", _("Paused")
    DEFAULT = "default", _("Ended: payments were missed")
    PAID_OFF = "paid_off", _("Paid off")
    ENDED = "ended", _("Ended by you")


TONES = {State.DUE: "due", State.MISSED: "late", State.GRACE: "late", State.DEFAULT: "late", State.PAID_OFF: "paid",
         State.CURED: "paid"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """An instalment and how much of it is paid or on its way, US cents."""

    installment: Installment
    covered_cents: int

    @property
    def open_cents(self) -> int:
        """What is still to be paid of it."""
        return self.installment.amount_cents - self.covered_cents


@dataclass(frozen=True, slots=True)
class Standing:
    """A plan's figures, US cents: `paid` and `owed` are of the bills that are on it, `waiting` is on its way."""

    plan: PaymentPlan
    bills: tuple[Bill, ...]
    lines: tuple[Line, ...]
    paid_cents: int
    owed_cents: int
    waiting: Mapping[int, int]  # by bill
    is_held: bool = False  # whether a bill on it is held

    @property
    def waiting_cents(self) -> int:
        """What is on its way."""
        return sum(self.waiting.values())

    @property
    def scheduled_cents(self) -> int:
        """The sum of the instalments."""
        return sum(line.installment.amount_cents for line in self.lines)

    @property
    def should_be_cents(self) -> int:
        """What the instalments should sum to: what was paid, and what is owed."""
        return self.paid_cents + self.owed_cents

    @property
    def left_cents(self) -> int:
        """What is owed and not on its way."""
        return max(0, self.owed_cents - self.waiting_cents)

    @property
    def open_lines(self) -> tuple[Line, ...]:
        """The instalments that are not paid whole, the earliest first."""
        return tuple(line for line in self.lines if line.open_cents > 0)

    @property
    def posted_count(self) -> int:
        """How many instalments are paid by what has posted: the next ones are on their way."""
        parts = [Part(line.installment.position, line.installment.due_on, line.installment.amount_cents)
                 for line in self.lines]  # fmt: skip
        posted = spreading.covered(parts, self.paid_cents)
        return sum(cents == part.amount_cents for cents, part in zip(posted, parts, strict=True))

    @property
    def next_line(self) -> Line | None:
        """What is to be paid next."""
        return next(iter(self.open_lines), None)

    @property
    def is_waiting(self) -> bool:
        """Whether nothing is charged: the plan is paused, or is about to be since a bill of it is held.

        The pause is written once a day (pausing.keep); who asked for help is not charged before it.
        """
        return self.plan.paused_from is not None or self.is_held

    def due_cents(self, today: dt.date) -> int:
        """What is due by a day and not paid; nothing of what waits."""
        if self.is_waiting:
            return 0
        return sum(line.open_cents for line in self.open_lines if line.installment.due_on <= today)

    def missed_since(self, today: dt.date) -> dt.date | None:
        """Since when the first of what is not paid is missed; None where nothing is. What waits misses nothing."""
        first = self.next_line
        if first is None or self.is_waiting:
            return None
        day = first.installment.due_on
        if today <= next_banking_day(day):
            return None
        if self.plan.reopened_on is not None and day < self.plan.reopened_on:
            day = self.plan.reopened_on
            return day if today > next_banking_day(day) else None
        return day

    def ends_on(self) -> dt.date | None:
        """When the plan ends unless what was missed is paid; None where no notice of that was given."""
        plan = self.plan
        if plan.missed_since is None or plan.noticed_on is None:
            return None
        return max(
            plan.missed_since + dt.timedelta(days=plan.policy.default_after_days),
            plan.noticed_on + dt.timedelta(days=plan.policy.notice_days),
        )

    def state(self, today: dt.date | None = None) -> State:
        """The state on a day."""
        today = today or timezone.localdate()
        ended = {"completed": State.PAID_OFF, "defaulted": State.DEFAULT, "ended": State.ENDED}
        if self.plan.status in ended:
            return ended[self.plan.status]
        if self.is_waiting:
            return State.PAUSED
        if self.missed_since(today) is not None:
            return State.GRACE if self.plan.noticed_on is not None else State.MISSED
        first = self.next_line
        if first is not None and first.installment.due_on <= today + dt.timedelta(days=DUE_SOON_DAYS):
            return State.DUE
        if self.plan.cured_on is not None and today <= self.plan.cured_on + dt.timedelta(days=CURED_DAYS):
            return State.CURED
        return State.ON_TRACK


def of(plan: PaymentPlan) -> Standing:
    """Where one plan stands."""
    return of_many([plan])[0]


def of_many(plans: Sequence[PaymentPlan]) -> list[Standing]:
    """Where plans stand: four queries, however many. `policy` is to be loaded with them."""
    ids = [plan.pk for plan in plans]
    lines: dict[int, list[Installment]] = defaultdict(list)
    for installment in Installment.objects.standing().filter(plan_id__in=ids):
        lines[installment.plan_id].append(installment)
    rows: dict[int, list[PlanBill]] = defaultdict(list)
    found = PlanBill.objects.filter(plan_id__in=ids).select_related("bill__receivable", "bill__member")
    for row in found.order_by("bill__due_on", "bill_id"):
        rows[row.plan_id].append(row)
    bills = [row.bill for of_plan in rows.values() for row in of_plan if row.removed_at is None]
    paid, waiting = history.paid_cents(bills), in_flight_cents(bills)
    return [_standing(plan, lines[plan.pk], rows[plan.pk], paid, waiting) for plan in plans]


def paid_here(row: PlanBill, paid: Mapping[int, int]) -> int:
    """US cents paid of a bill while it was on the plan. `paid`: what was ever paid on each bill, by its id."""
    if row.paid_here_cents is not None:
        return row.paid_here_cents
    return max(0, paid.get(row.bill_id, 0) - row.paid_before_cents)


def _standing(
    plan: PaymentPlan, lines: Sequence[Installment], rows: Sequence[PlanBill], paid: Mapping[int, int],
    waiting: Mapping[int, int],
) -> Standing:  # fmt: skip
    on_it = [row.bill for row in rows if row.removed_at is None]
    paid_cents = sum(paid_here(row, paid) for row in rows)
    on_its_way = {bill.pk: min(waiting.get(bill.pk, 0), max(0, bill.balance_cents)) for bill in on_it}
    parts = [Part(line.position, line.due_on, line.amount_cents) for line in lines]
    covered = spreading.covered(parts, paid_cents + sum(on_its_way.values()))
    return Standing(
        plan=plan,
        bills=tuple(on_it if plan.status == PaymentPlan.Status.ACTIVE else [row.bill for row in rows]),
        lines=tuple(Line(line, cents) for line, cents in zip(lines, covered, strict=True)),
        paid_cents=paid_cents,
        owed_cents=sum(max(0, bill.balance_cents) for bill in on_it),
        waiting=on_its_way,
        is_held=any(bill.held_since is not None for bill in on_it),
    )
