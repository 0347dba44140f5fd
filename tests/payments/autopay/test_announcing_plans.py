"""Autopay of a payment plan from the offer on its page to the charge of an instalment; nobody else's plan."""

import datetime as dt

import pytest
from django.utils import timezone

from activity.models import Event
from payments.autopay import announcing
from payments.models import AutopayCharge, AutopayEnrollment, Installment, PaymentPlan
from tests.conftest import Cast
from tests.factories import make_bill
from tests.payments.adding import proved
from tests.payments.autopay.making import make_card
from tests.payments.autopay.scene import charged, in_days, save_card, stands
from tests.payments.autopay.test_pages import turned_on
from tests.payments.pages import signed_in, text_of
from tests.payments.paying import charges
from tests.payments.plans.making import make_plan
from tests.stripe_sandbox.conftest import Server


def first_line(plan: PaymentPlan) -> Installment:
    return Installment.objects.standing().filter(plan=plan)[0]


@pytest.fixture
def plan(cast: Cast) -> PaymentPlan:
    """Alice's plan of one of Maya's bills in four instalments, the first due in twenty days."""
    made = make_plan(cast.alice, [make_bill(cast.maya, amount_cents=40_000)])
    Installment.objects.filter(pk=first_line(made).pk).update(due_on=in_days(20))
    Installment.objects.filter(plan=made, position__gt=first_line(made).position).update(due_on=in_days(70))
    return made


@pytest.fixture
def enrollment(cast: Cast, plan: PaymentPlan) -> AutopayEnrollment:
    """Alice's autopay of it, on the due date."""
    return AutopayEnrollment.objects.create(
        user=cast.alice.user, household=cast.household, covers="plan", plan=plan, method=make_card(cast.alice)
    )


def only() -> AutopayCharge:
    return AutopayCharge.objects.get()


def test_from_the_plans_page_to_the_charge_of_an_instalment(real_cast: Cast, provider: Server) -> None:
    plan = make_plan(real_cast.alice, [make_bill(real_cast.maya, amount_cents=40_000)])
    line = first_line(plan)
    Installment.objects.filter(pk=line.pk).update(due_on=in_days(20))
    card, alice = save_card(real_cast.alice), proved(real_cast.alice)
    page = alice.get(f"/plans/{plan.number}/").content.decode()
    assert f"/autopay/terms/?for=plan-{plan.pk}" in page and "does not depend on it" in page
    turned_on(alice, f"plan-{plan.pk}", method=card.pk, day_rule="on_due")
    enrollment = AutopayEnrollment.objects.get()
    assert (enrollment.plan, enrollment.household) == (plan, real_cast.household)
    assert plan.number in enrollment.consents.get().text
    assert f"/autopay/{enrollment.pk}/" in alice.get(f"/plans/{plan.number}/").content.decode()
    announcing.run()
    charge = AutopayCharge.objects.get(installment=line)
    assert (charge.amount_cents, charge.charge_on) == (line.amount_cents, in_days(20))
    assert plan.number in text_of(alice.get("/autopay/")) and plan.number in text_of(
        alice.get(f"/autopay/charges/{charge.pk}/")
    )
    charged(in_days(20))
    assert stands(charge) == ("done", "")
    assert [made.amount for made in charges()] == [line.amount_cents]


def test_a_strangers_and_an_adult_dependants_plan_is_not_found(cast: Cast, plan: PaymentPlan) -> None:
    bobs = make_plan(cast.bob, [make_bill(cast.bob, amount_cents=40_000)])
    for member, other in ((cast.charlie, plan), (cast.bob, plan), (cast.alice, bobs)):
        assert signed_in(member).get(f"/autopay/terms/?for=plan-{other.pk}").status_code == 404


def test_a_plan_that_has_ended_is_not_offered(cast: Cast, plan: PaymentPlan) -> None:
    PaymentPlan.objects.update(status="ended", ended_at=timezone.now(), ended_code="member")
    assert signed_in(cast.alice).get(f"/autopay/terms/?for=plan-{plan.pk}").status_code == 404
    assert "for=plan" not in signed_in(cast.alice).get(f"/plans/{plan.number}/").content.decode()


def test_an_instalment_is_announced_once(plan: PaymentPlan, enrollment: AutopayEnrollment) -> None:
    assert announcing.run().announced == 1
    assert announcing.run() == announcing.Summary()
    charge, line = only(), first_line(plan)
    assert (charge.installment, charge.amount_cents, charge.charge_on) == (line, line.amount_cents, in_days(20))
    event = Event.objects.get(kind="autopay.announced")
    assert event.data == {"charge_id": charge.pk, "enrollment_id": enrollment.pk}


def test_notice_is_ten_days_and_above_the_limit_it_asks(plan: PaymentPlan, enrollment: AutopayEnrollment) -> None:
    Installment.objects.filter(pk=first_line(plan).pk).update(due_on=in_days(4))
    AutopayEnrollment.objects.update(limit_cents=100)
    announcing.run()
    assert (only().status, only().charge_on) == ("asked", in_days(10))
    announcing.run(today=in_days(25))
    first = AutopayCharge.objects.earliest("due_on")
    assert (first.status, first.charge_on) == ("asked", in_days(10)), "not asked about again"


@pytest.mark.parametrize("state", ["paused", "suspended", "plan paused", "due before"])
def test_nothing_is_announced_while_it_is_still(plan: PaymentPlan, enrollment: AutopayEnrollment, state: str) -> None:
    if state == "paused":
        AutopayEnrollment.objects.update(status="paused", paused_until=in_days(3))
    elif state == "suspended":
        AutopayEnrollment.objects.update(status="suspended", suspended_code="method_unusable")
    elif state == "plan paused":
        PaymentPlan.objects.update(paused_from=in_days(0), paused_until=in_days(30), pause_reason="hardship")
    else:
        Installment.objects.filter(pk=first_line(plan).pk).update(due_on=in_days(-1))
    assert announcing.run() == announcing.Summary()


def test_a_plan_that_was_spread_anew_is_announced_anew(plan: PaymentPlan, enrollment: AutopayEnrollment) -> None:
    announcing.run()
    old = first_line(plan)
    Installment.objects.filter(pk=old.pk).update(superseded_at=timezone.now())
    new = Installment.objects.create(
        plan=plan, position=old.position, due_on=in_days(25), amount_cents=old.amount_cents
    )
    assert announcing.run() == announcing.Summary(announced=1, closed=1)
    assert stands(AutopayCharge.objects.get(installment=old)) == ("not_needed", "void")
    assert stands(AutopayCharge.objects.get(installment=new)) == ("announced", "")


def test_a_day_that_went_by_is_announced_anew(plan: PaymentPlan, enrollment: AutopayEnrollment) -> None:
    announcing.run()
    later: dt.date = in_days(40)
    assert announcing.run(today=later).changed == 1
    assert AutopayCharge.objects.earliest("due_on").charge_on == later + dt.timedelta(days=10)


def test_autopay_ends_with_a_plan_that_has_ended_unpaid(plan: PaymentPlan, enrollment: AutopayEnrollment) -> None:
    announcing.run()
    PaymentPlan.objects.update(status="ended", ended_at=timezone.now(), ended_code="member")
    announcing.run()
    enrollment.refresh_from_db()
    assert (enrollment.status, enrollment.ended_code) == ("ended", "plan_over")
    assert stands(only()) == ("not_needed", "off")
