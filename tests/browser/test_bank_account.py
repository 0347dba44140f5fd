"""A bank account in the browser: added, pays, is on its way, posts; and one that needs small deposits."""

import time
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from allauth.account.internal.userkit import user_id_to_str
from django.conf import settings

from accounts.models import User
from payments import sweeping
from payments.models import Payment, PaymentMethod
from tests.browser.accessibility import assert_accessible
from tests.browser.paying import FRAME, choose_new, pay, review, shoot, start
from tests.conftest import Cast
from tests.payments.paying import balance, make_bill
from tests.stripe_sandbox.conftest import Server

ACCOUNT = "000123456789"


def prove(page: Any, user: User) -> None:
    """As if the password had been typed a moment ago; the page that asks for it has its own tests."""
    key = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == settings.SESSION_COOKIE_NAME)
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = user_id_to_str(user)
    session.save()


def type_account(page: Any, *, deposits: bool = False) -> None:
    """Type a bank account into the provider's frame."""
    frame = page.frame_locator(FRAME)
    frame.locator("#us_bank_account-tab").click()
    given = {
        "name": "Alice Rivera",
        "email": "alice@example.com",
        "routingNumber": "110000000",
        "accountNumber": ACCOUNT,
    }
    for name, value in given.items():
        frame.locator(f'[name="{name}"]').fill(value)
    if deposits:
        frame.locator("#verification-microdeposits").check()


def open_adding(page: Any, site: str, user: User) -> None:
    """The page on which a method is added."""
    prove(page, user)
    page.goto(f"{site}/payment-methods/")
    page.get_by_role("link", name="Add a card or bank account").click()
    page.frame_locator(FRAME).locator("#us_bank_account-tab").wait_for()


def test_an_account_is_added_pays_is_on_its_way_and_posts(
    site: str, provider: Server, real_cast: Cast, sign_in: Any
) -> None:
    """Issue 3, done when 1; M02: its digits go to the provider's host alone."""
    bill = make_bill(real_cast.maya, 18_500)
    page = sign_in(real_cast.alice.user)
    seen: list[str] = []
    page.on("request", lambda request: ACCOUNT in f"{request.url} {request.post_data}" and seen.append(request.url))
    open_adding(page, site, real_cast.alice.user)
    type_account(page)
    assert_accessible(page)
    shoot(page, "method-add")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Authorization to debit your bank account").wait_for()
    assert_accessible(page)
    shoot(page, "method-agree")
    page.get_by_role("button", name="Agree and add this account").click()
    page.get_by_text("was saved.").wait_for()
    assert_accessible(page)
    shoot(page, "methods")
    assert {urlsplit(url).netloc for url in seen} == {urlsplit(provider.url).netloc}

    page.goto(f"{site}/pay/?bill={bill.number}")
    page.get_by_label("Amount to pay").fill("185.00")
    page.get_by_role("button", name="Continue to payment method").click()
    page.wait_for_url("**/method/")
    page.get_by_label("STRIPE TEST BANK ending in 6789").check()
    review(page)
    assert page.get_by_text("up to 4 business days").count()
    pay(page, 18_500)
    page.get_by_text("Your payment is on its way").first.wait_for()
    assert_accessible(page)
    shoot(page, "payment-on-its-way")
    payment = Payment.objects.get()
    assert balance(bill) == 18_500
    page.goto(f"{site}/bills/{bill.number}/")
    assert page.get_by_text("on its way").count()

    provider.post("bank_debits/settle", payment_intent=payment.stripe_payment_intent_id)
    sweeping.refresh(payment)
    page.goto(f"{site}/payments/{payment.number}/")
    page.get_by_text("Your payment was received").first.wait_for()
    assert balance(bill) == 0


def test_an_account_that_needs_small_deposits_is_verified_by_their_amounts(
    site: str, provider: Server, real_cast: Cast, sign_in: Any
) -> None:
    """RULES 3.4: it waits, a wrong try is told, the right one makes it ready."""
    page = sign_in(real_cast.alice.user)
    open_adding(page, site, real_cast.alice.user)
    type_account(page, deposits=True)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Agree and add this account").click()
    page.get_by_role("heading", name="Verify").wait_for()
    assert_accessible(page)
    shoot(page, "method-verify")
    page.goto(f"{site}/payment-methods/")
    page.get_by_text("Two small deposits reach your account by").wait_for()
    shoot(page, "methods-pending")
    page.get_by_role("link", name="Verify").click()
    for amounts in (("1", "2"), ("32", "45")):
        page.get_by_label("First deposit").fill(amounts[0])
        page.get_by_label("Second deposit").fill(amounts[1])
        page.get_by_role("button", name="Verify the account").click()
        page.wait_for_load_state()
        if amounts == ("1", "2"):
            page.get_by_text("Tries left: 9").wait_for()
    page.get_by_text("is verified. You can pay with it.").wait_for()
    assert PaymentMethod.objects.get().is_ready


def test_a_new_account_pays_once_with_its_authorization_on_the_review(
    site: str, provider: Server, real_cast: Cast, sign_in: Any
) -> None:
    """D28: the words stand above the button; only instant verification is offered."""
    bill = make_bill(real_cast.maya, 5_000)
    page = sign_in(real_cast.alice.user)
    start(page, site, bill)
    choose_new(page)
    type_account(page)
    assert page.frame_locator(FRAME).locator("#verification-microdeposits").count() == 0
    review(page)
    page.get_by_text("you authorize").wait_for()
    assert_accessible(page)
    shoot(page, "review-bank")
    pay(page)
    page.get_by_text("Your payment is on its way").first.wait_for()
    assert Payment.objects.get().mandate.text


def test_an_apple_pay_sheet_that_was_closed_leaves_nothing_behind(
    site: str, provider: Server, real_cast: Cast, sign_in: Any
) -> None:
    """B31: no attempt is left hanging, and another way can be chosen."""
    bill = make_bill(real_cast.maya, 5_000)
    page = sign_in(real_cast.alice.user)
    start(page, site, bill)
    choose_new(page)
    page.frame_locator(FRAME).locator("#apple_pay-tab").click()
    page.get_by_role("button", name="Review payment").click()
    page.locator("[data-problem]:not([hidden])").wait_for()
    assert Payment.objects.get().status == "draft"
    page.frame_locator(FRAME).locator("#apple-pay-button").click()
    page.get_by_role("button", name="Review payment").click()
    page.wait_for_url("**/review/")
    assert page.get_by_text("Apple Pay").count()
