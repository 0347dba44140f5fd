"""Telling a worker to look, where there may be nobody to tell."""

import os
import queue
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection, transaction

from activity import doorbell
from activity.models import WorkItem

ROOT = Path(__file__).parents[2]

THREE_PIECES_OF_WORK = """
import time, django
django.setup()
from django.db import transaction
from activity.doorbell import ring
from activity.recording import open_work
for number in range(3):
    began = time.monotonic()
    with transaction.atomic():
        open_work("ledger", subject="x", dedupe_key=str(number))
        ring("payments.tasks.sweep")
print(time.monotonic() - began)
"""


def test_without_a_broker_the_work_is_committed_all_the_same(real_db: None) -> None:
    """FAULTS E05, E06: a bell that cannot be rung fails nothing, and only the first waits for it."""
    database = connection.settings_dict
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "billing_portal.settings",
        "DATABASE_URL": f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}",
        "REDIS_URL": "redis://127.0.0.1:9/0",
    }
    done = subprocess.run(
        [sys.executable, "-c", THREE_PIECES_OF_WORK],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert WorkItem.objects.count() == 3
    assert float(done.stdout) < 0.5


def test_a_bell_rings_only_after_commit(real_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(doorbell, "_send", rung.append)
    with transaction.atomic():
        doorbell.ring("payments.tasks.sweep")
        assert rung == []
    assert rung == ["payments.tasks.sweep"]


def test_the_bells_of_a_burst_are_two_and_the_last_rings_after_all_of_it(
    real_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a hundred webhooks at once none waits for the schedule: a worker looks at once, and again after the last."""
    rung: queue.SimpleQueue[float] = queue.SimpleQueue()
    monkeypatch.setattr(doorbell, "_send", lambda _task_name: rung.put(time.monotonic()))
    monkeypatch.setattr(doorbell, "_rung_at", {})
    for _ in range(100):
        doorbell.ring_for_many("payments.tasks.sweep")
    last = time.monotonic()
    first, second = rung.get(timeout=10), rung.get(timeout=10)
    assert first < last
    assert second >= first + doorbell.PAUSE_SECONDS
    time.sleep(doorbell.PAUSE_SECONDS)
    assert rung.empty() or last > first + doorbell.PAUSE_SECONDS
