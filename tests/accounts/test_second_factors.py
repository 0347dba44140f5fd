"""Authenticator apps, recovery codes and passkeys; and staff, who reach the admin by no path without one."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client

from accounts.models import User
from tests.accounts.signing_in import Passkey, add_totp, is_signed_in, mails_to, sign_in, totp_code
from tests.conftest import PASSWORD, Cast

ADMIN_PATHS = [
    "/admin/",
    "/admin/login/",
    "/admin/jsi18n/",
    "/admin/password_change/",
    "/admin/accounts/",
    "/admin/no/such/",
]
MFA = "/accounts/2fa/authenticate/"


def test_with_an_app_the_password_alone_signs_nobody_in(cast: Cast) -> None:
    secret = add_totp(cast.alice.user)
    client, answer = sign_in("alice@example.com")
    assert answer["Location"] == MFA
    assert not is_signed_in(client)
    client.post(MFA, {"code": totp_code(secret)})
    assert is_signed_in(client)


def test_a_code_of_the_app_is_good_once(cast: Cast) -> None:
    secret = add_totp(cast.alice.user)
    code = totp_code(secret)
    for opens in (True, False):
        client, _answer = sign_in("alice@example.com")
        client.post(MFA, {"code": code})
        assert is_signed_in(client) is opens


def test_a_recovery_code_is_good_once(cast: Cast) -> None:
    """H07."""
    add_totp(cast.alice.user)
    code = RecoveryCodes.activate(cast.alice.user).get_unused_codes()[0]
    for opens in (True, False):
        client, _answer = sign_in("alice@example.com")
        client.post(MFA, {"code": code})
        assert is_signed_in(client) is opens


def test_recovery_codes_are_shown_once(cast: Cast) -> None:
    """H07."""
    client = reauthenticated("alice@example.com")
    activation = client.get("/accounts/2fa/totp/activate/")
    secret = activation.context["form"].secret
    answer = client.post("/accounts/2fa/totp/activate/", {"code": totp_code(secret)})
    assert answer["Location"] == "/accounts/2fa/recovery-codes/"
    codes = RecoveryCodes(Authenticator.objects.get(user=cast.alice.user, type="recovery_codes")).generate_codes()
    first, second = (client.get("/accounts/2fa/recovery-codes/").content.decode() for _look in range(2))
    assert all(code in first for code in codes)
    assert not any(code in second for code in codes)
    assert client.get("/accounts/2fa/recovery-codes/download/").status_code in (403, 404)


def test_a_password_that_was_reset_still_needs_the_second_factor(cast: Cast) -> None:
    """H11."""
    add_totp(cast.alice.user)
    cast.alice.user.set_password("copper-lantern-seven-rivers")
    cast.alice.user.save()
    client, answer = sign_in("alice@example.com", "copper-lantern-seven-rivers")
    assert answer["Location"] == MFA
    assert not is_signed_in(client)


def test_a_passkey_signs_in_by_itself(cast: Cast) -> None:
    passkey = Passkey()
    add_passkey("alice@example.com", passkey)
    client = Client()
    assert login_by(passkey, client)
    assert is_signed_in(client)


def test_a_passkey_that_asked_for_neither_finger_nor_pin_is_refused(cast: Cast) -> None:
    """H09: at sign-in."""
    passkey = Passkey()
    add_passkey("alice@example.com", passkey)
    passkey.verifies = False
    client = Client()
    login_by(passkey, client)
    assert not is_signed_in(client)


def test_a_passkey_that_asks_for_neither_finger_nor_pin_cannot_be_added(cast: Cast) -> None:
    """H09: also where the box for signing in without a password is not ticked."""
    add_passkey("alice@example.com", Passkey(verifies=False), passwordless="")
    assert not Authenticator.objects.filter(user=cast.alice.user, type="webauthn").exists()


def test_failing_passkeys_does_not_lock_codes(cast: Cast) -> None:
    """H10."""
    secret = add_totp(cast.alice.user)
    add_passkey("alice@example.com", Passkey(), code=totp_code(secret))
    stranger = Passkey()
    client, _answer = sign_in("alice@example.com")
    for _try in range(12):
        options = client.get(MFA).context["js_data"]["request_options"]
        client.post(MFA, {"credential": stranger.get(options)})
    client.post(MFA, {"code": RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes()[0]})
    assert is_signed_in(client)


def test_a_change_of_second_factors_is_told_by_mail_and_ends_other_sessions(
    cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    """H13: the session that changes them goes on, under a new id."""
    elsewhere, _answer = sign_in("alice@example.com")
    client = reauthenticated("alice@example.com")
    before = client.cookies["session"].value
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/2fa/totp/activate/", {"code": totp_code(secret)})
    assert not is_signed_in(elsewhere)
    assert is_signed_in(client)
    assert client.cookies["session"].value != before
    assert any("Authenticator app activated" in text for text in mails_to("alice@example.com"))


@pytest.mark.parametrize("path", ADMIN_PATHS)
def test_nobody_reaches_the_admin_without_a_second_factor(cast: Cast, path: str) -> None:
    """H05: not anonymous, not as a member, not as staff without an app, nor with one that this session did not use."""
    assert Client().get(path)["Location"].startswith("/accounts/login/?next=%2Fadmin%2F")
    assert Client().post(path, {"username": "dana@example.com", "password": PASSWORD}).status_code == 302
    member, _answer = sign_in("alice@example.com")
    assert member.get(path).status_code == 404
    staff, _answer = sign_in("dana@example.com")
    assert staff.get(path)["Location"] == "/accounts/2fa/"
    forced = Client()
    add_totp(cast.dana)
    forced.force_login(User.objects.get(pk=cast.dana.pk))
    assert forced.get(path)["Location"].startswith("/accounts/2fa/reauthenticate/")


def test_staff_with_a_second_factor_reach_the_admin(cast: Cast) -> None:
    secret = add_totp(cast.dana)
    client, _answer = sign_in("dana@example.com")
    client.post(MFA, {"code": totp_code(secret)})
    assert client.get("/admin/").status_code == 200


def test_a_passkey_is_a_second_factor_for_staff(cast: Cast) -> None:
    passkey = Passkey()
    add_passkey("dana@example.com", passkey)
    client = Client()
    login_by(passkey, client)
    assert client.get("/admin/").status_code == 200


def test_in_the_demo_staff_need_no_second_factor(cast: Cast, settings: object) -> None:
    settings.IS_DEMO = True  # type: ignore[attr-defined]
    client, _answer = sign_in("dana@example.com")
    assert client.get("/admin/").status_code == 200
    assert sign_in("alice@example.com")[0].get("/admin/").status_code == 404


def reauthenticated(email: str, code: str = "") -> Client:
    """A client that signed in and proved itself again."""
    client, _answer = sign_in(email)
    if code:
        client.post(MFA, {"code": code})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def add_passkey(email: str, passkey: Passkey, *, passwordless: str = "on", code: str = "") -> None:
    client = reauthenticated(email, code)
    options = client.get("/accounts/2fa/webauthn/add/").context["js_data"]["creation_options"]
    client.post(
        "/accounts/2fa/webauthn/add/",
        {"name": "test", "passwordless": passwordless, "credential": passkey.create(options)},
    )


def login_by(passkey: Passkey, client: Client) -> bool:
    options = json.loads(client.get("/accounts/2fa/webauthn/login/", headers={"accept": "application/json"}).content)
    answer = client.post("/accounts/2fa/webauthn/login/", {"credential": passkey.get(options["request_options"])})
    return answer.status_code == 302
