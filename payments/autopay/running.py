"""The run: queued charges are taken, committed, sent at the common pace, and settled, until none is left.

Only this thread speaks to the database, over one connection; the calls wait in threads that hold none. At each moment
no more is committed than is about to be sent, so that a worker that is told to stop, or dies, leaves the rest queued.
What it had committed and not sent, the sweeper sends with the same key (FAULTS E14 to E17, E28 to E30).
"""

import datetime as dt
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Count

from accounts.models import User
from activity.recording import open_work
from payments import clocks, customers, gateway, moving, refusing, settlement_batches
from payments.autopay import pace, planning, submitting
from payments.autopay.submitting import Submitted
from payments.models import AutopayCharge
from payments.provider import GatewayError, Intent, Refused, Unauthorized, Unknown

logger = logging.getLogger(__name__)

BATCH = 32  # charges taken in one transaction
AHEAD = 16  # committed beyond what the threads have in hand, so that none of them waits for a commit
GATHER_SECONDS = 0.1  # answers of so long are settled together
MOST_REFUSED = 5  # on end: then something is wrong with all of them (FAULTS B11)
TIME_IS_UP = "time is up"
Answer = Intent | GatewayError


@dataclass(slots=True)
class Report:
    """What a run did. `stopped` says why it ended with charges left, and is empty where none are."""

    planned: int = 0
    done: int = 0
    failed: int = 0
    undecided: int = 0
    left_out: int = 0
    stopped: str = ""


def run(
    *, today: dt.date | None = None, seconds: float | None = None, stop: threading.Event | None = None,
    on_step: Callable[[Report], object] = lambda report: None,
) -> Report:  # fmt: skip
    """Queue what is due on a day, and charge what is queued; any number of these at the same time charge each once.

    It ends when nothing is left, after `seconds`, when `stop` is set, or where the provider refuses our key: then it
    charges nothing more, calls nothing declined, and alarms (FAULTS B10).
    """
    today = today or planning.day()
    clocks.watch()
    report = Report(planned=planning.run(today=today))
    if not AutopayCharge.objects.filter(status=AutopayCharge.Status.QUEUED).exists():
        return report
    try:
        gateway.is_reachable()
    except Unauthorized:
        refusing.report_unauthorized("autopay:run")
        report.stopped = "unauthorized"
        return report
    except Unknown:
        report.stopped = "unreachable"
        return report
    until = time.monotonic() + seconds if seconds is not None else None
    _Run(today, report, until, stop or threading.Event(), on_step).all()
    return report


def why_left_out(day: dt.date) -> dict[str, int]:
    """What was not charged of a day, by the code that says why: how many."""
    left = AutopayCharge.objects.filter(charge_on=day, status__in=("skipped", "not_needed"))
    return dict(left.order_by("code").values_list("code").annotate(count=Count("pk")))


@dataclass(slots=True)
class _Run:
    today: dt.date
    report: Report
    until: float | None
    stop: threading.Event
    on_step: Callable[[Report], object]
    halt: threading.Event = field(default_factory=threading.Event)  # no call is to be begun any more
    calls: dict[Future[Answer], Submitted] = field(default_factory=dict)
    ready: deque[Submitted] = field(default_factory=deque)
    customers: set[str] = field(default_factory=set)  # with a call on its way: Stripe locks them (FAULTS B09)
    refused: int = 0
    is_empty: bool = False

    def all(self) -> None:
        with ThreadPoolExecutor(settings.AUTOPAY_THREADS, thread_name_prefix="autopay") as threads:
            while True:
                self._take()
                self._send(threads)
                if not self.calls:
                    break
                self._settle()
                self.on_step(self.report)
        self.report.undecided += len(self.ready)  # committed and not sent: the sweeper's

    def _take(self) -> None:
        """Commit as many charges as are about to be sent."""
        while not self.is_empty and not self._ends():
            room = settings.AUTOPAY_THREADS + AHEAD - len(self.calls) - len(self.ready)
            if room < min(AHEAD, settings.AUTOPAY_THREADS):
                return
            batch = submitting.submit(limit=min(room, BATCH), today=self.today)
            for user in User.objects.filter(pk__in=batch.without_customer):
                customers.ensure(user)
            self.ready.extend(batch.submitted)
            self.report.left_out += batch.looked_at - len(batch.submitted) - len(batch.without_customer)
            self.is_empty = not batch.looked_at

    def _send(self, threads: ThreadPoolExecutor) -> None:
        """Hand what is ready to the threads, one call a customer at a time."""
        for _number in range(len(self.ready)):
            if self.halt.is_set():
                return
            each = self.ready.popleft()
            if each.request.customer_id in self.customers:
                self.ready.append(each)
            else:
                self.customers.add(each.request.customer_id)
                self.calls[threads.submit(_call, each, self.halt)] = each

    def _settle(self) -> None:
        """Wait for answers, and write down what came."""
        if not any(call.done() for call in self.calls):
            wait(self.calls, return_when=FIRST_COMPLETED)
            self.halt.wait(GATHER_SECONDS)
        answered = [call for call in self.calls if call.done()]
        taken: list[tuple[int, Intent]] = []
        for call in answered:
            each, answer = self.calls.pop(call), call.result()
            self.customers.discard(each.request.customer_id)
            if isinstance(answer, Intent):
                taken.append((each.payment_id, answer))
                self.refused = 0
            else:
                self._mishap(each, answer)
        for status in settlement_batches.apply_many(taken):
            if status == "failed":
                self.report.failed += 1
            else:
                self.report.done += 1

    def _mishap(self, each: Submitted, error: GatewayError) -> None:
        """A call without an answer we can act on: unknown is not failed."""
        if isinstance(error, Unauthorized | Refused):
            refusing.refused(moving.current(each.payment_id), error)
        if isinstance(error, Unauthorized):
            self.halt.set()
            self.report.stopped = "unauthorized"
        if isinstance(error, Refused):
            self.refused += 1
            self.report.failed += 1
            if self.refused >= MOST_REFUSED:
                self.halt.set()
                self.report.stopped = "refused"
                open_work(
                    "payment_conflict", subject="autopay:run", dedupe_key=f"autopay-refused:{self.today}",
                    detail="The provider refused several autopay charges on end. The run has stopped.",
                )  # fmt: skip
        else:
            self.report.undecided += 1

    def _ends(self) -> bool:
        if not self.report.stopped and self.stop.is_set():
            self.report.stopped = "told to stop"
        if not self.report.stopped and self.until is not None and time.monotonic() > self.until:
            self.report.stopped = TIME_IS_UP
        return bool(self.report.stopped)


def _call(each: Submitted, halt: threading.Event) -> Answer:
    """Make one call in its turn; in a thread, without the database."""
    try:
        return pace.in_turn(lambda: gateway.charge(each.request), stop=halt)
    except GatewayError as error:
        return error
    except Exception as error:  # what is wrong with one call must not stop the others: the sweeper asks
        logger.exception("payment %s could not be sent", each.payment_id)
        return Unknown(type(error).__name__)
