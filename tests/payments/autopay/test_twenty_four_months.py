"""24 months of premiums by autopay: each charged exactly once, none skipped, none early, by a calendar of its own.

The clock is moved from day to day; the book, the run and the provider are real. What each day must bring is worked out
here from the rules as written down (RULES sections 3.1 and 11), with the Federal Reserve's own list of holidays.
"""

import calendar
import datetime as dt
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Coverage
from bills import premiums
from bills.models import Bill
from payments import sweeping
from payments.autopay import announcing, running
from payments.models import AutopayCharge, AutopayEnrollment, Payment
from tests.conftest import Cast
from tests.factories import make_coverage
from tests.payments.autopay.scene import save_bank, save_card
from tests.payments.paying import drifting_accounts, trial_balance
from tests.provider import provider, provider_process  # noqa: F401
from tests.stripe_sandbox.conftest import Server

PACIFIC = ZoneInfo("America/Los_Angeles")
FIRST, LAST = dt.date(2026, 12, 8), dt.date(2028, 12, 6)
# federalreserve.gov/aboutthefed/k8.htm: days on which the banks are closed, weekends aside.
CLOSED = {
    dt.date(2026, 12, 25), dt.date(2027, 1, 1), dt.date(2027, 1, 18), dt.date(2027, 2, 15), dt.date(2027, 5, 31),
    dt.date(2027, 7, 5), dt.date(2027, 9, 6), dt.date(2027, 10, 11), dt.date(2027, 11, 11), dt.date(2027, 11, 25),
    dt.date(2028, 1, 17), dt.date(2028, 2, 21), dt.date(2028, 5, 29), dt.date(2028, 6, 19), dt.date(2028, 7, 4),
    dt.date(2028, 9, 4), dt.date(2028, 10, 9), dt.date(2028, 11, 23), dt.date(2028, 12, 25),
}  # fmt: skip
CLOCK_CHANGES = {dt.date(2027, 3, 14), dt.date(2027, 11, 7), dt.date(2028, 3, 12), dt.date(2028, 11, 5)}
# Of one coverage the premium changes from this month on: its first bill of the new amount needs ten days' notice.
DEARER_FROM = dt.date(2027, 9, 1)


@dataclass
class Way:
    """One way to pay a premium, and when each month's was charged."""

    name: str
    terms: dict[str, object]
    is_bank: bool = False
    gets_dearer: bool = False
    charged: dict[dt.date, list[dt.date]] = field(default_factory=dict)

    def expected(self, due: dt.date, *, notice_days: int) -> dt.date:
        """The day on which the premium due on the first of a month must be charged; its bill went out on the 10th."""
        before = due - dt.timedelta(days=1)
        noticed = before.replace(day=10) + dt.timedelta(days=notice_days)
        wanted = due
        if "days_before" in self.terms:
            wanted = due - dt.timedelta(days=int(str(self.terms["days_before"])))
        elif "day_of_month" in self.terms and self.terms["day_of_month"] != 1:
            length = calendar.monthrange(before.year, before.month)[1]
            wanted = before.replace(day=min(int(str(self.terms["day_of_month"])), length))
        if wanted < noticed:
            wanted = max(due, noticed)
        while self.is_bank and (wanted.weekday() >= 5 or wanted in CLOSED):
            wanted += dt.timedelta(days=1)
        return wanted


WAYS = [
    Way("on the due date", {}),
    Way("five days before", {"day_rule": "days_before", "days_before": 5}, gets_dearer=True),
    Way("eighteen days before", {"day_rule": "days_before", "days_before": 18}),
    Way("the first", {"day_rule": "day_of_month", "day_of_month": 1}),
    Way("the 15th", {"day_rule": "day_of_month", "day_of_month": 15}, gets_dearer=True),
    Way("the 29th", {"day_rule": "day_of_month", "day_of_month": 29}),
    Way("the 31st", {"day_rule": "day_of_month", "day_of_month": 31}),
    Way("by bank on the due date", {}, is_bank=True),
    Way("by bank on the 31st", {"day_rule": "day_of_month", "day_of_month": 31}, is_bank=True),
]


def moments(day: dt.date) -> list[dt.datetime]:
    """When the schedule fires on a day, as far as it matters: just after midnight, and at the hours that change."""
    hours = [(0, 40), (9, 0)] if day not in CLOCK_CHANGES else [(0, 40), (1, 30), (2, 30), (3, 30), (9, 0)]
    local = [dt.datetime.combine(day, dt.time(*hour), PACIFIC) for hour in hours]
    if day in CLOCK_CHANGES:  # in November 1:30 comes twice
        local.insert(2, dt.datetime.combine(day, dt.time(1, 30), PACIFIC).replace(fold=1))
    return [moment.astimezone(dt.UTC) for moment in local]


@pytest.mark.slow
def test_each_premium_of_24_months_is_charged_once_on_its_day(
    real_cast: Cast,
    provider: Server,  # noqa: F811
    settings: Settings,
) -> None:
    """FAULTS E15, E21 to E24, E26, E27: month ends, a leap day, both clock changes, weekends, holidays, new years."""
    settings.AUTOPAY_PER_SECOND = 500
    enrollments: dict[int, Way] = {}
    coverages: dict[int, Coverage] = {}
    card, bank = save_card(real_cast.alice), save_bank(real_cast.alice)
    for way in WAYS:
        coverage = make_coverage(real_cast.alice, premium_cents=41_000, start_on=dt.date(2027, 1, 1))
        enrollment = AutopayEnrollment.objects.create(
            user=real_cast.alice.user, household=real_cast.household, covers="premium", coverage=coverage,
            method=bank if way.is_bank else card, **way.terms,
        )  # fmt: skip
        enrollments[enrollment.pk], coverages[enrollment.pk] = way, coverage
    AutopayEnrollment.objects.update(created_at=dt.datetime(2026, 12, 1, tzinfo=dt.UTC))
    day = FIRST
    while day <= LAST:
        for moment in moments(day):
            with time_machine.travel(moment):
                _fire(day, coverages, enrollments)
        day += dt.timedelta(days=1)
        if day.day == 28:
            _settle(provider, day)
    _settle(provider, LAST)
    _judge(enrollments, provider)


def _fire(day: dt.date, coverages: dict[int, Coverage], enrollments: dict[int, Way]) -> None:
    """What the schedule does at a moment of the day."""
    if day.day == 10 and timezone.localtime().hour == 9:
        due = (day.replace(day=1) + dt.timedelta(days=31)).replace(day=1)
        if due == DEARER_FROM:
            for pk, way in enrollments.items():
                if way.gets_dearer:
                    Coverage.objects.filter(pk=coverages[pk].pk).update(premium_cents=43_500)
        premiums.issue_month(due)
        announcing.run()
        announcing.run()
    running.run()


def _settle(provider: Server, day: dt.date) -> None:  # noqa: F811
    """Days later the bank says that the debits went through."""
    provider.post("clock/advance", seconds=7 * 86_400)
    with time_machine.travel(dt.datetime.combine(day, dt.time(20), PACIFIC)):
        while sweeping.run(limit=50):
            pass


def _judge(enrollments: dict[int, Way], provider: Server) -> None:  # noqa: F811
    """Hold what happened against the calendar of this file."""
    for charge in AutopayCharge.objects.select_related("payment", "bill"):
        assert charge.status == "done" and charge.payment is not None, charge.due_on
        on = timezone.localdate(charge.payment.submitted_at)
        assert charge.payment.effective_on == on
        enrollments[charge.enrollment_id].charged.setdefault(charge.due_on, []).append(on)
    months = [dt.date(year, month, 1) for year in (2027, 2028) for month in range(1, 13)]
    for way in WAYS:
        notice = {
            due: 10 if due == months[0] or (way.gets_dearer and due == DEARER_FROM) else 3 for due in months
        }  # fmt: skip
        wanted = {due: [way.expected(due, notice_days=notice[due])] for due in months}
        assert way.charged == wanted, way.name
    assert Payment.objects.count() == len(WAYS) * len(months) == provider.get("totals")["charges"]
    assert not Bill.objects.filter(receivable__balance_cents__gt=0).exists()
    assert drifting_accounts() == [] and trial_balance() == 0
