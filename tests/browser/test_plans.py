"""In the browser: a plan from its offer to its last instalment, the time between moved; its agreement opens."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from payments.models import Installment, PaymentPlan
from payments.plans import standing, watching
from payments.plans.standing import State
from tests.browser.paying import look, pay, shoot
from tests.conftest import Cast
from tests.payments.paying import balance, make_bill
from tests.payments.plans.making import choice_of, make_plan, move_back, today
from tests.payments.test_scheduling import keep
from tests.stripe_sandbox.conftest import Server

Page = Callable[..., Any]


@pytest.fixture
def portal(site: str, provider: Server, settings: Settings) -> str:
    """The portal with its provider's webhooks arriving."""
    settings.PORTAL_URL = site
    provider.post("webhooks", url=f"{site}/webhooks/stripe/", secret=settings.STRIPE_WEBHOOK_SECRETS[0])
    return site


def test_a_plan_from_its_offer_to_the_last_instalment(portal: str, real_cast: Cast, sign_in: Page) -> None:
    bill = make_bill(real_cast.maya, 30_000)
    keep(real_cast, bill, "pm_card_visa")
    page = sign_in(real_cast.alice.user)
    plan = set_up(page, portal, bill.number)
    for number in range(3):
        until = Installment.objects.standing().get(plan=plan, position=number + 1).due_on
        move_back(plan, (until - today()).days)
        watching.run()
        page.goto(f"{portal}/plans/{plan.number}/")
        page.get_by_role("heading", name="Due now").wait_for()
        if number == 0:
            look(page, "plan-due")
        page.get_by_role("button", name="Continue to payment").click()
        page.wait_for_url("**/review/")
        pay(page, 10_000)
        page.get_by_text("Posted").first.wait_for()
    watching.run()
    assert standing.of(PaymentPlan.objects.get()).state() is State.PAID_OFF
    assert balance(bill) == 0
    page.goto(f"{portal}/plans/{plan.number}/")
    page.get_by_role("heading", name="Paid off").wait_for()
    look(page, "plan-paid-off")


def set_up(page: Any, portal: str, number: str) -> PaymentPlan:
    """From the page of the bill to the signature; the agreement opens as a document."""
    page.goto(f"{portal}/bills/{number}/")
    page.get_by_role("link", name="Pay over time").click()
    look(page, "plan-bills")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("3 payments of about $100.00").check()
    page.get_by_label("How you mean to pay").select_option(index=1)
    look(page, "plan-terms")
    page.get_by_role("button", name="See the schedule").click()
    page.get_by_text("Section 1785.27 of the Civil Code").wait_for()
    look(page, "plan-sign")
    page.get_by_role("button", name="Agree and sign").click()
    page.get_by_text("Please look at this again").wait_for()
    page.get_by_label("I have read this agreement").check()
    page.get_by_label("Type your full name to sign").fill("Alice Rivera")
    page.get_by_role("button", name="Agree and sign").click()
    page.get_by_text("Your payment plan is set up").wait_for()
    look(page, "plan")
    plan = PaymentPlan.objects.get()
    opened = page.request.get(f"{portal}/plans/agreements/{plan.agreements.get().pk}/")
    assert opened.status == 200 and opened.body().startswith(b"%PDF")
    return plan


def test_the_pages_in_spanish_and_what_is_changed(portal: str, real_cast: Cast, sign_in: Page) -> None:
    bill = make_bill(real_cast.maya, 30_000)
    make_bill(real_cast.alice, 20_000)
    page = sign_in(real_cast.alice.user)
    plan = make_plan(real_cast.alice, [bill], choice_of(3))
    for name in ("", "change/", "add/", "end/"):
        page.goto(f"{portal}/plans/{plan.number}/{name}")
        look(page, f"own-{name.strip('/') or 'own'}")
    spanish = sign_in(real_cast.alice.user, language="es")
    spanish.goto(f"{portal}/plans/{plan.number}/")
    shoot(spanish, "plan-es")
    assert "Su plan de pagos" in spanish.inner_text("main")
