"""Proving oneself again before anything sensitive, within five minutes (FAULTS H16)."""

import time

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from accounts import reauthentication
from accounts.policies import Policy, allow
from billing_portal.urls import urlpatterns as portal_urls
from tests.accounts.signing_in import sign_in
from tests.conftest import PASSWORD, Cast

pytestmark = pytest.mark.urls(__name__)


@allow(Policy.SIGNED_IN)
@reauthentication.required
def sensitive(request: HttpRequest) -> HttpResponse:
    """A page that asks."""
    return HttpResponse("done")


urlpatterns = [path("sensitive/", sensitive), *portal_urls]


@pytest.fixture
def client(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Alice, who signed in six minutes ago."""
    client, _answer = sign_in("alice@example.com")
    later = time.time() + 360
    monkeypatch.setattr(reauthentication.time, "time", lambda: later)
    return client


def test_who_signed_in_just_now_is_not_asked(cast: Cast) -> None:
    client, _answer = sign_in("alice@example.com")
    assert client.get("/sensitive/").content == b"done"


def test_after_five_minutes_a_page_asks_and_is_found_again(client: Client) -> None:
    assert client.get("/sensitive/?a=1")["Location"] == "/accounts/reauthenticate/?next=%2Fsensitive%2F%3Fa%3D1"


def test_a_form_that_comes_too_late_is_not_carried_out(client: Client) -> None:
    answer = client.post("/sensitive/", headers={"referer": "http://testserver/settings/"})
    assert answer["Location"] == "/accounts/reauthenticate/?next=%2Fsettings%2F"


def test_with_the_password_it_goes_on(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    answer = client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/sensitive/"})
    assert answer["Location"] == "/sensitive/"
    assert client.get("/sensitive/").content == b"done"


def test_a_wrong_password_proves_nothing(client: Client) -> None:
    client.post("/accounts/reauthenticate/", {"password": "wrong", "next": "/sensitive/"})
    assert client.get("/sensitive/").status_code == 302


@pytest.mark.parametrize(
    ("address", "data"),
    [
        ("/accounts/email/", {"email": "x@example.com", "action_add": ""}),
        ("/accounts/2fa/totp/activate/", {"code": "123456"}),
        ("/accounts/2fa/webauthn/add/", {"credential": "{}"}),
        ("/accounts/2fa/recovery-codes/generate/", {}),
    ],
)
def test_allauths_sensitive_pages_ask_too(cast: Cast, address: str, data: dict[str, str]) -> None:
    client, _answer = sign_in("alice@example.com")
    assert "/reauthenticate/" in client.post(address, data)["Location"]
