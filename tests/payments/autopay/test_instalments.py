"""Autopay of a payment plan: its instalments, each once, split over the plan's bills, and never what was paid ahead."""

import datetime as dt

import pytest
from django.utils import timezone

from accounts.visibility import scope_of
from bills import holds
from bills.models import Hold
from payments import checkout
from payments.autopay import announcing
from payments.models import AutopayCharge, AutopayEnrollment, Installment, Payment, PaymentPlan
from tests.conftest import Cast
from tests.factories import make_bill
from tests.payments.autopay.scene import charged, in_days, save_card, stands
from tests.payments.paying import balance, charges, token
from tests.payments.plans.making import make_plan
from tests.stripe_sandbox.conftest import Server


@pytest.fixture
def plan(real_cast: Cast, provider: Server) -> PaymentPlan:
    """Alice's plan of two of Maya's bills, in four instalments."""
    bills = [make_bill(real_cast.maya, amount_cents=20_000 + number, due_on=in_days(20)) for number in range(2)]
    return make_plan(real_cast.alice, bills)


@pytest.fixture
def queued(real_cast: Cast, plan: PaymentPlan) -> list[AutopayCharge]:
    """Its first two instalments, due on one day."""
    enrollment = AutopayEnrollment.objects.create(
        user=real_cast.alice.user, household=real_cast.household, covers="plan", plan=plan,
        method=save_card(real_cast.alice),
    )  # fmt: skip
    lines = Installment.objects.standing().filter(plan=plan).order_by("position")[:2]
    return [
        AutopayCharge.objects.create(
            enrollment=enrollment, household=real_cast.household, installment=line, amount_cents=line.amount_cents,
            due_on=line.due_on, charge_on=dt.date(2027, 1, 15), method=enrollment.method,
        )
        for line in lines
    ]  # fmt: skip


def run() -> None:
    charged(dt.date(2027, 1, 15))


def test_instalments_are_charged_once_each_and_split_over_the_bills(
    plan: PaymentPlan, queued: list[AutopayCharge]
) -> None:
    """FAULTS E16: two of one plan at once are never allocated to the same cents."""
    run()
    run()
    assert [stands(charge) for charge in queued] == [("done", "")] * 2
    wanted = sum(charge.amount_cents for charge in queued)
    assert sum(made.amount for made in charges()) == wanted and len(charges()) == 2
    assert set(Payment.objects.values_list("channel", flat=True)) == {"plan"}
    left = sum(balance(row.bill) for row in plan.plan_bills.all())
    assert left == 40_001 - wanted


def test_what_was_paid_ahead_by_hand_is_not_charged_again(
    real_cast: Cast, plan: PaymentPlan, queued: list[AutopayCharge]
) -> None:
    """FAULTS A05: all of the first instalment and part of the second."""
    bill = plan.plan_bills.order_by("pk")[0].bill
    user = real_cast.alice.user
    ahead = queued[0].amount_cents + 1_000
    draft = checkout.begin(scope_of(user), payer=user, amounts={bill.number: ahead})
    checkout.confirm(checkout.choose(draft, confirmation_token=token("pm_card_visa")))
    run()
    assert stands(queued[0]) == ("not_needed", "paid_meanwhile")
    assert stands(queued[1]) == ("done", "")
    assert queued[1].payment.amount_cents == queued[1].amount_cents - 1_000


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"status": "ended", "ended_at": timezone.now(), "ended_code": "member"}, ("not_needed", "void")),
        (
            {"paused_from": in_days(0), "paused_until": in_days(30), "pause_reason": "hardship"},
            ("announced", ""),
        ),
    ],
    ids=["ended", "paused"],
)  # fmt: skip
def test_a_plan_that_has_ended_or_is_paused_is_not_charged(
    plan: PaymentPlan, queued: list[AutopayCharge], change: dict[str, object], state: tuple[str, str]
) -> None:
    PaymentPlan.objects.filter(pk=plan.pk).update(**change)
    run()
    assert charges() == []
    assert stands(queued[0]) == state


def test_nothing_of_a_plan_is_charged_from_the_moment_that_a_bill_of_it_is_held(
    plan: PaymentPlan, queued: list[AutopayCharge]
) -> None:
    """Not even of its other bills, before the daily look has written the pause; nor is more announced."""
    holds.begin(plan.plan_bills.order_by("pk")[0].bill, cause=Hold.Cause.ASSISTANCE, reference="application:5")
    announcing.run()
    assert AutopayCharge.objects.count() == len(queued)
    run()
    assert charges() == []
    assert [stands(charge) for charge in queued] == [("announced", "")] * 2


def test_an_instalment_that_was_replaced_is_not_charged(plan: PaymentPlan, queued: list[AutopayCharge]) -> None:
    Installment.objects.filter(pk=queued[0].installment_id).update(superseded_at=plan.created_at)
    run()
    assert stands(queued[0]) == ("not_needed", "void")
    assert len(charges()) == 1
