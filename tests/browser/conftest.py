"""The portal in a real browser: gunicorn on a port of its own, on the test database, with real commits.

def test_she_sees_what_she_owes(site, real_cast, sign_in):
    page = sign_in(real_cast.alice.user)
    page.goto(f"{site}/overview/")
"""

import datetime as dt
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import User
from billing_portal.demo import clock
from tests.provider import provider, provider_process  # noqa: F401
from tests.smtp import mailbox  # noqa: F401
from tests.stripe_sandbox.conftest import Server, free_port

ROOT = Path(__file__).parents[2]
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
START_SECONDS = 60
TIMEOUT_MS = 15_000

# Playwright runs a loop in this thread; the tests' own queries are not run inside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder drives a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in Path(item.fspath).parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def clock_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the portal of these tests looks for what time it is."""
    return tmp_path_factory.mktemp("clock")


@pytest.fixture
def set_clock(site: str, clock_directory: Path) -> Iterator[Callable[[dt.datetime], None]]:
    """Puts the portal's clock to a moment; it goes right again after the test."""

    def put(shift_seconds: float) -> None:
        clock.write(clock_directory, shift_seconds=shift_seconds, goal="")
        time.sleep(3 * clock.LOOK_SECONDS)

    yield lambda moment: put(moment.timestamp() - clock.real_now())
    put(0.0)


@pytest.fixture(scope="session")
def site(
    django_db_setup: None,
    django_db_blocker: Any,
    provider_process: Server,  # noqa: F811
    clock_directory: Path,
) -> Iterator[str]:
    """The portal's address: gunicorn as in production, on the test database and the tests' payment provider."""
    port = free_port()
    with django_db_blocker.unblock():
        database = _database_url()
    environment = {
        **os.environ,
        "DATABASE_URL": database,
        "PORTAL_URL": f"http://127.0.0.1:{port}",
        "STRIPE_API_BASE": provider_process.url,
        "STRIPE_JS_URL": f"{provider_process.url}/v3/",
        "WEB_CONCURRENCY": "1",
        "WEB_THREADS": "4",
    }
    command = [
        sys.executable,
        "-m",
        "tests.browser.clocked",
        str(clock_directory),
        "-c",
        "gunicorn.conf.py",
        "-b",
        f"127.0.0.1:{port}",
    ]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health/live", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=40)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for the whole run."""
    playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(chromium: Any, site: str) -> Iterator[Callable[..., Any]]:
    """Opens pages of people who are not signed in: `visitor(language="es")`."""
    opened = []

    def open_page(*, language: str = "en", **options: Any) -> Any:
        context = chromium.new_context(locale={"en": "en-US", "es": "es-MX"}[language], **options)
        context.set_default_timeout(TIMEOUT_MS)
        opened.append(context)
        return context.new_page()

    yield open_page
    for context in opened:
        context.close()


@pytest.fixture
def sign_in(visitor: Callable[..., Any], site: str, real_db: None) -> Callable[..., Any]:
    """Opens a page of somebody signed in: `sign_in(user, language="es")`. The form has its own tests."""

    def open_page(user: User, *, language: str = "en", **options: Any) -> Any:
        page = visitor(language=language, **options)
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie.value, "url": site}])
        return page

    return open_page


def _database_url() -> str:
    """The test database as DATABASE_URL."""
    entry = connection.settings_dict
    options = {**entry["OPTIONS"], "host": entry["HOST"]}
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in options.items() if value)
    port = f":{entry['PORT']}" if entry["PORT"] else ""
    login = quote(entry["USER"]) + (f":{quote(entry['PASSWORD'])}" if entry["PASSWORD"] else "")
    host = entry["HOST"] if not entry["HOST"].startswith("/") else ""
    return f"postgresql://{login}@{host}{port}/{entry['NAME']}?{query}"


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (OSError, urllib.error.URLError):
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise RuntimeError("the portal did not start")
