"""Whether the portal lives and whether it can serve: each part is really asked."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from pytest_django import Settings

from billing_portal import health
from tests.provider import provider, provider_process  # noqa: F401
from tests.stripe_sandbox.conftest import Server

WORKER_START_SECONDS = 60


@pytest.fixture(autouse=True)
def _ask_anew() -> None:
    """Nothing that another test was answered is kept."""
    for ask in health.PARTS.values():
        if isinstance(ask, health.Kept):
            ask.forget()


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """A real Celery worker on the tests' own broker."""
    command = [sys.executable, "-m", "celery", "-A", "billing_portal", "worker", "--pool", "solo", "--without-gossip",
               "--without-mingle", "--hostname", f"health-{os.getpid()}@test"]  # fmt: skip
    process = subprocess.Popen(
        command,
        env=os.environ | {"REDIS_URL": django_settings.REDIS_URL},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    yield process
    process.terminate()
    process.wait(30)


def until(holds: Callable[[], bool]) -> None:
    """Wait until `holds`, at most WORKER_START_SECONDS."""
    deadline = time.monotonic() + WORKER_START_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.5)


def test_a_live_process_says_so(client: Client) -> None:
    """Live asks nothing of anybody: no database is allowed in this test."""
    answer = client.get("/health/live")
    assert answer.status_code == 200
    assert answer.json() == {"status": "live"}


@pytest.mark.slow
@pytest.mark.django_db
def test_it_is_ready_when_every_part_answers(
    client: Client,
    provider: Server,  # noqa: F811
    worker: subprocess.Popen[bytes],
) -> None:
    """200 with the real database, Valkey, worker and sandbox; 503 as soon as the worker is gone."""
    until(lambda: client.get("/health/ready").status_code == 200)
    answer = client.get("/health/ready")
    assert answer.json()["status"] == "ready"
    assert set(answer.json()["parts"]) == {"web", "database", "migrations", "broker", "worker", "payment_provider"}
    assert all(part["ok"] for part in answer.json()["parts"].values())
    worker.terminate()
    worker.wait(30)
    until(lambda: client.get("/health/ready").status_code == 503)
    assert client.get("/health/ready").json()["parts"]["worker"] == {"ok": False, "fault": "none answers"}


@pytest.mark.django_db
def test_it_names_what_does_not_answer(client: Client, settings: Settings) -> None:
    """No worker, no provider: 503, each named, the others in order."""
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    parts = answer.json()["parts"]
    assert [name for name, part in parts.items() if not part["ok"]] == ["worker", "payment_provider"]
    assert answer.json()["status"] == "not ready"


@pytest.mark.django_db
def test_a_broker_that_is_away_is_named_at_once(client: Client, settings: Settings) -> None:
    """The worker is not waited for where nobody could hand it the question."""
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    started = time.monotonic()
    parts = client.get("/health/ready").json()["parts"]
    assert not parts["broker"]["ok"]
    assert parts["worker"]["fault"] == "the broker does not answer"
    assert time.monotonic() - started < 5


@pytest.mark.django_db
def test_a_migration_that_waits_is_named(client: Client) -> None:
    """Code that is newer than its database does not serve."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'notifications'")
    assert client.get("/health/ready").json()["parts"]["migrations"]["fault"].endswith("not applied")


@pytest.mark.django_db
def test_a_database_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no connection can be had (another thread, so another connection), that is the answer, not an error."""
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(health.database).result() == health.Part(ok=False, fault="does not answer")
        assert pool.submit(health.PARTS["migrations"]).result().fault == "the database does not answer"


@pytest.mark.django_db
def test_it_tells_nothing_that_helps_an_attacker(client: Client, settings: Settings) -> None:
    """FAULTS N06: no address, version, user or key, whatever fails."""
    settings.REDIS_URL = "redis://:s3cr3tword@127.0.0.1:9/0"
    page = client.get("/health/ready").content.decode()
    for word in ("s3cr3tword", "127.0.0.1", "redis://", "postgres", "sk_", "Traceback", str(Path.cwd())):
        assert word not in page


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/health/live", "/health/ready"])
def test_it_may_only_be_read(client: Client, address: str) -> None:
    """FAULTS C20, of these addresses."""
    assert client.post(address).status_code == 405
    assert client.head(address).status_code in (200, 503)


@pytest.mark.django_db
def test_a_crowd_of_questions_costs_one_ping(client: Client, settings: Settings) -> None:
    """Anybody may ask: what costs others something is kept for a moment."""
    client.get("/health/ready")
    started = time.monotonic()
    for _ in range(5):
        assert client.get("/health/ready").status_code == 503
    assert time.monotonic() - started < health.WORKER_TIMEOUT_SECONDS * 3
