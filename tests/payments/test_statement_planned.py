"""What statements and the calendar say is planned: what is open of plans, and charges on the days they will be made."""

import datetime as dt

import pytest
from django.utils import timezone

from accounts.visibility import scope_of
from bills import holds
from bills.models import Bill, Hold, Statement
from payments import monthly_statements, statement_reading
from payments.autopay import monthly
from payments.models import AutopayCharge, AutopayEnrollment, PaymentPlan
from payments.plans import pausing
from payments.statement_planned import Planned
from tests.conftest import Cast
from tests.factories import make_bill, make_payment
from tests.payments.autopay.making import announced, enrolled, in_days, make_card
from tests.payments.pages import signed_in, text_of
from tests.payments.plans.making import choice_of, make_plan, move_back


@pytest.fixture
def bill(cast: Cast) -> Bill:
    """$400.00, issued two months ago."""
    return make_bill(cast.alice, amount_cents=40_000, issued_on=in_days(-60))


@pytest.fixture
def plan(cast: Cast, bill: Bill) -> PaymentPlan:
    """Four times $100.00; the first was due eight days ago."""
    made = make_plan(cast.alice, [bill], choice_of(4))
    move_back(made, (made.installments.order_by("position")[0].due_on - in_days(-8)).days)
    return made


@pytest.fixture
def charge(cast: Cast, plan: PaymentPlan) -> AutopayCharge:
    """What autopay will take of it: the second instalment, in 22 days."""
    enrollment = AutopayEnrollment.objects.create(
        user=cast.alice.user, household=cast.household, covers="plan", plan=plan, method=make_card(cast.alice)
    )
    return AutopayCharge.objects.create(
        enrollment=enrollment, household=cast.household, installment=plan.installments.order_by("position")[1],
        amount_cents=10_000, due_on=in_days(22), charge_on=in_days(22), method=enrollment.method,
    )  # fmt: skip


def planned(bill: Bill) -> tuple[list[tuple[int, bool]], list[tuple[str, int]]]:
    """Of each instalment what is asked for and whether it was missed; of each charge the day and the amount."""
    found = Planned([bill.pk], timezone.localdate())
    asked = [(each["cents"], each["is_missed"]) for each in found.installments]
    return asked, [(each["on"], each["cents"]) for each in found.autopay]


def in_calendar(cast: Cast, kind: str) -> list[dt.date]:
    """The days of Alice's calendar of a year with something of this kind."""
    found = monthly.entries(scope_of(cast.alice.user), in_days(-200), in_days(200))
    return [entry.on for entry in found if entry.kind == kind]


def test_a_statement_names_what_was_missed_and_then_what_is_open_of_the_next(plan: PaymentPlan, bill: Bill) -> None:
    make_payment({bill: 4_000})
    assert planned(bill)[0] == [(6_000, True), (10_000, False)]
    make_payment({bill: 6_000 + 10_000 + 500})
    assert planned(bill)[0] == [(9_500, False)]
    make_payment({bill: 19_500})
    assert planned(bill)[0] == []


def test_a_statement_tells_of_a_plans_charges_and_is_read_so(cast: Cast, charge: AutopayCharge, bill: Bill) -> None:
    assert planned(bill)[1] == [(str(in_days(22)), 10_000)]
    month = (timezone.localdate().replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    monthly_statements.issue(month, on=timezone.localdate())
    read = statement_reading.read(Statement.objects.get(), scope_of(cast.alice.user))
    number = charge.installment.plan.number  # type: ignore[union-attr]
    assert [(each["plan"], each["cents"]) for each in read.autopay] == [(number, 10_000)]
    page = text_of(signed_in(cast.alice).get(f"/documents/statements/{read.statement.number}/"))
    assert f"Autopay of plan {number}: $100.00 on" in page and f"Plan {number}: $100.00 was due on" in page


@pytest.mark.parametrize("wait", ["hold", "pause"])
def test_of_a_plan_that_waits_neither_a_statement_nor_the_calendar_asks_anything(
    cast: Cast, charge: AutopayCharge, plan: PaymentPlan, bill: Bill, wait: str
) -> None:
    assert (len(in_calendar(cast, "due")), len(in_calendar(cast, "autopay"))) == (4, 1)
    if wait == "hold":
        holds.begin(bill, cause=Hold.Cause.ASSISTANCE, reference="application:5")
    else:
        pausing.for_hardship(plan, months=2, by=cast.alice.user)  # type: ignore[arg-type]
    assert planned(bill) == ([], [])
    assert in_calendar(cast, "due") == in_calendar(cast, "autopay") == []


def test_a_charge_lies_on_its_day_after_a_pause_and_on_none_while_it_waits(cast: Cast) -> None:
    charge = announced(enrolled(cast.alice), cast.alice)
    bill, enrollments = charge.bill, AutopayEnrollment.objects.filter(pk=charge.enrollment_id)
    assert bill is not None
    enrollments.update(status="paused", paused_until=in_days(40))
    for day in (12, -3):  # planned for a day of the pause, or for one that has gone by meanwhile
        AutopayCharge.objects.update(charge_on=in_days(day))
        assert planned(bill)[1] == [(str(in_days(40)), 18_500)]
        assert in_calendar(cast, "autopay") == [in_days(40)]
    until = monthly.entries(scope_of(cast.alice.user), in_days(-5), in_days(39))
    assert [entry.kind for entry in until] == ["due"]
    enrollments.update(status="suspended", paused_until=None, suspended_code="method_unusable")
    assert (planned(bill)[1], in_calendar(cast, "autopay")) == ([], [])
    enrollments.update(status="active", suspended_code="")
    AutopayCharge.objects.update(charge_on=in_days(12))
    holds.begin(bill, cause=Hold.Cause.REVIEW)
    assert (planned(bill)[1], in_calendar(cast, "autopay")) == ([], [])
