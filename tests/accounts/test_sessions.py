"""How long sessions last by the server's clock, and what ends them (FAULTS H13, H14, H15, H17, H18)."""

import time
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts import sessions
from accounts.models import User
from tests.accounts.signing_in import is_signed_in, sign_in
from tests.conftest import PASSWORD, Cast

MINUTE, HOUR = 60, 3600
Clock = Callable[[float], None]


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Move the server's clock, as the session's limits read it."""
    now = [time.time()]
    monkeypatch.setattr(sessions.time, "time", lambda: now[0])

    def forward(seconds: float) -> None:
        now[0] += seconds

    return forward


@pytest.mark.parametrize(("email", "idle"), [("alice@example.com", 30 * MINUTE), ("dana@example.com", 15 * MINUTE)])
def test_an_idle_session_ends(cast: Cast, pass_time: Clock, email: str, idle: int) -> None:
    """H14: members 30 minutes, staff 15."""
    client, _answer = sign_in(email)
    client.get("/settings/")
    pass_time(idle - 2)
    assert is_signed_in(client)
    pass_time(idle + 1)
    assert not is_signed_in(client)
    assert "sessionid" not in client.cookies


@pytest.mark.parametrize(("email", "overall"), [("alice@example.com", 24 * HOUR), ("dana@example.com", 12 * HOUR)])
def test_an_active_session_ends_all_the_same(cast: Cast, pass_time: Clock, email: str, overall: int) -> None:
    """H14: members 24 hours after signing in, staff 12."""
    client, _answer = sign_in(email)
    client.get("/settings/")
    for _step in range(overall // (10 * MINUTE) - 1):
        pass_time(10 * MINUTE)
        assert is_signed_in(client)
    pass_time(10 * MINUTE + 1)
    assert not is_signed_in(client)


@pytest.mark.parametrize("path", ["/session/", "/settings/"])
def test_what_a_page_asks_by_itself_keeps_no_session_alive(cast: Cast, pass_time: Clock, path: str) -> None:
    """H14: polling, by its header."""
    client, _answer = sign_in("alice@example.com")
    client.get("/settings/")
    for _minute in range(30):
        pass_time(MINUTE)
        client.get(path, headers={sessions.POLL_HEADER: "1"})
    pass_time(1)
    assert not is_signed_in(client)


def test_the_warnings_button_extends_the_session(cast: Cast, pass_time: Clock) -> None:
    """H15."""
    client, _answer = sign_in("alice@example.com")
    client.get("/settings/")
    pass_time(29 * MINUTE)
    polled = client.get("/session/", headers={sessions.POLL_HEADER: "1"}).json()
    assert polled == {"is_signed_in": True, "seconds_left": MINUTE}
    assert client.post("/session/extend/").json() == {"is_signed_in": True, "seconds_left": 30 * MINUTE}
    pass_time(29 * MINUTE)
    assert is_signed_in(client)


def test_after_its_end_a_session_cannot_be_extended(cast: Cast, pass_time: Clock) -> None:
    client, _answer = sign_in("alice@example.com")
    client.get("/settings/")
    pass_time(31 * MINUTE)
    assert client.post("/session/extend/").status_code == 302
    assert client.get("/session/").json() == {"is_signed_in": False, "seconds_left": 0}


def test_the_page_is_found_again_after_signing_in_again(cast: Cast, pass_time: Clock) -> None:
    """H15: a page by its address, a form by the page it stands on; nothing that was posted is sent again by itself."""
    client, _answer = sign_in("alice@example.com")
    client.get("/settings/")
    pass_time(31 * MINUTE)
    assert client.get("/family/?member=M-BOB")["Location"].endswith("?next=%2Ffamily%2F%3Fmember%3DM-BOB")
    posted = client.post("/enroll/", {"zip": "1"}, headers={"referer": "http://testserver/family/"})
    assert posted["Location"].endswith("?next=%2Ffamily%2F")
    elsewhere = client.post("/enroll/", {"zip": "1"}, headers={"referer": "https://evil.example/"})
    assert "evil" not in elsewhere["Location"]


def test_htmx_is_told_to_load_the_sign_in_page_whole(cast: Cast) -> None:
    answer = Client().get("/family/", headers={"hx-request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (200, "/accounts/login/?next=%2Ffamily%2F")
    assert answer.content == b""


def change_password(user: User) -> None:
    user.set_password("copper-lantern-seven-rivers")
    user.save()


CHANGES: dict[str, Callable[[User], object]] = {
    "the password": change_password,
    "being of staff": lambda user: User.objects.filter(pk=user.pk).update(is_staff=True),
    "being a superuser": lambda user: User.objects.filter(pk=user.pk).update(is_superuser=True),
    "being switched off": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "joining a group": lambda user: user.groups.add(Group.objects.create(name="Billing")),
    "a second factor": lambda user: user.authenticator_set.create(type="totp", data={}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_what_a_person_may_ends_every_session(cast: Cast, change: str) -> None:
    """H13: whoever makes the change and by whatever path, at the next request."""
    first, _answer = sign_in("alice@example.com")
    second, _answer = sign_in("alice@example.com")
    assert is_signed_in(first)
    assert is_signed_in(second)
    CHANGES[change](User.objects.get(pk=cast.alice.user.pk))
    assert not is_signed_in(first)
    assert not is_signed_in(second)


def test_leaving_a_group_and_losing_a_second_factor_end_sessions_too(cast: Cast) -> None:
    """H13."""
    user = User.objects.get(pk=cast.alice.user.pk)
    user.groups.add(group := Group.objects.create(name="Billing"))
    app = user.authenticator_set.create(type="recovery_codes", data={})
    for undo in (lambda: user.groups.remove(group), app.delete):
        client, _answer = sign_in("alice@example.com")
        assert is_signed_in(client)
        undo()
        assert not is_signed_in(client)


def test_changing_the_password_keeps_this_session_and_ends_the_others(cast: Cast) -> None:
    """H13."""
    elsewhere, _answer = sign_in("alice@example.com")
    client, _answer = sign_in("alice@example.com")
    new = "copper-lantern-seven-rivers"
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)


def test_ending_the_others_ends_ones_own_others_alone(cast: Cast) -> None:
    """H17."""
    elsewhere, _answer = sign_in("alice@example.com")
    bob, _answer = sign_in("bob@example.com")
    client, _answer = sign_in("alice@example.com")
    assert client.get("/accounts/sessions/").content.count(b"Another session") == 1
    client.post("/accounts/sessions/")
    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)
    assert is_signed_in(bob)


def test_signing_out_ends_the_session_on_the_server(cast: Cast) -> None:
    """H13, H22: the cookie is worth nothing afterwards, and no page was kept."""
    client, _answer = sign_in("alice@example.com")
    key = client.cookies["session"].value
    assert client.get("/settings/")["Cache-Control"] == "no-store"
    client.post("/accounts/logout/")
    thief = Client()
    thief.cookies["session"] = key
    assert not is_signed_in(thief)


def test_the_cookies_are_out_of_scripts_reach_and_of_one_site(cast: Cast) -> None:
    """H18; Secure and `__Host-` where the portal is secure: tests of the settings."""
    client, answer = sign_in("alice@example.com")
    cookie = answer.cookies["session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert not cookie["domain"]
    assert not cookie["expires"], "the browser forgets it when it is closed"
    csrf = client.get("/settings/").cookies["csrf"]
    assert (csrf["httponly"], csrf["samesite"]) == (True, "Lax")
