"""Headers of every answer, errors, redirects and static files included (FAULTS M06, M07, M09, M14, M15, H18, H23)."""

import json
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from tests import production
from tests.conftest import PASSWORD, Cast

EVERY_ANSWER = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
ADDRESSES = ["/", "/accounts/login/", "/no-such-page/", "/bills/nothing/", "/health/live", "/health/ready", "/admin/",
             "/static/favicon.svg", "/webhooks/stripe/"]  # fmt: skip

INSIDE = ["/.git/config", "/.env", "/metrics", "/admin/doc/", "/var/demo/environment", "/manage.py",
          "/static/../billing_portal/settings.py", "/static/cmsgov/index.html"]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_carries_them(client: Client, address: str) -> None:
    """FAULTS M07, M15: pages, redirects, errors, files."""
    answer = client.get(address)
    for name, value in EVERY_ANSWER.items():
        assert answer.headers[name] == value, f"{name} of {address} ({answer.status_code})"
    assert "payment=(self" in answer.headers["Permissions-Policy"]
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    answer.close()


@pytest.mark.django_db
@pytest.mark.parametrize("address", [address for address in ADDRESSES if not address.startswith("/static/")])
def test_no_page_is_kept_in_a_cache(client: Client, address: str) -> None:
    """FAULTS M09."""
    assert "no-store" in client.get(address).headers["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.urls("tests.billing_portal.broken_urls")
def test_a_server_fault_carries_them(client: Client) -> None:
    """FAULTS M07, M14: a 500 has the headers, says nothing of its cause, and needs nothing to be drawn."""
    client.raise_request_exception = False
    answer = client.get("/raises/")
    assert answer.status_code == 500
    assert "no-store" in answer.headers["Cache-Control"]
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    page = answer.content.decode()
    assert "never taken twice" in page
    assert "Algo salió mal" in page
    for word in ("Traceback", "secret-cause", "Exception", "billing_portal"):
        assert word not in page


@pytest.mark.django_db
def test_what_is_not_there_is_a_plain_page(client: Client) -> None:
    """FAULTS M14: a 404 names no route, and nothing of Django."""
    answer = client.get("/no-such-page/")
    assert answer.status_code == 404
    page = answer.content.decode()
    assert "find that page" in page
    for word in ("urlconf", "Django", "DEBUG", "no policy"):
        assert word not in page


@pytest.mark.django_db
@pytest.mark.parametrize("address", INSIDE)
def test_nothing_of_the_inside_is_served(client: Client, address: str) -> None:
    """FAULTS M14."""
    assert client.get(address).status_code in (302, 404)


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["HTTP_HOST", "HTTP_X_FORWARDED_HOST"])
def test_a_foreign_host_is_not_believed(cast: Cast, header: str, mailoutbox: list[object]) -> None:
    """FAULTS H23."""
    client = Client(**{header: "evil.org"})  # type: ignore[arg-type]
    answer = client.post("/accounts/password/reset/", {"email": cast.alice.user.email})
    assert answer.status_code in (200, 302, 400)
    assert not any("evil.org" in str(getattr(mail, "body", "")) for mail in mailoutbox)
    if header == "HTTP_HOST":
        assert answer.status_code == 400


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_in_plain_words(cast: Cast) -> None:
    """FAULTS H19, M14: the page says that nothing was done, and nothing of its inside."""
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/accounts/login/", {"login": cast.alice.user.email, "password": PASSWORD})
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "nothing was paid" in page
    assert "CSRF" not in page


PRODUCTION_ANSWERS = """
import json, django
from django.conf import settings
django.setup()
from django.test import Client
from django.http import HttpResponse, HttpRequest
from django.middleware.csrf import get_token

insecure = Client(headers={"host": "billing.health-plan.org"}).get("/accounts/login/")
secure = Client(headers={"host": "billing.health-plan.org"}).get("/no-such-page/", secure=True)
foreign = Client(headers={"host": "evil.org"}).get("/no-such-page/", secure=True)
print(json.dumps({
    "insecure": [insecure.status_code, dict(insecure.headers)],
    "secure": [secure.status_code, dict(secure.headers)],
    "foreign": [foreign.status_code, dict(foreign.headers), foreign.content.decode()],
    "cookies": {name: getattr(settings, name) for name in (
        "SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE",
        "SESSION_COOKIE_DOMAIN", "SESSION_COOKIE_PATH",
        "CSRF_COOKIE_NAME", "CSRF_COOKIE_SECURE", "CSRF_COOKIE_SAMESITE",
        "CSRF_COOKIE_DOMAIN", "CSRF_COOKIE_PATH", "LANGUAGE_COOKIE_SECURE")},
}))
"""


@pytest.mark.slow
def test_production_speaks_https_only(tmp_path: Path) -> None:
    """FAULTS M07, H18, H23: redirect, HSTS, `__Host-` cookies, and a foreign host answered with a plain 400."""
    collected = production.python("manage.py", "collectstatic", "--no-input", VAR_DIR=str(tmp_path))
    assert collected.returncode == 0, collected.stderr
    process = production.python(
        "-c", PRODUCTION_ANSWERS, DJANGO_SETTINGS_MODULE="billing_portal.settings", VAR_DIR=str(tmp_path)
    )
    assert process.returncode == 0, process.stderr
    said = json.loads(process.stdout.splitlines()[-1])
    status, headers = said["insecure"]
    assert status == 301
    assert headers["Location"].startswith("https://billing.health-plan.org/")
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    status, headers = said["secure"]
    assert status == 404
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    status, headers, page = said["foreign"]
    assert status == 400
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "ALLOWED_HOSTS" not in page
    assert said["cookies"] == {
        "SESSION_COOKIE_NAME": "__Host-session", "SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax", "SESSION_COOKIE_DOMAIN": None, "SESSION_COOKIE_PATH": "/",
        "CSRF_COOKIE_NAME": "__Host-csrf", "CSRF_COOKIE_SECURE": True, "CSRF_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_DOMAIN": None, "CSRF_COOKIE_PATH": "/", "LANGUAGE_COOKIE_SECURE": True,
    }  # fmt: skip


@pytest.mark.slow
def test_the_deployment_check_finds_nothing() -> None:
    """Django's own list of what a production site needs."""
    process = production.python("manage.py", "check", "--deploy", "--fail-level", "INFO")
    assert process.returncode == 0, process.stderr
    assert "no issues" in process.stdout


def test_staff_users_are_no_exception(cast: Cast) -> None:
    """The cast's Dana is of staff: the admin does not open without a second factor (FAULTS H05)."""
    client = Client()
    client.force_login(User.objects.get(email="dana@example.com"))
    assert client.get("/admin/").status_code in (302, 404)
