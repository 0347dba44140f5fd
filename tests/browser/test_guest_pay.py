"""Guest pay in a real browser: a relative pays by the printed link or by the bill's numbers, and the member sees it."""

import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pypdf
import pytest
from pytest_django import Settings

from bills.models import Bill
from payments import guest_challenge, guest_limits, guest_links
from payments.guest_links import Purpose
from payments.models import Payment
from payments.states import PaymentStatus
from tests.browser.paying import FRAME, GOOD, look
from tests.conftest import Cast
from tests.payments.paying import balance, make_bill
from tests.stripe_sandbox.conftest import Server


@pytest.fixture
def bill(real_cast: Cast) -> Bill:
    """A medical bill of Maya's over $185.00."""
    return make_bill(real_cast.maya, 18_500)


@pytest.fixture
def portal(site: str, provider: Server, settings: Settings) -> str:
    """The portal, which the links name."""
    settings.PORTAL_URL = site
    return site


def test_a_relative_pays_a_part_by_the_printed_link_and_the_member_sees_it(
    portal: str,
    real_cast: Cast,
    bill: Bill,
    sign_in: Callable[..., Any],
    visitor: Callable[..., Any],
    provider: Server,
) -> None:
    """Issue 3, done when 1. M02, M03, M10: card digits go to the provider alone, and no address holds the token."""
    alice = sign_in(real_cast.alice.user)
    pdf = alice.context.request.get(f"{portal}/bills/{bill.number}/pdf/").body()
    printed = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages).replace("\n", "")
    found = re.search(r"https?://[^\s]+/guest-pay/link/[\w.-]+/", printed)
    assert found is not None

    page = visitor()
    asked: list[tuple[str, str]] = []
    page.context.on("request", lambda request: asked.append((request.url, request.post_data or "")))
    page.goto(found[0])
    assert urlsplit(page.url).path == "/guest-pay/bill/"
    look(page, "guest-bill")
    page.get_by_label("Amount, if a part").fill("60.00")
    assert page.get_by_label("A part of it").is_checked()
    page.get_by_role("button", name="Continue to payment method").click()
    page.wait_for_url("**/method/")
    type_card(page)
    look(page, "guest-method")
    page.get_by_role("button", name="Review payment").click()
    page.wait_for_url("**/review/")
    look(page, "guest-review")
    page.get_by_role("button", name="Pay $60.00 now").click()
    page.wait_for_url("**/receipt/")
    assert "Your payment was received" in page.inner_text("main")
    look(page, "guest-receipt")
    assert balance(bill) == 12_500
    carried = [url for url, body in asked if GOOD in url + body]
    assert carried
    assert all(url.startswith(provider.url) for url in carried)
    with_token = [url for url, _body in asked if "/link/" in url]
    assert with_token == [found[0]]

    alice.goto(f"{portal}/bills/{bill.number}/")
    assert "Paid by a guest" in alice.inner_text("main")
    assert "$125.00" in alice.inner_text("main")
    look(alice, "bill-paid-by-guest")
    alice.goto(f"{portal}/payments/")
    alice.get_by_role("link", name="Outpatient visit").click()
    text = alice.inner_text("main")
    assert "A guest" in text
    assert "4242" not in text
    look(alice, "payment-by-guest")


def test_the_member_makes_a_link_to_send_and_revokes_it(
    portal: str, real_cast: Cast, bill: Bill, sign_in: Callable[..., Any], visitor: Callable[..., Any]
) -> None:
    alice = sign_in(real_cast.alice.user)
    alice.goto(f"{portal}/bills/{bill.number}/")
    alice.get_by_role("button", name="Make a link").click()
    look(alice, "bill-link")
    url = alice.get_by_label("Link to send").input_value()
    page = visitor()
    page.goto(url)
    assert "$185.00" in page.inner_text("main")
    alice.get_by_role("button", name="Revoke all links").click()
    page.reload()
    assert urlsplit(page.url).path == "/guest-pay/"
    page.goto(url)
    assert "no longer works" in page.inner_text("main")


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_challenge_is_solved_by_the_browser_itself(
    portal: str, bill: Bill, visitor: Callable[..., Any], language: str
) -> None:
    """G08, M03, M06: no violation of the content policy, no other host, and nothing to read or to solve."""
    page = visitor(language=language)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    hosts: set[str] = set()
    page.context.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(f"{portal}/guest-pay/")
    look(page, f"guest-lookup-{language}")
    for _try in range(guest_limits.LOOKUP_WITHOUT_CHALLENGE.amount + 1):
        page.locator("[name=bill_number]").fill(bill.number)
        page.locator("[name=birth_date]").fill("01/01/1950")
        page.locator("form[data-once] button[type=submit]").click()
        page.wait_for_load_state()
    page.locator("input[name=altcha][value^=ey]").wait_for(state="attached")
    look(page, f"guest-challenge-{language}")
    page.locator("[name=birth_date]").fill("11/02/2015")
    page.locator("form[data-once] button[type=submit]").click()
    page.wait_for_url("**/guest-pay/bill/")
    assert hosts - {""} == {urlsplit(portal).netloc}
    assert not [fault for fault in faults if "422" not in fault]


def test_without_script_a_guest_gets_as_far_as_the_method(portal: str, bill: Bill, visitor: Callable[..., Any]) -> None:
    """Forms without script, and the minute's wait in place of the challenge."""
    page = visitor(java_script_enabled=False)
    page.goto(f"{portal}/guest-pay/")
    for _try in range(guest_limits.LOOKUP_WITHOUT_CHALLENGE.amount + 1):
        page.get_by_label("Bill number").fill(bill.number)
        page.get_by_label("Patient's birth date").fill("01/01/1950")
        page.get_by_role("button", name="Find the bill").click()
    assert f"Please wait {guest_challenge.WAIT_SECONDS} seconds" in page.inner_text("main")
    link = guest_links.ensure(bill, Purpose.SHARED, user_id=bill.household.members.get(is_primary_holder=True).user_id)
    page.goto(guest_links.address(link))
    page.get_by_label("A part of it").check()
    page.get_by_label("Amount, if a part").fill("20.00")
    page.get_by_role("button", name="Continue to payment method").click()
    assert "This step needs JavaScript" in page.inner_text("main")


def test_a_bank_account_pays_with_its_authorization(portal: str, bill: Bill, visitor: Callable[..., Any]) -> None:
    """D01, D28: "check" in guest pay means this."""
    link = guest_links.ensure(bill, Purpose.SHARED, user_id=bill.household.members.get(is_primary_holder=True).user_id)
    page = visitor()
    page.goto(guest_links.address(link))
    page.get_by_role("button", name="Continue to payment method").click()
    page.wait_for_url("**/method/")
    choose_bank(page)
    page.get_by_role("button", name="Review payment").click()
    page.wait_for_url("**/review/")
    assert "you authorize" in page.inner_text("main")
    look(page, "guest-review-bank")
    page.get_by_role("button", name="Pay $185.00 now").click()
    page.wait_for_url("**/receipt/")
    assert Payment.objects.get().status == PaymentStatus.PROCESSING
    look(page, "guest-receipt-bank")
    assert "you authorize" in page.inner_text("main")


def type_card(page: Any) -> None:
    """Type a good card into the provider's frame."""
    frame = page.frame_locator(FRAME)
    for name, value in {"number": GOOD, "expiry": "1234", "cvc": "123", "postalCode": "94110"}.items():
        frame.locator(f'[name="{name}"]').press_sequentially(value)


def choose_bank(page: Any) -> None:
    """Type a bank account that the bank confirms at once."""
    frame = page.frame_locator(FRAME)
    frame.locator("#us_bank_account-tab").click()
    for name, value in {
        "name": "A Relative",
        "email": "relative@example.org",
        "routingNumber": "110000000",
        "accountNumber": "000123456789",
    }.items():
        frame.locator(f'[name="{name}"]').fill(value)
