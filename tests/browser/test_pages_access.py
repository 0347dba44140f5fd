"""Every page of members and visitors but the steps of paying (test_paying): axe, headings, titles, narrow screens."""

import datetime as dt
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.hashers import MD5PasswordHasher
from django.template.loader import render_to_string
from django.utils import timezone, translation

from bills import premiums
from bills.models import Accumulator, Bill
from payments.models import Payment, PaymentMethod
from payments.states import PaymentStatus
from tests.bills.test_claim_pages import make_claim
from tests.browser.accessibility import assert_accessible
from tests.conftest import PASSWORD, Cast
from tests.factories import make_bill, make_coverage, make_payment

SHOTS = os.environ.get("SHOTS", "")
LANGUAGES = pytest.mark.parametrize("language", ["en", "es"])
HEADINGS = (
    "() => [...document.querySelectorAll('h1,h2,h3,h4')].filter(e => e.checkVisibility()).map(e => +e.tagName[1])"
)
PUBLIC = (
    "accounts/login/", "accounts/signup/", "accounts/password/reset/", "accounts/password/reset/done/",
    "accounts/password/reset/key/1-none/", "accounts/password/reset/key/done/", "accounts/inactive/", "help/",
    "no/such/page/", "help/?note=4242424242424242",
)  # fmt: skip
MEMBER = (
    "overview/", "bills/", "bills/?state=void", "bills/?from=2026-13-01", "premiums/", "claims/", "claims/CLM-1/",
    "pay/", "payments/", "payments/overpaid/", "payment-methods/", "family/", "family/leaving/", "settings/", "help/",
    "enroll/", "accounts/email/", "accounts/logout/", "accounts/password/change/", "accounts/sessions/",
    "bills/NONE-0000/",
)  # fmt: skip
SECOND_STEP = (
    "accounts/2fa/", "accounts/2fa/totp/deactivate/", "accounts/2fa/recovery-codes/",
    "accounts/2fa/recovery-codes/generate/", "accounts/2fa/webauthn/", "accounts/2fa/webauthn/add/",
)  # fmt: skip
REFUSED = ("400.html", "403.html", "403_csrf.html", "404.html", "500.html")


@pytest.fixture
def household(real_cast: Cast) -> Bill:
    """A household as in real life: late, due, partly paid and paid bills, premiums, six months of payments."""
    alice, maya, today = real_cast.alice, real_cast.maya, timezone.localdate()
    late = make_bill(maya, due_on=today - dt.timedelta(days=18))
    make_bill(alice, amount_cents=12_640, title="Laboratory", provider_name="Oakridge Pathology", lines=())
    waiting = make_bill(real_cast.bob, amount_cents=4_200, title="Physical therapy", provider_name="Lakeside Therapy")
    make_payment({waiting: 4_200}, payer=alice.user, status=PaymentStatus.PROCESSING)
    for back in range(6):
        old = make_bill(alice, amount_cents=53_100 + back * 7_300, due_on=today - dt.timedelta(days=30 * back + 5))
        make_payment({old: old.amount_cents}, payer=alice.user, on=today - dt.timedelta(days=30 * back))
    coverage = make_coverage(alice, real_cast.bob, maya, subsidy_cents=12_000)
    make_coverage(alice, kind="medigap", plan_name="Medigap G", premium_cents=14_000)
    make_claim(maya, bill=late)
    make_claim(maya, status="replaced", member_owes_cents=25_000)
    premiums.issue_ahead(coverage, through=premiums.month_after(today))
    Accumulator.objects.create(member=alice, year=today.year, deductible_cents=124_000, out_of_pocket_cents=201_500)
    return late


@LANGUAGES
def test_every_public_page_is_accessible(
    language: str, site: str, real_cast: Cast, visitor: Callable[..., Any]
) -> None:
    """Signing in, signing up, the code by mail, a new password, help, and what is refused."""
    page, user = visitor(language=language), real_cast.alice.user
    for path in PUBLIC:
        page.goto(f"{site}/{path}")
        hold(page, language)
    page.goto(f"{site}/accounts/login/")
    page.locator("[name=login]").fill("alice@example.com")
    page.locator("[name=password]").fill("not the password")
    submit(page)
    hold(page, language)
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    page.goto(f"{site}/accounts/password/reset/key/{key}/")
    hold(page, language)
    page.goto(f"{site}/accounts/signup/")
    page.locator("[name=email]").fill(f"new-{language}@example.com")
    page.locator("[name=password1]").fill("copper lantern orbit meadow")
    submit(page)
    page.wait_for_url("**/confirm-email/")
    hold(page, language)


@LANGUAGES
def test_every_page_of_a_member_is_accessible(
    language: str, site: str, household: Bill, real_cast: Cast, sign_in: Callable[..., Any]
) -> None:
    """The pages about money, the family and settings, with everything on them."""
    user = real_cast.alice.user
    card = PaymentMethod.objects.create(
        user=user,
        stripe_id=f"pm_{language}",
        kind="card",
        brand="visa",
        last4="4242",
        expires_month=12,
        expires_year=2031,
    )
    paid = Payment.objects.filter(status=PaymentStatus.SUCCEEDED).latest("pk")
    page = sign_in(user, language=language)
    own = (f"bills/{household.number}/", f"payments/{paid.number}/", f"payment-methods/{card.pk}/remove/")
    for path in (*MEMBER, *own):
        page.goto(f"{site}/{path}")
        hold(page, language)


@LANGUAGES
def test_every_page_about_signing_in_is_accessible(
    language: str, site: str, real_cast: Cast, sign_in: Callable[..., Any]
) -> None:
    """Confirming who one is, an app's code, recovery codes and passkeys; then the second step of a sign-in."""
    user = real_cast.alice.user
    hasher = MD5PasswordHasher()  # as the server of these tests hashes
    user.password = hasher.encode(PASSWORD, hasher.salt())
    user.save(update_fields=["password"])
    page = sign_in(user, language=language)
    page.goto(f"{site}/accounts/2fa/totp/activate/")
    hold(page, language)
    page.locator("[name=password]").fill(PASSWORD)
    submit(page)
    page.wait_for_url("**/activate/")
    hold(page, language)
    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)
    passkey = Authenticator.objects.create(
        user=user, type=Authenticator.Type.WEBAUTHN, data={"name": "Laptop", "credential": {}}
    )
    for path in (*SECOND_STEP, *(f"accounts/2fa/webauthn/keys/{passkey.pk}/{what}/" for what in ("edit", "remove"))):
        page.goto(f"{site}/{path}")
        assert "reauthenticate" not in page.url
        hold(page, language)
    passkey.delete()  # a made-up one cannot be asked for
    page.context.clear_cookies()
    page.goto(f"{site}/accounts/login/")
    page.locator("[name=login]").fill(user.email)
    page.locator("[name=password]").fill(PASSWORD)
    submit(page)
    page.wait_for_url("**/2fa/authenticate/")
    hold(page, language)


def test_an_empty_household_is_accessible(site: str, real_cast: Cast, sign_in: Callable[..., Any]) -> None:
    """The empty states, too."""
    page = sign_in(real_cast.charlie.user)
    for path in ("overview/", "bills/", "premiums/", "pay/", "payments/", "payment-methods/", "family/"):
        page.goto(f"{site}/{path}")
        hold(page, "en")


def test_the_pages_of_refusals_are_accessible(site: str, visitor: Callable[..., Any]) -> None:
    """They stand without a request's context, and say it in English and Spanish at once or in the reader's language."""
    page = visitor()
    with translation.override("en"):
        pages = {name: render_to_string(name, {"portal_name": "Meridian Health"}) for name in REFUSED}
    for name, html in pages.items():
        page.route("**/refused/", partial(answer_with, html))
        page.goto(f"{site}/refused/")
        page.unroute("**/refused/")
        assert page.title(), name
        assert_accessible(page)


def answer_with(html: str, route: Any) -> None:
    """Answer a request of the browser with a page of ours."""
    route.fulfill(body=html, content_type="text/html")


def submit(page: Any) -> None:
    """Send the first form of the page's main part."""
    page.locator("main form button[type=submit], main form button:not([type])").first.click()


def hold(page: Any, language: str) -> None:
    """The page as it stands: its language, title, headings, axe, narrow screens; and a picture where SHOTS is set."""
    where = page.url
    assert page.evaluate("document.documentElement.lang") == language, where
    assert page.title() != "Something went wrong", where
    assert len(page.title().split(" · ")[0]) > 2, f"{where} has no title"
    levels = page.evaluate(HEADINGS)
    assert levels.count(1) == 1, f"{where} has {levels.count(1)} first headings"
    jumps = [(before, after) for before, after in zip(levels, levels[1:], strict=False) if after > before + 1]
    assert not jumps, f"{where} skips a level of headings: {levels}"
    if SHOTS:
        name = page.url.split("/", 3)[3].strip("/").translate(str.maketrans("/?=", "---"))
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=Path(SHOTS) / f"{name}-{language}-{width}.png", full_page=True)
    assert_accessible(page)
