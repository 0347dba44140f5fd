"""A process killed with `kill -9` in the middle of a payment: exactly one charge, and a book that holds."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

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
    "P1 before the attempt row": "checkout._submit = lambda pk: time.sleep(60)",
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

    if payment.status == "draft":
        payment = checkout.confirm(payment)
    else:
        payment = sweep_later(payment)
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
