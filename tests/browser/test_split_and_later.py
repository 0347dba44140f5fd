"""In the browser: an HSA and a card share a bill; a payment is scheduled, changed and canceled."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from payments.models import Payment, PaymentMethod
from tests.browser.paying import look, pay, review, shoot, start, type_card
from tests.conftest import Cast
from tests.payments.pages import make_premium
from tests.payments.paying import balance, charges, make_bill
from tests.payments.test_scheduling import keep
from tests.stripe_sandbox.conftest import Server

Page = Callable[..., Any]


@pytest.fixture
def portal(site: str, provider: Server, settings: Settings) -> str:
    """The portal with its provider's webhooks arriving."""
    settings.PORTAL_URL = site
    provider.post("webhooks", url=f"{site}/webhooks/stripe/", secret=settings.STRIPE_WEBHOOK_SECRETS[0])
    return site


def test_an_hsa_and_a_card_share_a_bill(portal: str, real_cast: Cast, sign_in: Page) -> None:
    """One review, one receipt, two charges."""
    bill = make_bill(real_cast.maya, 18_500)
    hsa = keep(real_cast, bill, "pm_card_mastercard")
    PaymentMethod.objects.filter(pk=hsa.pk).update(label="hsa", brand="mastercard")
    page = sign_in(real_cast.alice.user)
    start(page, portal, bill, "185.00")
    page.get_by_role("link", name="Use two methods").click()
    look(page, "split")
    page.get_by_label("Amount for this method").fill("100.00")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/method/")
    assert page.get_by_label("Mastercard ending in").is_checked()
    look(page, "split-method-1")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("Method 2 of 2").wait_for()
    type_card(page)
    shoot(page, "split-method-2")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/review/")
    look(page, "split-review")
    pay(page, 18_500)
    page.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    look(page, "split-receipt")
    assert page.inner_text("main").count("Posted") >= 2
    assert sorted(charge.amount for charge in charges()) == [8_500, 10_000]
    assert balance(bill) == 0


def test_a_payment_is_scheduled_changed_and_canceled(portal: str, real_cast: Cast, sign_in: Page) -> None:
    bill = make_bill(real_cast.maya, 18_500)
    keep(real_cast, bill)
    page = sign_in(real_cast.alice.user)
    start(page, portal, bill)
    review(page)
    page.get_by_role("link", name="Pay on another day").click()
    look(page, "later")
    day = timezone.localdate() + dt.timedelta(days=5)
    page.get_by_label("Day").fill(day.isoformat())
    page.get_by_role("button", name="Schedule this payment").click()
    page.wait_for_url("**/schedule/")
    look(page, "scheduled")
    page.get_by_label("Day").fill((day + dt.timedelta(days=1)).isoformat())
    page.get_by_label("Amount for bill").fill("75.00")
    page.get_by_role("button", name="Save the changes").click()
    page.get_by_text("$75.00 with Visa").wait_for()
    payment = Payment.objects.get()
    assert (payment.amount_cents, payment.scheduled_on) == (7_500, day + dt.timedelta(days=1))
    page.goto(f"{portal}/payments/")
    look(page, "payments-scheduled")
    page.goto(f"{portal}/bills/{bill.number}/")
    assert "Scheduled" in page.inner_text("main")
    page.goto(f"{portal}/payments/{payment.number}/")
    page.get_by_role("button", name="Cancel this payment").click()
    page.get_by_text("The scheduled payment was canceled").wait_for()
    payment.refresh_from_db()
    assert payment.status == "canceled"
    assert charges() == []


def test_an_hsa_asks_which_exception_applies_without_script(portal: str, real_cast: Cast, sign_in: Page) -> None:
    """RULES section 2: the answer stands on the review."""
    premium = make_premium(real_cast)
    PaymentMethod.objects.filter(pk=keep(real_cast, premium).pk).update(label="hsa")
    page = sign_in(real_cast.alice.user, java_script_enabled=False)
    page.goto(f"{portal}/pay/?bill={premium.number}")
    page.get_by_role("button", name="Continue to payment method").click()
    page.get_by_label("Visa ending in").check()
    page.get_by_role("button", name="Review payment").click()
    page.get_by_text("Say which of them applies to you").wait_for()
    shoot(page, "premium-hsa")
    page.get_by_label("I am receiving unemployment benefits").check()
    page.get_by_label("Visa ending in").check()
    page.get_by_role("button", name="Review payment").click()
    page.wait_for_url("**/review/")
    assert "receiving unemployment benefits" in page.inner_text("main")
