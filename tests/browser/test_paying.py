"""Paying in a real browser, from the bill to the receipt: what issue 2 calls done, and what a page must hold."""

import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pypdf
import pytest
from pytest_django import Settings

from bills.models import Bill
from notifications.tasks import work_off
from payments import methods, webhooks
from payments.models import Payment, PaymentMethod
from payments.states import PaymentStatus
from tests.browser.accessibility import assert_accessible
from tests.browser.paying import FRAME, GOOD, choose_new, fill_any_language, look, pay, review, shoot, start, type_card
from tests.conftest import Cast
from tests.payments.pages import make_premium
from tests.payments.paying import balance, charges, make_bill, trial_balance
from tests.smtp import Mailbox, bodies
from tests.stripe_sandbox.conftest import Server


@pytest.fixture
def bill(real_cast: Cast) -> Bill:
    """A medical bill of Maya's over $185.00."""
    return make_bill(real_cast.maya, 18_500)


@pytest.fixture
def portal(site: str, provider: Server, settings: Settings) -> str:
    """The portal with its provider's webhooks arriving."""
    settings.PORTAL_URL = site
    provider.post("webhooks", url=f"{site}/webhooks/stripe/", secret=settings.STRIPE_WEBHOOK_SECRETS[0])
    return site


def test_alice_pays_fifty_dollars_and_has_a_receipt_as_page_pdf_and_mail(
    portal: str,
    real_cast: Cast,
    bill: Bill,
    sign_in: Callable[..., Any],
    mailbox: Mailbox,
    provider: Server,
) -> None:
    """The main job. M02, M03: the card's digits go to the provider's host alone, and no other host is asked."""
    page = sign_in(real_cast.alice.user)
    asked: list[tuple[str, str]] = []
    page.context.on("request", lambda request: asked.append((request.url, request.post_data or "")))
    start(page, portal, bill)
    shoot(page, "method")
    type_card(page)
    shoot(page, "method-card")
    review(page)
    assert "Visa ending in 4242" in page.inner_text("main")
    shoot(page, "review")
    pay(page)
    page.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    assert "Your payment was received" in page.inner_text("main")
    assert "$50.00" in page.inner_text("main")
    shoot(page, "receipt")
    assert balance(bill) == 13_500
    page.goto(f"{portal}/bills/{bill.number}/")
    assert "$135.00" in page.inner_text("main")

    carried = [url for url, body in asked if GOOD in url + body]
    assert carried
    assert all(url.startswith(provider.url) for url in carried)
    hosts = {urlsplit(url).netloc for url, _body in asked if not url.startswith("data:")}
    assert hosts == {urlsplit(portal).netloc, urlsplit(provider.url).netloc}

    payment = Payment.objects.get(status=PaymentStatus.SUCCEEDED)
    pdf = page.context.request.get(f"{portal}/payments/{payment.number}/pdf/")
    text = "".join(part.extract_text() for part in pypdf.PdfReader(io.BytesIO(pdf.body())).pages)
    assert payment.number in text
    assert "$50.00" in text
    work_off()
    assert {message["To"] for message in mailbox.taken} == {"alice@example.com"}
    (message,) = [message for message in mailbox.taken if f"/payments/{payment.number}/" in bodies(message)[0]]
    assert f"{portal}/payments/{payment.number}/" in bodies(message)[0]
    webhooks.work_off()
    assert len(charges()) == 1
    assert trial_balance() == 0


def test_alice_pays_the_familys_premium(portal: str, real_cast: Cast, sign_in: Callable[..., Any]) -> None:
    """The second half of the main job."""
    premium = make_premium(real_cast)
    page = sign_in(real_cast.alice.user)
    page.goto(f"{portal}/pay/")
    page.get_by_role("button", name="Continue to payment method").click()
    type_card(page)
    review(page)
    pay(page, 53_076)
    page.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    assert "Premium payment" in page.inner_text("main")
    assert balance(premium) == 0


@pytest.mark.parametrize(
    ("button", "ends"), [("#test-source-authorize-3ds", "paid"), ("#test-source-fail-3ds", "not paid")]
)
def test_a_bank_that_asks_is_answered_in_its_window(
    portal: str, real_cast: Cast, bill: Bill, sign_in: Callable[..., Any], button: str, ends: str
) -> None:
    """3-D Secure passed and failed (B16)."""
    page = sign_in(real_cast.alice.user)
    start(page, portal, bill)
    type_card(page, "4000002760003184")
    review(page)
    pay(page)
    page.wait_for_url("**/authenticate/")
    window = page.frame_locator('iframe[title="3D Secure"]')
    window.locator(button).wait_for()
    shoot(page, "authenticate")
    window.locator(button).click()
    if ends == "paid":
        page.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
        assert balance(bill) == 13_500
    else:
        page.wait_for_url("**/method/?after=*")
        assert "could not confirm that it was you" in page.inner_text("#declined")
        assert balance(bill) == 18_500


def test_a_bank_window_that_is_closed_can_be_opened_again_or_given_up(
    portal: str, real_cast: Cast, bill: Bill, sign_in: Callable[..., Any]
) -> None:
    """B16: nothing hangs."""
    page = sign_in(real_cast.alice.user)
    start(page, portal, bill)
    type_card(page, "4000002760003184")
    review(page)
    pay(page)
    page.frame_locator('iframe[title="3D Secure"]').locator("#test-source-authorize-3ds").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Confirm with my bank").wait_for()
    assert_accessible(page)
    page.get_by_role("button", name="Cancel this payment").click()
    page.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    assert "canceled" in page.inner_text("main")
    assert balance(bill) == 18_500


DECLINES = {
    "4000000000000002": "Your bank declined this payment",
    "4000000000009995": "There was not enough money",
    "4000000000009987": "Your bank declined this payment",
    "4000000000009979": "Your bank declined this payment",
    "4000000000000069": "This card has expired",
    "4000000000000127": "The card details were not accepted",
    "4000000000000119": "The card network had a problem",
    "4000000000006975": "limit for this card has been reached",
    "4100000000000019": "Your bank declined this payment",
}


def test_each_declined_card_is_told_and_another_card_then_pays(
    portal: str, real_cast: Cast, bill: Bill, sign_in: Callable[..., Any]
) -> None:
    """B12, G12: every declined test card has its words; lost and stolen read like any other; the way on works."""
    page = sign_in(real_cast.alice.user)
    start(page, portal, bill)
    for number, words in DECLINES.items():
        type_card(page, number)
        review(page)
        pay(page)
        page.wait_for_url("**/method/?after=*")
        assert words in page.inner_text("#declined"), number
    shoot(page, "declined")
    assert_accessible(page)
    assert balance(bill) == 18_500
    type_card(page)
    review(page)
    pay(page)
    page.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    assert balance(bill) == 13_500
    assert len(charges()) == 1


def test_apple_pay_is_offered_and_pays(portal: str, real_cast: Cast, bill: Bill, sign_in: Callable[..., Any]) -> None:
    """The wallet's button in the provider's frame."""
    page = sign_in(real_cast.alice.user)
    start(page, portal, bill)
    choose_new(page)
    frame = page.frame_locator(FRAME)
    frame.locator("#apple_pay-tab").click()
    frame.locator("#apple-pay-button").click()
    review(page)
    assert "Apple Pay" in page.inner_text("main")
    pay(page)
    page.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    assert Payment.objects.get(status=PaymentStatus.SUCCEEDED).method_wallet == "apple_pay"


def test_a_card_is_kept_with_consent_used_again_and_removed(
    portal: str, real_cast: Cast, bill: Bill, sign_in: Callable[..., Any]
) -> None:
    """Saved cards: the words of consent stand beside the box; the second payment types nothing."""
    page = sign_in(real_cast.alice.user)
    start(page, portal, bill)
    type_card(page)
    assert methods.consent_text("Meridian Health") in page.inner_text("[data-keep]")
    page.get_by_label("Keep it for next time").check()
    review(page)
    pay(page)
    page.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    start(page, portal, bill, "25.00")
    assert page.get_by_label("Visa ending in 4242").is_checked()
    shoot(page, "method-saved")
    assert_accessible(page)
    review(page)
    pay(page, 2_500)
    page.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    assert balance(bill) == 11_000
    page.goto(f"{portal}/payment-methods/")
    shoot(page, "methods")
    assert_accessible(page)
    page.get_by_role("link", name="Remove Visa ending in 4242").click()
    assert_accessible(page)
    page.get_by_role("button", name="Remove it").click()
    page.get_by_text("No payment methods yet").wait_for()
    assert PaymentMethod.objects.get().removed_at is not None


def test_a_double_click_and_the_back_button_charge_once(
    portal: str, real_cast: Cast, bill: Bill, sign_in: Callable[..., Any]
) -> None:
    """I11, A08: one charge; back and forth ends at the receipt."""
    page = sign_in(real_cast.alice.user)
    start(page, portal, bill)
    type_card(page)
    review(page)
    page.get_by_role("button", name="Pay $50.00 now").dblclick()
    page.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    receipt = page.url
    page.go_back()
    page.wait_for_url(receipt)
    page.reload()
    assert "Your payment was received" in page.inner_text("main")
    assert len(charges()) == 1
    assert balance(bill) == 13_500


def test_without_script_a_saved_card_pays_and_a_new_one_is_explained(
    portal: str, real_cast: Cast, bill: Bill, sign_in: Callable[..., Any]
) -> None:
    """The steps work without script; a card cannot be typed then, and the page says so."""
    page = sign_in(real_cast.alice.user, java_script_enabled=False)
    start(page, portal, bill)
    assert "A card cannot be typed here without JavaScript" in page.inner_text("main")
    assert not page.get_by_label("A new card, bank account or Apple Pay").is_visible()
    typed = sign_in(real_cast.alice.user)
    start(typed, portal, bill)
    type_card(typed)
    typed.get_by_label("Keep it for next time").check()
    review(typed)
    pay(typed)
    typed.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    start(page, portal, bill, "10.00")
    page.get_by_label("Visa ending in 4242").check()
    review(page)
    pay(page, 1_000)
    page.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    assert balance(bill) == 12_500


def test_a_blocked_card_form_is_explained(
    portal: str, real_cast: Cast, bill: Bill, sign_in: Callable[..., Any], provider: Server
) -> None:
    """M12: no crash, and other ways are shown."""
    page = sign_in(real_cast.alice.user)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route(f"{provider.url}/**", lambda route: route.abort())
    start(page, portal, bill)
    page.get_by_text("The secure form did not load").wait_for()
    shoot(page, "blocked")
    assert_accessible(page)
    page.get_by_role("button", name="Review payment").click()
    assert page.url.endswith("/method/")
    assert errors == []


def test_a_lost_reply_is_waited_for_on_the_page(
    portal: str,
    real_cast: Cast,
    bill: Bill,
    sign_in: Callable[..., Any],
    provider: Server,
) -> None:
    """B02, B03: the page says that we are confirming, and turns to the receipt when the webhook has come."""
    page = sign_in(real_cast.alice.user)
    start(page, portal, bill)
    type_card(page)
    review(page)
    provider.post("webhooks/pause")
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents$"}, effect="drop_after", times=1)
    pay(page)
    page.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    assert "We are confirming your payment" in page.inner_text("main")
    shoot(page, "confirming")
    assert_accessible(page)
    provider.post("webhooks/resume")
    provider.post("webhooks/flush")
    webhooks.work_off()
    page.get_by_role("heading", name="Your payment was received").wait_for()
    assert balance(bill) == 13_500
    assert len(charges()) == 1


def test_charlie_finds_none_of_alices_addresses(
    portal: str, real_cast: Cast, bill: Bill, sign_in: Callable[..., Any]
) -> None:
    """F01: each address of hers is 404 for him."""
    page = sign_in(real_cast.alice.user)
    start(page, portal, bill)
    type_card(page)
    review(page)
    pay(page)
    page.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    number = Payment.objects.get().number
    charlie = sign_in(real_cast.charlie.user)
    for path in (
        f"pay/?bill={bill.number}", f"pay/{number}/method/", f"pay/{number}/review/", f"pay/{number}/authenticate/",
        f"payments/{number}/", f"payments/{number}/pdf/", f"payments/{number}/status/", f"payments/{number}/return/",
    ):  # fmt: skip
        assert charlie.goto(f"{portal}/{path}").status == 404, path


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_page_about_paying_is_accessible(
    portal: str, real_cast: Cast, bill: Bill, sign_in: Callable[..., Any], language: str
) -> None:
    """WCAG 2.2 AA by axe, and no sideways scrolling down to 320 px, in both languages."""
    make_premium(real_cast)
    make_bill(real_cast.alice, 12_640)
    page = sign_in(real_cast.alice.user, language=language)
    page.goto(f"{portal}/pay/")
    look(page, f"amounts-{language}")
    page.locator("form[data-amounts] input[type=text]").first.fill("12.345")
    page.locator("form[data-amounts] button").first.click()
    page.locator("[aria-invalid=true]").wait_for()
    look(page, f"amounts-refused-{language}")
    page.goto(f"{portal}/pay/?bill={bill.number}")
    page.locator("form[data-amounts] button").first.click()
    page.frame_locator(FRAME).locator('[name="number"]').wait_for()
    look(page, f"method-{language}")
    fill_any_language(page)
    look(page, f"review-{language}")
    page.locator("form[data-once] button").last.click()
    page.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    look(page, f"receipt-{language}")
    for path, name in (
        ("payments/", "history"),
        ("payments/?state=failed", "history-none"),
        ("payment-methods/", "methods"),
    ):
        page.goto(f"{portal}/{path}")
        look(page, f"{name}-{language}")
