"""Stripe's book against ours, line by line and both ways, to the cent: daily, and after any outage (FAULTS D19 to D25).

It goes by balance transactions, which Stripe keeps for ever, and not by events: so it heals an endpoint that was down
for 31 days (C15), and a database restored to half an hour ago (E12). Span after span is listed, stored and compared;
each step may be repeated, so a run that was broken off is taken up where it was. Memory holds one page.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice

from django.db import connection
from django.db.models import Max, QuerySet
from django.utils import timezone

from activity.recording import record
from payments import balance_lines, freezing, gateway, matching, overdue, payouts, statement, sweeping
from payments.models import BalanceTransaction, Dispute, ReconciliationRun
from payments.provider import BalanceRow, GatewayError, Unauthorized

logger = logging.getLogger(__name__)

LOCK = 0x1B02  # of PostgreSQL's advisory locks: one reconciliation at a time
SPAN = dt.timedelta(days=1)
OVERLAP = dt.timedelta(days=1)  # listed again: a line that Stripe wrote late is not missed
BATCH = 500
BEGINNING = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
Told = Callable[[ReconciliationRun], object]


class AlreadyRunning(Exception):
    """Another reconciliation is under way."""


def run(
    *, since: dt.datetime | None = None, until: dt.datetime | None = None, on_step: Told = lambda run: None
) -> ReconciliationRun:
    """Reconcile from `since` on; without it, from where the last run came to, or from the account's beginning.

    `on_step` is told of the run after every batch. Raises AlreadyRunning; what breaks off raises too, after the run has
    been marked as failed: the next goes on from there. provider.GatewayError where Stripe does not answer.
    """
    with _alone():
        until = until or timezone.now()
        found = ReconciliationRun.objects.create(since=since or _reached(), until=until)
        ReconciliationRun.objects.filter(status="running").exclude(pk=found.pk).update(status="failed")
        try:
            _work_off(found, on_step)
        except Exception as error:
            found.status, found.message = ReconciliationRun.Status.FAILED, type(error).__name__
            found.save()
            raise
        found.status, found.finished_at = ReconciliationRun.Status.FINISHED, timezone.now()
        found.save()
        record("reconciliation.finished", subject=f"reconciliation:{found.pk}", actor="system", run_id=found.pk)
    return found


def _work_off(found: ReconciliationRun, on_step: Told) -> None:
    for start, end in _spans(found.since, found.until):
        _store(found, start, end, on_step)
        _compare(found, on_step)
        found.reached_at = end
        found.save()
    _ask_about_the_undecided(found.until)
    _follow_disputes(found.since)
    payouts.compare(found)
    freezing.compare(found)
    overdue.look(now=found.until)


def _spans(since: dt.datetime | None, until: dt.datetime) -> Iterator[tuple[dt.datetime | None, dt.datetime]]:
    """The spans to list, the earliest first, each a day; the first run's first span reaches back without end."""
    start = since
    while start is None or start < until:
        end = until if start is None else min(start + SPAN, until)
        yield start, end
        start = end


def _store(found: ReconciliationRun, start: dt.datetime | None, end: dt.datetime, on_step: Told) -> None:
    """List a span and keep its lines, a page at a time."""
    rows = gateway.balance_rows(start, end + dt.timedelta(seconds=1))
    while page := list(islice(rows, gateway.PAGE_SIZE)):
        stored = BalanceTransaction.objects.filter(stripe_id__in=[row.id for row in page])
        known = set(stored.values_list("stripe_id", flat=True))
        for row in balance_lines.store(page):
            payouts.changed(row, run=found)
        _count_new(found, [row for row in page if row.id not in known])
        on_step(found)


def _count_new(found: ReconciliationRun, rows: list[BalanceRow]) -> None:
    found.lines += len(rows)
    found.fees_cents += sum(balance_lines.fee_cents(row) for row in rows)
    found.payouts_cents += sum(balance_lines.payout_cents(row) for row in rows)


def _compare(found: ReconciliationRun, on_step: Told) -> None:
    """Compare every line that waits, the earliest first: of this span, and of former ones that Stripe left open."""
    found.waiting, at, last = 0, BEGINNING, 0
    while batch := list(_waiting_after(at, last)[:BATCH]):
        at, last = batch[-1].created_at, batch[-1].pk
        cents = matching.in_bulk([line.stripe_id for line in batch])
        found.matched += len(cents)
        found.matched_cents += sum(abs(amount) for amount in cents)
        left = BalanceTransaction.objects.filter(pk__in=[line.pk for line in batch], outcome="waiting")
        for line in left.order_by("created_at", "pk"):
            _count(found, line, _came(line, found))
        on_step(found)


def _waiting_after(at: dt.datetime, pk: int) -> QuerySet[BalanceTransaction]:
    """The lines that wait, the earliest first, after one of them: those that stay waiting are not asked about twice."""
    waiting = BalanceTransaction.objects.filter(outcome=BalanceTransaction.Outcome.WAITING, created_at__gte=at)
    return waiting.exclude(created_at=at, pk__lte=pk).order_by("created_at", "pk")


def _came(line: BalanceTransaction, found: ReconciliationRun) -> matching.Came:
    """What comes of a line; one that cannot be asked about waits, and stops no other. Raises Unauthorized."""
    try:
        return matching.one(line, run=found)
    except Unauthorized:
        raise
    except GatewayError as error:
        logger.warning("line %s could not be asked about (%s)", line.stripe_id, type(error).__name__)
    except Exception:  # whatever is wrong with one line must not stop the others
        logger.exception("line %s could not be compared", line.stripe_id)
    return matching.Came.WAITING


def _count(found: ReconciliationRun, line: BalanceTransaction, came: matching.Came) -> None:
    cents = abs(line.amount_cents)
    if came in (matching.Came.MATCHED, matching.Came.ADOPTED):
        found.matched += 1
        found.matched_cents += cents
        found.adopted += came == matching.Came.ADOPTED
    elif came == matching.Came.ONLY_THERE:
        found.only_there += 1
        found.only_there_cents += cents
    elif came == matching.Came.DIFFERS:
        found.differing += 1
        found.differing_cents += cents
    else:
        found.waiting += 1


def _ask_about_the_undecided(until: dt.datetime) -> None:
    """Ask about every payment on its way: what was canceled at Stripe is closed here (FAULTS D22)."""
    for payment in freezing.undecided(before=until):
        try:
            sweeping.resolve(payment)
        except Unauthorized:
            raise
        except Exception:
            logger.exception("payment %s could not be asked about", payment.pk)


def _follow_disputes(since: dt.datetime | None) -> None:
    """Take in disputes that moved no money yet (inquiries), and where those stand that are open here."""
    seen = set()
    for state in statement.disputes_since(since or BEGINNING):
        seen.add(state.id)
        matching.take_dispute(state)
    for dispute_id in Dispute.objects.filter(closed_at__isnull=True).values_list("stripe_dispute_id", flat=True):
        if dispute_id not in seen:
            matching.take_dispute(statement.dispute(dispute_id))


def _reached() -> dt.datetime | None:
    reached: dt.datetime | None = ReconciliationRun.objects.aggregate(at=Max("reached_at"))["at"]
    return reached and reached - OVERLAP


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock of reconciliations; where a process is killed, it goes with its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, 0)", [LOCK])
        if not cursor.fetchone()[0]:
            raise AlreadyRunning("another reconciliation is under way")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [LOCK])
