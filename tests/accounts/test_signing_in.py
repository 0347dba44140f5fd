"""Signing in, making a sign-in, and getting back in: what works, and that the answers give nothing away."""

import re

import pytest
from django.test import Client

from accounts.models import Mail, User
from tests.accounts.signing_in import LOGIN, code_in, is_signed_in, mails_to, sign_in
from tests.conftest import PASSWORD, Cast

GOOD_PASSWORD = "copper-lantern-seven-rivers"  # noqa: S105


def test_the_right_password_opens_the_portal(cast: Cast) -> None:
    client, answer = sign_in("Alice@Example.com")
    assert answer.status_code == 302
    assert is_signed_in(client)


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(cast: Cast) -> None:
    """H02: same text, status and size."""
    _client, wrong = sign_in("alice@example.com", "not-her-password")
    _client, unknown = sign_in("alicf@example.com", "not-her-password")
    assert wrong.status_code == unknown.status_code == 200
    assert without_tokens(wrong, "alice@") == without_tokens(unknown, "alicf@")


def test_a_new_person_signs_up_confirms_the_address_and_is_led_to_enrolment(cast: Cast) -> None:
    client = Client()
    answer = client.post("/accounts/signup/", {"email": "new@example.com", "password1": GOOD_PASSWORD})
    assert answer["Location"] == "/accounts/confirm-email/"
    assert not is_signed_in(client)
    client.post("/accounts/confirm-email/", {"code": code_in(mails_to("new@example.com")[0])})
    assert is_signed_in(client)
    assert client.get("/family/")["Location"] == "/enroll/"


def test_signing_up_with_an_address_that_is_taken_looks_the_same(cast: Cast) -> None:
    """H02; the owner of the address is told by mail, and nobody else."""
    answers = []
    for email in ("alicf@example.com", "alice@example.com"):
        client = Client()
        first = client.post("/accounts/signup/", {"email": email, "password1": GOOD_PASSWORD})
        page = client.get(first["Location"])
        answers.append((first.status_code, first["Location"], page.status_code, without_tokens(page, email)))
    assert answers[0] == answers[1]
    assert User.objects.filter(email="alice@example.com").count() == 1
    assert "already exists" in mails_to("alice@example.com")[0]


def test_a_code_of_the_address_can_be_tried_three_times(cast: Cast) -> None:
    """H25: limited, dead after use."""
    client = Client()
    client.post("/accounts/signup/", {"email": "new@example.com", "password1": GOOD_PASSWORD})
    code = code_in(mails_to("new@example.com")[0])
    for _try in range(3):
        client.post("/accounts/confirm-email/", {"code": "WRONG1"})
    client.post("/accounts/confirm-email/", {"code": code})
    assert not is_signed_in(client)


def test_asking_for_a_new_password_looks_the_same_for_every_address(cast: Cast) -> None:
    """H02."""
    answers = [
        Client().post("/accounts/password/reset/", {"email": e}) for e in ("alice@example.com", "no@example.com")
    ]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, "/accounts/password/reset/done/")}
    assert len(mails_to("alice@example.com")) == 1
    assert "do not have any record" in mails_to("no@example.com")[0]


def test_a_new_password_is_set_by_the_link_and_ends_other_sessions(cast: Cast) -> None:
    """H13."""
    elsewhere, _answer = sign_in("alice@example.com")
    client = Client()
    client.post("/accounts/password/reset/", {"email": "alice@example.com"})
    form = client.get(link_in(mails_to("alice@example.com")[0]), follow=True)
    client.post(form.request["PATH_INFO"], {"password1": GOOD_PASSWORD, "password2": GOOD_PASSWORD})
    assert not is_signed_in(elsewhere)
    assert not is_signed_in(client), "the new password still has to be used, with the second factor"
    assert is_signed_in(sign_in("alice@example.com", GOOD_PASSWORD)[0])


@pytest.mark.parametrize("host", ["evil.example", "testserver:443@evil.example"])
def test_a_foreign_host_is_refused(cast: Cast, host: str) -> None:
    """H23."""
    answer = Client().post("/accounts/password/reset/", {"email": "alice@example.com"}, headers={"host": host})
    assert answer.status_code == 400
    assert not Mail.objects.exists()


def test_links_in_mails_carry_the_portals_own_host_whatever_was_asked(cast: Cast, settings: object) -> None:
    """H23: also where several hosts are allowed, and where a proxy passes another on."""
    settings.ALLOWED_HOSTS = ["*"]  # type: ignore[attr-defined]
    settings.PORTAL_URL = "https://portal.example"  # type: ignore[attr-defined]
    Client().post("/accounts/password/reset/", {"email": "alice@example.com"}, headers={"host": "evil.example"})
    Client().post("/accounts/password/reset/", {"email": "no@example.com"}, headers={"host": "evil.example"})
    texts = mails_to("alice@example.com") + mails_to("no@example.com")
    assert len(texts) == 2
    assert all("https://portal.example/accounts/" in text and "evil" not in text for text in texts)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("correcthorsebatterystaple", "leaked"),
        ("qwertyuiop123456", "a walk over the keyboard"),
        ("passwordpassword", "common"),
        ("P@ssw0rd1234", "leet"),
        ("alicerivera2026", "her address"),
        ("MeridianHealth1", "the portal's name"),
        ("short-one", "too short"),
        ("x7" * 65, "too long"),
    ],
)
def test_breached_common_and_guessable_passwords_are_refused(cast: Cast, password: str, why: str) -> None:
    client = Client()
    answer = client.post("/accounts/signup/", {"email": "alice.rivera@example.org", "password1": password})
    assert answer.status_code == 200, why
    assert not User.objects.filter(email="alice.rivera@example.org").exists()


def test_a_session_gets_a_new_id_at_sign_in(cast: Cast) -> None:
    """H12: session fixation."""
    client = Client()
    session = client.session
    session["planted"] = "1"
    session.save()
    client.cookies["session"] = session.session_key
    sign_in("alice@example.com", client=client)
    assert is_signed_in(client)
    assert client.cookies["session"].value != session.session_key
    thief = Client()
    thief.cookies["session"] = session.session_key
    assert not is_signed_in(thief)


def test_the_next_address_never_leads_elsewhere(cast: Cast) -> None:
    client = Client()
    answer = client.post(LOGIN, {"login": "alice@example.com", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"].startswith("/")


def test_a_user_who_is_switched_off_cannot_sign_in(cast: Cast) -> None:
    User.objects.filter(pk=cast.alice.user.pk).update(is_active=False)
    client, _answer = sign_in("alice@example.com")
    assert not is_signed_in(client)


def test_a_changed_address_is_confirmed_first_and_the_old_one_is_told(cast: Cast) -> None:
    """H21."""
    client, _answer = sign_in("alice@example.com")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/accounts/email/", {"email": "alice@new.example", "action_add": ""})
    assert User.objects.get(pk=cast.alice.user.pk).email == "alice@example.com"
    client.post("/accounts/confirm-email/", {"code": code_in(mails_to("alice@new.example")[0])})
    assert User.objects.get(pk=cast.alice.user.pk).email == "alice@new.example"
    assert "alice@new.example" in mails_to("alice@example.com")[0]


def test_the_language_is_kept_with_the_user_and_comes_back_on_another_browser(cast: Cast) -> None:
    client, _answer = sign_in("alice@example.com")
    answer = client.post("/settings/language/", {"language": "es", "next": "/settings/"})
    assert (answer["Location"], answer.cookies["django_language"].value) == ("/settings/", "es")
    _other, answer = sign_in("alice@example.com")
    assert answer.cookies["django_language"].value == "es"


def test_the_language_switch_leads_nowhere_else_and_takes_known_languages_alone(cast: Cast) -> None:
    answer = Client().post("/settings/language/", {"language": "xx", "next": "https://evil.example/"})
    assert answer["Location"] == "/"
    assert "django_language" not in answer.cookies


def without_tokens(answer: object, email: str) -> str:
    """A page without what differs by itself: CSRF tokens, nonces, and the address that was typed."""
    text = answer.content.decode().replace(email, "")  # type: ignore[attr-defined]
    return re.sub(r'(name="csrfmiddlewaretoken" value|nonce)="[^"]*"', "", text)


def link_in(text: str) -> str:
    found = re.search(r"https?://[^/]+(/accounts/\S+)", text)
    assert found, text
    return found[1]
