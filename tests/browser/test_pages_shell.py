"""What stands around every page: the way past the navigation, the language, the account menu, and who is contacted."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tests.browser.accessibility import assert_accessible
from tests.conftest import Cast
from tests.factories import make_bill


def test_the_keyboard_goes_straight_to_the_page(site: str, real_cast: Cast, sign_in: Callable[..., Any]) -> None:
    """The first Tab is the way past the navigation (WCAG 2.4.1)."""
    page = sign_in(real_cast.alice.user)
    page.goto(f"{site}/overview/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "ds-c-skip-nav"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_language_is_switched_and_kept(site: str, real_cast: Cast, sign_in: Callable[..., Any]) -> None:
    """By a button, without script, on the page where one is."""
    page = sign_in(real_cast.alice.user, java_script_enabled=False)
    page.goto(f"{site}/bills/?state=paid")
    page.get_by_role("button", name="Español").click()
    assert page.url == f"{site}/bills/?state=paid"
    assert page.locator("html").get_attribute("lang") == "es"
    page.goto(f"{site}/premiums/")
    assert page.locator("html").get_attribute("lang") == "es"
    page.get_by_role("button", name="English").click()
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_account_menu_opens_by_keyboard_and_signs_out(
    site: str, real_cast: Cast, sign_in: Callable[..., Any]
) -> None:
    """Settings, payment methods, and the way out; afterwards nothing is shown any more."""
    page = sign_in(real_cast.alice.user)
    page.goto(f"{site}/overview/")
    page.locator("summary", has_text="Account").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("link", name="Settings", exact=True).is_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")
    page.goto(f"{site}/overview/")
    assert "/accounts/login/" in page.url


def test_nobody_else_is_contacted(site: str, real_cast: Cast, sign_in: Callable[..., Any]) -> None:
    """No third party on any of these pages, and nothing that the content policy had to stop (FAULTS M03, M06)."""
    bill = make_bill(real_cast.maya)
    page = sign_in(real_cast.alice.user)
    hosts: set[str] = set()
    said: list[str] = []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("console", lambda message: said.append(message.text))
    for path in ("overview/", "bills/", f"bills/{bill.number}/", "premiums/", "help/"):
        page.goto(f"{site}/{path}")
    assert hosts == {urlsplit(site).netloc}
    assert said == []
    assert page.evaluate("document.fonts.check('16px \"Open Sans\"')")


def test_a_bill_is_found_shown_and_downloaded(site: str, real_cast: Cast, sign_in: Callable[..., Any]) -> None:
    """From the overview to one bill, its steps and its PDF; on a phone the way to pay stands before the details."""
    bill = make_bill(real_cast.maya)
    page = sign_in(real_cast.alice.user, viewport={"width": 390, "height": 844})
    page.goto(f"{site}/overview/")
    page.get_by_role("link", name="Outpatient visit · Oakridge Medical Center", exact=True).click()
    assert page.url.endswith(f"/bills/{bill.number}/")
    pay, why = page.get_by_role("link", name="Pay $185.00"), page.get_by_role("heading", name="Why this amount")
    assert pay.bounding_box()["y"] < why.bounding_box()["y"]
    answer = page.request.get(f"{site}/bills/{bill.number}/pdf/")
    assert answer.ok and answer.body().startswith(b"%PDF-")
