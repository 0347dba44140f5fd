"""A process killed with `kill -9` in the middle of a payment: exactly one charge, and a book that holds."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection
from django.utils import timezone

from bills.models import Bill
from payments import checkout, sweeping
from payments.models import Payment
from tests.payments.paying import balance, charges, drifting_accounts, trial_balance
from tests.payments.test_lost_replies import sweep_later
from tests.stripe_sandbox.conftest import Server

Draft = Callable[..., Payment]
ROOT = Path(__file__).parents[2]

# What the web process runs for a payment, stopped where `{stop}` says.
CONFIRM = """
import os, time, django
django.setup()
from payments import checkout, gateway, settlement
from payments.models import Payment
{stop}
checkout.confirm(Payment.objects.get(pk={payment}))
"""
STOPS = {
    "P1 before the attempt row": "checkout._submit = lambda *given: time.sleep(60)",
    "P2 after the attempt, before the call": "gateway.charge = lambda request: time.sleep(60)",
    "P4 the provider has charged, the reply is on its way": "",
    "P5 the reply in hand, before commit": "settlement._post = lambda payment: time.sleep(60)",
}
CHARGED = {name: name.startswith(("P4", "P5")) for name in STOPS}


def database_url() -> str:
    found = connection.settings_dict
    return f"postgresql://{found['USER']}@/{found['NAME']}?host={found['HOST']}"


def kill_in(code: str, until: Callable[[], bool]) -> None:
    """Run code in a process of its own and kill it once `until` holds."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "billing_portal.settings", "DATABASE_URL": database_url(),
        "STRIPE_API_BASE": settings.STRIPE_API_BASE, "STRIPE_TIMEOUT_SECONDS": "30",
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment)
    deadline = time.monotonic() + 30
    while not until():
        assert process.poll() is None, "the process ended by itself"
        assert time.monotonic() < deadline, "the process never came to the point"
        time.sleep(0.05)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("point", STOPS)
def test_a_killed_web_process_leaves_one_charge(point: str, provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS E02 at P1, P2, P4, P5."""
    payment = draft(5_000)
    if point.startswith("P4"):
        provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")

    def is_there() -> bool:
        if CHARGED[point]:
            return len(charges()) == 1
        return Payment.objects.get(pk=payment.pk).status == ("draft" if point.startswith("P1") else "submitted")

    kill_in(CONFIRM.format(stop=STOPS[point], payment=payment.pk), is_there)
    payment.refresh_from_db()
    assert payment.status == ("draft" if point.startswith("P1") else "submitted")
    assert balance(bill) == 18_500

    payment = checkout.confirm(payment) if payment.status == "draft" else sweep_later(payment)
    assert payment.status == "succeeded"
    assert len(charges()) == 1
    assert balance(bill) == 13_500
    assert drifting_accounts() == [] and trial_balance() == 0


@pytest.mark.slow
def test_two_kills_in_a_row_still_end_right(provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS E03: the sweeper itself is killed after the charge, and begun again."""
    payment = draft(5_000)
    stop = STOPS["P2 after the attempt, before the call"]
    kill_in(
        CONFIRM.format(stop=stop, payment=payment.pk),
        lambda: Payment.objects.get(pk=payment.pk).status == "submitted",
    )
    sweeper = """
import time, django
django.setup()
from payments import settlement, sweeping, moving
settlement._post = lambda payment: time.sleep(60)
sweeping.resolve(moving.current({payment}))
"""
    kill_in(sweeper.format(payment=payment.pk), lambda: len(charges()) == 1)
    assert sweeping.resolve(Payment.objects.get(pk=payment.pk)).status == "succeeded"
    assert len(charges()) == 1
    assert balance(bill) == 13_500


def start_worker(queue: str) -> subprocess.Popen[bytes]:
    """A real Celery worker on the test database, listening to a queue of its own."""
    environment = os.environ | {
        "DATABASE_URL": database_url(), "REDIS_URL": settings.REDIS_URL,
        "STRIPE_API_BASE": settings.STRIPE_API_BASE, "STRIPE_TIMEOUT_SECONDS": "30",
    }  # fmt: skip
    command = ["-m", "celery", "-A", "billing_portal", "worker", "-P", "solo", "-Q", queue, "-l", "ERROR"]
    return subprocess.Popen(
        [sys.executable, *command, "--without-mingle", "--without-gossip"], cwd=ROOT, env=environment
    )


def wait_until(is_so: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be so"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_worker_killed_between_charge_and_commit_ends_in_one_charge(
    provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS E01 at P4: the reply hangs, the worker is killed, and the next one finds the charge."""
    queue = f"crash-{uuid.uuid4().hex[:8]}"
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_before")
    payment = checkout.confirm(draft(5_000))
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")

    Payment.objects.filter(pk=payment.pk).update(asked_at=timezone.now() - dt.timedelta(hours=1))
    worker = start_worker(queue)
    try:
        current_app.send_task("payments.tasks.sweep", queue=queue)
        wait_until(lambda: len(charges()) == 1)
    finally:
        worker.kill()
        worker.wait()
    assert Payment.objects.get(pk=payment.pk).status == "submitted"

    Payment.objects.filter(pk=payment.pk).update(asked_at=timezone.now() - dt.timedelta(hours=1))
    worker = start_worker(queue)
    try:
        current_app.send_task("payments.tasks.sweep", queue=queue)
        wait_until(lambda: Payment.objects.get(pk=payment.pk).status == "succeeded")
    finally:
        worker.kill()
        worker.wait()
    assert len(charges()) == 1
    assert balance(bill) == 13_500
    assert drifting_accounts() == [] and trial_balance() == 0
