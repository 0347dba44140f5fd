"""Bringing a seed to rest after each step, as the schedule and time would: webhooks arrive, tasks run, time passes."""

import contextlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kombu.exceptions import KombuError

from billing_portal.celery import app
from tests.faults.book import Book
from tests.faults.provider import Provider

ROUNDS = 15
TASK_SECONDS = 4.0  # a task that is not told of by then was lost, and is sent again
PATIENCE_SECONDS = 0.5

WAITING = "SELECT count(*) FROM payments_stripeevent WHERE outcome = 'waiting'"
UNKNOWN = """
    SELECT (SELECT count(*) FROM payments_payment WHERE household_id = %s AND status = 'submitted')
         + (SELECT count(*) FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
            WHERE p.household_id = %s AND r.status = 'submitted')
"""


class NotSettled(AssertionError):
    """A seed did not come to rest: something stays undecided (M8, M10)."""


@dataclass
class Settling:
    """How one run comes to rest, and how long it took."""

    book: Book
    provider: Provider
    done_dir: Path
    revive_worker: Callable[[], bool]
    seconds: list[float] = field(default_factory=list)
    simulated_seconds: int = 0
    tasks_lost: int = 0
    workers_ended: int = 0

    def rest(self, house: int, *, passes: bool = False) -> None:
        """Until nothing waits and nothing is unknown. `passes`: time passes, also where nothing seems to be amiss.

        Raises NotSettled.
        """
        started = time.monotonic()
        for number in range(ROUNDS):
            self._deliver(later=number > 0)
            self.run("payments.tasks.work_off_inbox")
            if self._waits_in_vain() or passes or self.book.one(UNKNOWN, house, house):
                passes = False
                self.pass_time(house, seconds=90)
                continue
            self.seconds.append(time.monotonic() - started)
            return
        events = self.book.rows("SELECT type, tries, reason FROM payments_stripeevent WHERE outcome = 'waiting'")
        unknown = self.book.rows("SELECT number, status, attempt FROM payments_payment WHERE household_id = %s", house)
        raise NotSettled(f"still undecided after {ROUNDS} rounds: {unknown} {events}")

    def pass_time(self, house: int, *, seconds: int) -> None:
        """Let time pass, here and at the provider, and let the sweeper look."""
        self.simulated_seconds += seconds
        self.book.let_time_pass(house, seconds=seconds)
        self.provider.post("clock/advance", seconds=seconds)
        self.run("payments.tasks.sweep")

    def nudge(self, house: int) -> None:
        """Let time pass and the sweeper look, without waiting for what becomes of it."""
        self.book.let_time_pass(house, seconds=90)
        self.provider.post("clock/advance", seconds=90)
        self._send("payments.tasks.sweep", uuid.uuid4().hex)

    def run(self, task: str) -> None:
        """Send a task as the schedule does, and wait until a worker has done it; what is lost is sent again."""
        for _attempt in range(8):
            task_id = uuid.uuid4().hex
            done = self.done_dir / task_id
            with contextlib.suppress(OSError, KombuError):
                self._send(task, task_id)
                end = time.monotonic() + TASK_SECONDS
                while time.monotonic() < end:
                    if done.exists():
                        done.unlink()
                        return
                    time.sleep(0.004)
            self.tasks_lost += 1
            self.workers_ended += self.revive_worker()
        raise NotSettled(f"no worker does {task}")

    @staticmethod
    def _send(task: str, task_id: str) -> None:
        app.send_task(task, task_id=task_id, ignore_result=True, retry=False)

    def _deliver(self, *, later: bool) -> None:
        """Let webhooks come, also those that are tried again later, or were let go late."""
        if later:
            self.provider.post("clock/advance", seconds=60)
            self.simulated_seconds += 60
        self.provider.post("webhooks/flush")

    def _waits_in_vain(self) -> bool:
        """Whether an event still waits after a moment: another process may be at it."""
        end = time.monotonic() + PATIENCE_SECONDS
        while self.book.one(WAITING):
            if time.monotonic() > end:
                return True
            time.sleep(0.005)
        return False
