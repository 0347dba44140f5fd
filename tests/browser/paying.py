"""The steps of paying in a browser: what the tests of paying have in common."""

import os
from pathlib import Path
from typing import Any

from bills.models import Bill
from ledger.money import format_usd
from tests.browser.accessibility import assert_accessible

FRAME = 'iframe[name^="__privateStripeFrame"]'
SHOTS = os.environ.get("SHOTS", "")
GOOD = "4242424242424242"


def start(page: Any, portal: str, bill: Bill, amount: str = "50.00") -> None:
    """The first step, in the browser; ends at the method step."""
    page.goto(f"{portal}/pay/?bill={bill.number}")
    page.get_by_label("Amount to pay").fill(amount)
    page.get_by_role("button", name="Continue to payment method").click()
    page.wait_for_url("**/method/")


def type_card(page: Any, number: str = GOOD) -> None:
    """Choose a new card and type it into the provider's frame."""
    choose_new(page)
    frame = page.frame_locator(FRAME)
    for name, value in {"number": number, "expiry": "1234", "cvc": "123", "postalCode": "94110"}.items():
        frame.locator(f'[name="{name}"]').press_sequentially(value)


def choose_new(page: Any) -> None:
    """The radio of a new card, and the frame behind it."""
    page.get_by_label("A new card, bank account or Apple Pay").check()
    page.frame_locator(FRAME).locator('[name="number"]').wait_for()


def review(page: Any) -> None:
    """On to the third step."""
    page.get_by_role("button", name="Review payment").click()
    page.wait_for_url("**/review/")


def pay(page: Any, cents: int = 5_000) -> None:
    """Press the button that charges."""
    page.get_by_role("button", name=f"Pay {format_usd(cents)} now").click()


def shoot(page: Any, name: str) -> None:
    """A picture at both widths, where SHOTS names a folder."""
    if SHOTS:
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=Path(SHOTS) / f"{name}-{width}.png", full_page=True)


def fill_any_language(page: Any) -> None:
    """Type the card and go on to the review, whatever the words are."""
    frame = page.frame_locator(FRAME)
    for name, value in {"number": GOOD, "expiry": "1234", "cvc": "123", "postalCode": "94110"}.items():
        frame.locator(f'[name="{name}"]').press_sequentially(value)
    page.locator("form[data-pay] button[type=submit]").click()
    page.wait_for_url("**/review/")


def look(page: Any, name: str) -> None:
    """A picture, and axe."""
    shoot(page, name)
    assert_accessible(page)
