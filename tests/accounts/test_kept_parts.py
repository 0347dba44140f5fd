"""The parts of a page that are kept in the process tell nothing of who was served first."""

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from accounts.templatetags import kept
from tests.conftest import Cast


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """Each test begins with a process that has served nobody."""
    kept._rendered.cache_clear()


def page(user: object, address: str = "overview") -> str:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client.get(reverse(address)).content.decode()


def test_nothing_of_one_member_stands_in_what_another_is_served(cast: Cast) -> None:
    """FAULTS M08: Charlie is served from what Alice's page left behind."""
    first, second = page(cast.alice.user), page(cast.charlie.user)
    assert "alice@example.com" in first
    assert "alice" not in second.lower()
    assert "charlie@example.com" in second


def test_a_kept_part_knows_nobody(cast: Cast) -> None:
    page(cast.alice.user)
    html = kept._rendered("layouts/_account_menu.html", "en", True, ("", False, "", "", ""), ())
    assert "@" not in html


def test_each_form_has_the_token_of_the_session_that_it_is_served_to(cast: Cast) -> None:
    for user in (cast.alice.user, cast.charlie.user):
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        html = client.get(reverse("overview")).content.decode()
        assert kept.TOKEN not in html
        part = html[html.index('id="session-warning"') :]
        token = part.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        answer = client.post(reverse("account_logout"), {"csrfmiddlewaretoken": token})
        assert answer.status_code == 302


@override_settings(SUPPORT_HOURS="24/7")  # untranslated: nothing but the language tells the two apart
def test_each_language_and_each_section_has_its_own(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.alice.user)
    assert "Main" in client.get(reverse("overview")).content.decode()
    spanish = client.get(reverse("overview"), HTTP_ACCEPT_LANGUAGE="es").content.decode()
    assert "Saltar al contenido principal" in spanish or "Ir al contenido principal" in spanish
    assert f'href="{reverse("bills")}" aria-current="page"' in page(cast.alice.user, "bills")
    assert f'href="{reverse("bills")}" aria-current="page"' not in page(cast.alice.user)


def test_a_changed_name_or_telephone_shows_at_once(cast: Cast) -> None:
    assert "Meridian Health" in page(cast.alice.user)
    with override_settings(PORTAL_NAME="Harbor Plan", SUPPORT_PHONE="1-800-555-0199"):
        html = page(cast.alice.user)
    assert "Meridian Health" not in html
    assert html.count("1-800-555-0199") == 2


@pytest.mark.parametrize(
    ("path", "found"), [("/bills/", "/bills/"), ("/bills/AB12/", "/bills/"), ("/", ""), ("", ""), ("/bills", "")]
)
def test_the_section_is_the_first_part_of_the_address(path: str, found: str) -> None:
    assert kept.section(path) == found
