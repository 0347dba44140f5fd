"""In the browser: autopay from its words to the receipt; a charge skipped; a declined card that recovers."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from bills.models import Bill
from notifications import notices, sending
from payments.autopay import announcing, running
from payments.models import AutopayCharge, AutopayConsent, Payment
from tests.browser.paying import look, shoot
from tests.browser.test_bank_account import prove
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage
from tests.payments.autopay.scene import enroll, save_card
from tests.payments.paying import balance, charges
from tests.smtp import Mailbox, bodies
from tests.stripe_sandbox.conftest import Server

Page = Callable[..., Any]


def in_days(days: int) -> dt.date:
    return timezone.localdate() + dt.timedelta(days=days)


@pytest.fixture
def portal(site: str, provider: Server, settings: Settings) -> str:
    """The portal with its provider's webhooks arriving."""
    settings.PORTAL_URL = site
    provider.post("webhooks", url=f"{site}/webhooks/stripe/", secret=settings.STRIPE_WEBHOOK_SECRETS[0])
    return site


def tell(mailbox: Mailbox) -> None:
    """Make and send the notices that wait."""
    notices.make()
    sending.send_waiting()


def mailed(mailbox: Mailbox, subject: str) -> str:
    """The text of the one mail of this subject."""
    (found,) = (mail for mail, named in zip(mailbox.taken, mailbox.subjects(), strict=True) if subject in named)
    return bodies(found)[0]


def due(bill: Bill) -> AutopayCharge:
    """The charge of a bill that is to come."""
    return AutopayCharge.objects.filter(bill=bill).latest("attempt")


def test_from_the_words_to_the_receipt(
    portal: str, real_cast: Cast, sign_in: Page, mailbox: Mailbox, settings: Settings
) -> None:
    """Turned on without script; announced with amount and date; charged on its day; the receipt."""
    save_card(real_cast.alice)
    make_coverage(real_cast.alice, real_cast.maya)
    bill = make_bill(real_cast.maya, due_on=in_days(20))
    page = sign_in(real_cast.alice.user, java_script_enabled=False)
    prove(page, real_cast.alice.user)
    page.goto(f"{portal}/autopay/")
    shoot(page, "autopay-empty")
    page.get_by_role("article").filter(has_text="Medical bills").get_by_role("link", name="Turn on autopay").click()
    page.get_by_label("Visa ending in 4242").check()
    page.get_by_label("Some days before the due date").check()
    page.get_by_role("spinbutton", name="Days before the due date").fill("4")
    shoot(page, "autopay-how")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/autopay/review/")
    shoot(page, "autopay-review")
    words = page.locator("#consent").inner_text()
    assert "3 business days" in words and "tell your bank" in words
    page.get_by_role("button", name="Agree").click()
    page.get_by_text("Autopay is on.").wait_for()
    shoot(page, "autopay-enrollment")
    assert AutopayConsent.objects.get().text.split("\n\n")[0] in words
    announcing.run()
    tell(mailbox)
    assert "$185.00" in mailed(mailbox, "An automatic payment is planned")
    assert words.splitlines()[2] in mailed(mailbox, "Autopay is on")
    page.goto(f"{portal}/notifications/")
    page.get_by_role("link", name="An automatic payment is planned").click()
    page.get_by_role("heading", name="Where it stands").wait_for()
    shoot(page, "autopay-charge")
    page.goto(f"{portal}/bills/{bill.number}/")
    assert f"Autopay on {in_days(16):%b} {in_days(16).day}" in page.inner_text("main")
    assert running.run(today=in_days(15)).done == 0
    assert running.run(today=in_days(16)).done == 1
    tell(mailbox)
    assert mailed(mailbox, "Your payment receipt")
    page.goto(f"{portal}/autopay/charges/{due(bill).pk}/")
    page.get_by_role("link", name="See the payment").click()
    assert "$185.00" in page.inner_text("main") and "Posted" in page.inner_text("main")
    assert (balance(bill), [charge.amount for charge in charges()]) == (0, [18_500])


def test_one_is_skipped_and_the_next_is_charged(portal: str, real_cast: Cast, sign_in: Page) -> None:
    card = save_card(real_cast.alice)
    enroll(real_cast.alice, card, people=(real_cast.alice, real_cast.maya))
    first, second = (make_bill(real_cast.maya, due_on=in_days(days)) for days in (14, 20))
    announcing.run()
    page = sign_in(real_cast.alice.user)
    prove(page, real_cast.alice.user)
    page.goto(f"{portal}/autopay/")
    look(page, "autopay")
    page.goto(f"{portal}/autopay/calendar/?month={in_days(14):%Y-%m}")
    look(page, "autopay-calendar")
    page.goto(f"{portal}/autopay/charges/{due(first).pk}/")
    look(page, "autopay-charge-open")
    page.get_by_role("button", name="Skip this payment").click()
    page.get_by_text("This payment is skipped.").wait_for()
    look(page, "autopay-skipped")
    running.run(today=in_days(14))
    running.run(today=in_days(20))
    assert (due(first).status, due(second).status) == ("skipped", "done")
    assert (balance(first), balance(second)) == (18_500, 0)
    page.goto(f"{portal}/autopay/")
    assert "What it was for stays owed." in page.inner_text("main")


def test_a_declined_card_is_told_of_changed_and_tried_again(
    portal: str, real_cast: Cast, sign_in: Page, mailbox: Mailbox
) -> None:
    """In Spanish: what happened, when the next try is, another card, and the recovery."""
    bad, good = save_card(real_cast.alice, "pm_card_chargeCustomerFail"), save_card(real_cast.alice)
    enroll(real_cast.alice, bad, people=(real_cast.alice, real_cast.maya))
    bill = make_bill(real_cast.maya, due_on=in_days(12))
    announcing.run()
    assert running.run(today=in_days(12)).failed == 1
    tell(mailbox)
    assert "We try again on" in mailed(mailbox, "An automatic payment did not go through")
    failed, retry = AutopayCharge.objects.order_by("attempt")
    assert (failed.status, retry.status, retry.attempt) == ("failed", "announced", 2)
    page = sign_in(real_cast.alice.user, language="es")
    prove(page, real_cast.alice.user)
    page.goto(f"{portal}/autopay/charges/{failed.pk}/")
    page.get_by_role("link", name="Pagar ahora").wait_for()
    look(page, "autopay-failed-es")
    page.goto(f"{portal}/autopay/terms/?for=medical")
    look(page, "autopay-how-es")
    page.locator(f'input[name="method"][value="{good.pk}"]').check()
    page.get_by_role("button", name="Continuar").click()
    page.wait_for_url("**/autopay/review/")
    look(page, "autopay-review-es")
    page.get_by_role("button", name="Aceptar").click()
    page.wait_for_url("**/autopay/*/")
    look(page, "autopay-enrollment-es")
    retry.refresh_from_db()
    assert retry.method == good
    assert running.run(today=retry.charge_on).done == 1
    assert (balance(bill), Payment.objects.filter(status="succeeded").count()) == (0, 1)
    page.goto(f"{portal}/autopay/")
    look(page, "autopay-recovered-es")
