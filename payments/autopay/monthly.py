"""Due dates and autopay days of a stretch of time, and a month of them as weeks: the calendar, and the feed."""

import calendar
import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.visibility import Scope
from bills import naming as bill_naming
from bills.banking_days import is_banking_day
from bills.models import Bill
from payments.autopay import days, listing, naming
from payments.models import AutopayCharge, PaymentPlan
from payments.plans import standing

MOST_ENTRIES, MOST_PLANS = 400, 20
SUNDAY_FIRST = calendar.Calendar(firstweekday=6)
DUE, AUTOPAY = "due", "autopay"


@dataclass(frozen=True, slots=True)
class Entry:
    """Something of a day: a due date, or a charge of autopay. `amount_cents`: what is owed or charged."""

    on: dt.date
    kind: str
    name: str  # names it for good, e.g. `bill:7F3K-2201`: for the feed
    title: str
    amount_cents: int
    href: str


@dataclass(frozen=True, slots=True)
class Day:
    """One square of the month."""

    on: dt.date
    is_outside: bool
    is_today: bool
    is_closed: bool  # banks take no debits
    entries: tuple[Entry, ...]


def entries(scope: Scope, first: dt.date, last: dt.date) -> list[Entry]:
    """Due dates of what is owed and charges that are to come, in these days, by day."""
    found = [*_due_bills(scope, first, last), *_due_parts(scope, first, last), *_charges(scope, first, last)]
    return sorted(found, key=lambda entry: (entry.on, entry.kind, entry.name))[:MOST_ENTRIES]


def weeks(year: int, month: int, found: Sequence[Entry]) -> list[tuple[Day, ...]]:
    """A month as weeks from Sunday to Saturday, with what happens on each day."""
    by_day = defaultdict(list)
    for entry in found:
        by_day[entry.on].append(entry)
    today = timezone.localdate()
    squares = [
        Day(on, on.month != month, on == today, not is_banking_day(on), tuple(by_day.get(on, ())))
        for on in SUNDAY_FIRST.itermonthdates(year, month)
    ]
    return [tuple(squares[start : start + 7]) for start in range(0, len(squares), 7)]


def _due_bills(scope: Scope, first: dt.date, last: dt.date) -> list[Entry]:
    owed = (
        Bill.objects.visible_to(scope).owed()
        .filter(due_on__range=(first, last), voided_at=None, held_since=None, on_plan_since=None)
        .select_related("coverage__plan")
    )  # fmt: skip
    return [
        Entry(bill.due_on, DUE, f"bill:{bill.number}", bill_naming.title_of(bill, scope), bill.balance_cents,
              reverse("bill", args=[bill.number]))
        for bill in owed[:MOST_ENTRIES]
    ]  # fmt: skip


def _due_parts(scope: Scope, first: dt.date, last: dt.date) -> list[Entry]:
    """What is not paid yet of the instalments of the viewer's own plans; of one that waits nothing is due."""
    plans = list(PaymentPlan.objects.owned_by(scope).running().select_related("policy").order_by("-pk")[:MOST_PLANS])
    titles = naming.plan_titles(plans, scope)
    return [
        Entry(line.installment.due_on, DUE, f"instalment:{line.installment.pk}", titles[where.plan.pk],
              line.open_cents, reverse("plan", args=[where.plan.number]))
        for where in (standing.of_many(plans) if plans else ())
        for line in (() if where.is_waiting else where.open_lines)
        if first <= line.installment.due_on <= last
    ]  # fmt: skip


def _charges(scope: Scope, first: dt.date, last: dt.date) -> list[Entry]:
    """On the days on which they are or were made: while autopay is paused, not before the pause ends."""
    shown = (*listing.WAITING, AutopayCharge.Status.QUEUED, AutopayCharge.Status.SENT, AutopayCharge.Status.DONE)
    # What nobody said yes to by its day was not charged on it.
    unanswered = Q(status=AutopayCharge.Status.ASKED, charge_on__lt=days.first_day())
    in_time = Q(charge_on__gte=first) | Q(status__in=listing.WAITING, enrollment__paused_until__gte=first)
    found = listing.charges(scope).on_course().filter(~unanswered, in_time, status__in=shown, charge_on__lte=last)
    found = found.order_by("charge_on", "pk")
    return [
        Entry(row.day, AUTOPAY, f"autopay:{row.charge.pk}", row.title, row.charge.amount_cents,
              reverse("autopay_charge", args=[row.charge.pk]))
        for row in listing.rows(found[:MOST_ENTRIES], scope) if first <= row.day <= last
    ]  # fmt: skip
