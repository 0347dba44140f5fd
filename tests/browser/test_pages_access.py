"""Pages of visitors, signing in and refusals: axe, headings, titles, narrow screens. Members': test_every_page."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.hashers import MD5PasswordHasher
from django.template.loader import render_to_string
from django.utils import translation

from tests.browser.accessibility import assert_accessible, hold, walk_with_axe
from tests.conftest import PASSWORD, Cast

LANGUAGES = pytest.mark.parametrize("language", ["en", "es"])
PUBLIC = (
    "accounts/login/", "accounts/signup/", "accounts/password/reset/", "accounts/password/reset/done/",
    "accounts/password/reset/key/1-none/", "accounts/password/reset/key/done/", "accounts/inactive/", "help/",
    "no/such/page/", "help/?note=4242424242424242",
)  # fmt: skip
SECOND_STEP = (
    "accounts/2fa/", "accounts/2fa/totp/deactivate/", "accounts/2fa/recovery-codes/",
    "accounts/2fa/recovery-codes/generate/", "accounts/2fa/webauthn/", "accounts/2fa/webauthn/add/",
)  # fmt: skip
REFUSED = ("400.html", "403.html", "403_csrf.html", "404.html", "500.html")


@LANGUAGES
def test_every_public_page_is_accessible(
    language: str, site: str, real_cast: Cast, visitor: Callable[..., Any]
) -> None:
    """Signing in, signing up, the code by mail, a new password, help, and what is refused."""
    page, user = visitor(language=language), real_cast.alice.user
    walk_with_axe(page)
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
def test_every_page_about_signing_in_is_accessible(
    language: str, site: str, real_cast: Cast, sign_in: Callable[..., Any]
) -> None:
    """Confirming who one is, an app's code, recovery codes and passkeys; then the second step of a sign-in."""
    user = real_cast.alice.user
    hasher = MD5PasswordHasher()  # as the server of these tests hashes
    user.password = hasher.encode(PASSWORD, hasher.salt())
    user.save(update_fields=["password"])
    page = sign_in(user, language=language)
    walk_with_axe(page)
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
