"""`autopay…`: the run against the provider's limit, its threads, the least CPU, and the least statement."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bench import databases, premiums, provider
from bench.databases import execute
from bench.frame import Run, benchmark
from billing_portal import celery
from bills import numbers
from bills import premiums as issuing
from ledger.chart import Code, SystemAccount
from ledger.opening import system_id
from payments import gateway
from payments.autopay import announcing, planning, running
from payments.provider import ChargeRequest

MONTH = dt.date(2026, 12, 1)
CUSTOMERS = 200  # charges of one customer follow each other: so many that no two are on their way at once
DUE_ONE_IN = 20  # of the enrolments of `autopay-plan`
LATENCY_MS, RATES = 200, (25, 100)
# Below the limit by what may hold a call up on its way (payments.autopay.pace, WINDOW_SECONDS): as many as the limit
# go in a little more than a second.
BELOW_LIMIT = 0.963
LATENCIES = (0.1, 0.3, 1.0, 3.0)
MOST_CONNECTIONS = 8

USERS = """
    INSERT INTO accounts_user (id, password, is_superuser, email, is_active, is_staff, language, date_joined)
    SELECT n, '', false, 'member-' || n || '@example.com', true, false, 'en', now() FROM generate_series(1, %s) n
"""
CREDITS = """
    INSERT INTO ledger_account (id, type, owner_id, is_control, balance_cents, is_tracked,
        credits_must_not_exceed_debits, debits_must_not_exceed_credits)
    SELECT 50000000 + id, 'liability', id, false, 0, true, false, true FROM accounts_household
"""
METHODS = """
    INSERT INTO payments_paymentmethod (id, user_id, kind, label, nickname, stripe_id, brand, last4, wallet, bank_name,
        fingerprint, is_default, state, stripe_setup_intent_id, deposits_kind, verify_tries, blocked_code, consent_text,
        consent_version, created_at)
    SELECT n, n, 'card', '', '', m.id, 'visa', '4242', '', '', '', false, 'verified', '', '', 0, '', '', '', now()
    FROM unnest(%s::text[]) WITH ORDINALITY AS m (id, n)
"""
CUSTOMER_ROWS = """
    INSERT INTO payments_stripecustomer (user_id, stripe_id)
    SELECT n, c.id FROM unnest(%s::text[]) WITH ORDINALITY AS c (id, n)
"""
ENROLLMENTS = """
    INSERT INTO payments_autopayenrollment (user_id, household_id, covers, coverage_id, method_id, attestation,
        day_rule, status, suspended_code, imported_from, created_at, ended_code)
    SELECT 1 + (c.household_id - 1) %% %s, c.household_id, 'premium', c.id, 1 + (c.household_id - 1) %% %s, '',
        'on_due', 'active', '', '', '2026-01-01', '' FROM accounts_coverage c
"""
CHARGES = """
    INSERT INTO payments_autopaycharge (enrollment_id, household_id, bill_id, cycle, attempt, status, amount_cents,
        due_on, charge_on, method_id, announced_at, code)
    SELECT id, household_id, id, 1, 1, 'announced', 53076, %s, %s::date + (id %% %s)::int, method_id, now(), ''
    FROM payments_autopayenrollment
"""
PLAN_YARDSTICK = """
    UPDATE payments_autopaycharge c SET status = 'queued', queued_at = now()
    FROM payments_autopayenrollment e
    WHERE c.status = 'announced' AND c.charge_on <= %s AND c.charge_on >= %s AND e.id = c.enrollment_id
      AND e.status = 'active'
"""


@contextmanager
def past_the_walls() -> Iterator[None]:
    """What is laid out or taken back for a benchmark, without triggers."""
    execute("SET session_replication_role = replica")
    try:
        yield
    finally:
        execute("SET session_replication_role = DEFAULT")


def people(count: int, *, customers: int) -> None:
    """So many households with a coverage each, enrolled; they share customers at the provider."""
    databases.fresh()
    premiums.people(count)
    execute(USERS, customers)
    with past_the_walls():
        execute("UPDATE accounts_member SET user_id = 1 + (household_id - 1) %% %s", customers)
        execute(CREDITS)
        execute("UPDATE accounts_household SET credit_id = 50000000 + id")


def fill(count: int) -> None:
    """So many premiums, announced by autopay, of methods that the provider knows."""
    customers = min(CUSTOMERS, count)
    people(count, customers=customers)
    client = gateway.client()
    ids, methods = [], []
    for number in range(customers):
        customer = client.v1.customers.create({"metadata": {"user": str(number)}}).id
        ids.append(customer)
        methods.append(client.v1.payment_methods.attach("pm_card_visa", {"customer": customer}).id)
    execute(METHODS, methods)
    execute(CUSTOMER_ROWS, ids)
    execute(ENROLLMENTS, customers, customers)
    issuing.issue_month(MONTH, on=dt.date(2026, 11, 20))
    execute("UPDATE bills_bill SET due_on = %s", timezone.localdate() + dt.timedelta(days=20))
    assert announcing.run().announced == count
    celery.be_ready()
    due()


def due() -> None:
    """All of them are due now, and nothing was sent."""
    with past_the_walls():
        execute("UPDATE payments_autopaycharge SET charge_on = %s, status = 'announced'", planning.day())
    databases.vacuum("payments_autopaycharge", "payments_autopayenrollment", "bills_bill", "ledger_account")


@dataclass
class Watch:
    """How many connections the database has at once, looked at from beside."""

    most: int = 0

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look while something runs."""
        stop = threading.Event()
        cursor = databases.raw().cursor()
        asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

        def look() -> None:
            while not stop.wait(0.1):
                cursor.execute(asked)
                self.most = max(self.most, cursor.fetchone()[0])

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def charge(count: int) -> float:
    """Run until all are charged; the seconds. Each was charged exactly once."""
    began = time.perf_counter()
    report = running.run()
    seconds = time.perf_counter() - began
    assert (report.done, report.failed, report.undecided, report.stopped) == (count, 0, 0, ""), report
    return seconds


@benchmark("autopay", size=500, full=10_000)
def at_the_limit(run: Run) -> None:
    """So many due premiums at 200 ms a call, limited to 25 a second and to 100: against the limit itself."""
    for rate in RATES:
        count = run.size if rate == RATES[0] else 2 * run.size if not run.is_full else run.size
        with provider.sandbox() as sandbox:
            fill(count)
            sandbox.post("settings", latency_ms=LATENCY_MS, rate_limit_per_second=rate)
            settings.AUTOPAY_PER_SECOND = rate * BELOW_LIMIT
            seconds = charge(count)
            assert sandbox.get("totals")["charges"] == count
            refused = sum(call["status"] == 429 for call in sandbox.get("log?limit=100000")["data"])
        run.figure(f"at most {rate}/s: seconds to the limit's", seconds / (count / rate), "x", at_most=1.05)
        run.figure(f"at most {rate}/s: calls refused as too many", refused, "", at_most=0)


@benchmark("autopay-flight", size=300, full=2_000)
def in_flight(run: Run) -> None:
    """The rate at four latencies against the lesser of the limit and threads by latency; connections throughout."""
    watch = Watch()
    for latency in LATENCIES:
        with provider.sandbox() as sandbox:
            fill(run.size)
            sandbox.post("settings", latency_ms=int(1000 * latency))
            settings.AUTOPAY_PER_SECOND = RATES[1]
            with watch.looking():
                seconds = charge(run.size)
        most = min(settings.AUTOPAY_PER_SECOND, settings.AUTOPAY_THREADS / latency)
        run.figure(f"{latency} s: charges/s to the most possible", run.size / seconds / most, "x", at_least=0.9)
    run.figure("connections to Postgres, at most", watch.most, "", at_most=MOST_CONNECTIONS)


@benchmark("autopay-cpu", size=300, full=2_000)
def cpu(run: Run) -> None:
    """CPU of the run at no latency and no limit, against a bare loop: the same call and the same rows by raw SQL."""
    settings.AUTOPAY_PER_SECOND = 1000
    with provider.sandbox():
        fill(2 * run.pairs * run.size)
        chunks = _chunks(run.size, 2 * run.pairs)

        def ours() -> float:
            _queue(chunks.pop())
            began = time.process_time()
            charge(run.size)
            return time.process_time() - began

        def bare() -> float:
            rows = execute(BARE_ROWS, chunks.pop())
            began = time.process_time()
            _bare(rows)
            return time.process_time() - began

        row = run.compare(
            "CPU a charge", ours, bare, work=run.size, unit="charges/s of CPU", at_most=2.0
        )  # fmt: skip
        run.figure("CPU a charge", 1000 / row.ours, "ms")


def _chunks(size: int, count: int) -> list[list[int]]:
    """The charges in chunks, none of them due by itself."""
    with past_the_walls():
        execute("UPDATE payments_autopaycharge SET charge_on = charge_on + 300")
    ids = [row[0] for row in execute("SELECT id FROM payments_autopaycharge ORDER BY id")]
    return [ids[number * size : (number + 1) * size] for number in range(count)]


def _queue(ids: list[int]) -> None:
    with past_the_walls():
        execute("UPDATE payments_autopaycharge SET status = 'queued' WHERE id = ANY(%s)", ids)


BARE_ROWS = """
    SELECT c.id, c.household_id, c.bill_id, b.receivable_id, c.amount_cents, e.user_id, m.id, m.stripe_id, k.stripe_id
    FROM payments_autopaycharge c JOIN payments_autopayenrollment e ON e.id = c.enrollment_id
    JOIN bills_bill b ON b.id = c.bill_id JOIN payments_paymentmethod m ON m.id = c.method_id
    JOIN payments_stripecustomer k ON k.user_id = m.user_id WHERE c.id = ANY(%s) ORDER BY c.id
"""
BARE_PAYMENT = """
    INSERT INTO payments_payment (number, household_id, payer_id, kind, channel, status, amount_cents, method_id,
        guest_customer_id, method_label, attestation, confirmation_token, method_kind, method_brand, method_last4,
        method_wallet, saves_method, consent_version, attempt, stripe_charge_id, failure_code, created_at, submitted_at,
        asked_at, effective_on, expected_on)
    VALUES (%s, %s, %s, 'premium', 'autopay', 'submitted', %s, %s, '', '', '', '', 'card', 'visa', '4242', '', false,
        '', 1, '', '', now(), now(), now(), current_date, current_date) RETURNING id
"""
BARE_EVENT = """
    INSERT INTO activity_event (kind, subject, owner_id, from_status, to_status, actor, data)
    VALUES (%s, %s, %s, %s, %s, 'bare', '{}')
"""
BARE_DONE = """
    UPDATE payments_payment SET status = 'succeeded', stripe_payment_intent_id = %s, stripe_charge_id = %s,
        asked_at = now(), settled_at = now() WHERE id = %s
"""
BARE_TRANSFER = """
    INSERT INTO ledger_transfer (debit_id, credit_id, amount_cents, owner_id, code, effective_on, key, reference)
    VALUES (%s, %s, %s, %s, %s, current_date, %s, %s)
"""


def _bare(rows: list[tuple[Any, ...]]) -> None:
    """The yardstick: the same call and the same rows, one charge after the other, nothing looked at."""
    raw = databases.raw()
    raw.autocommit = False
    cursor = raw.cursor()
    clearing = system_id(SystemAccount.STRIPE_CLEARING)
    for charge_id, household, bill, receivable, cents, user, method, stripe_method, customer in rows:
        number = numbers.draw(groups=3)
        cursor.execute(BARE_PAYMENT, [number, household, user, cents, method])
        payment = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO payments_paymentallocation (payment_id, bill_id, amount_cents) VALUES (%s, %s, %s)",
            [payment, bill, cents],
        )
        cursor.execute(BARE_EVENT, ["payment.submitted", f"payment:{number}", household, "draft", "submitted"])
        cursor.execute("UPDATE payments_autopaycharge SET status = 'queued' WHERE id = %s", [charge_id])
        cursor.execute(
            "UPDATE payments_autopaycharge SET status = 'sent', payment_id = %s WHERE id = %s", [payment, charge_id]
        )
        raw.commit()
        made = gateway.charge(
            ChargeRequest(
                key=f"payment-{payment}-1", amount_cents=cents, payment_number=number, customer_id=customer,
                descriptor_suffix="PREMIUM", return_url="", method_id=stripe_method, is_off_session=True,
            )
        )  # fmt: skip
        cursor.execute(BARE_DONE, [made.id, made.charge_id, payment])
        cursor.execute(BARE_EVENT, ["payment.succeeded", f"payment:{number}", household, "submitted", "succeeded"])
        cursor.execute(
            BARE_TRANSFER,
            [clearing, receivable, cents, household, int(Code.PAYMENT), f"payment:{payment}:bill:{bill}", number],
        )
        cursor.execute("UPDATE payments_autopaycharge SET status = 'done' WHERE id = %s", [charge_id])
        raw.commit()
    raw.close()


@benchmark("autopay-plan", size=100_000, full=1_000_000)
def plan(run: Run) -> None:
    """Choose and queue what is due, one in twenty of so many enrolments, against one statement of the same."""
    people(run.size, customers=run.size)
    with past_the_walls():
        execute(METHODS, [f"pm_{number}" for number in range(run.size)])
        execute(ENROLLMENTS, run.size, run.size)
        execute(CHARGES, planning.day(), planning.day(), DUE_ONE_IN)
    made: list[int] = []
    today = planning.day()
    given = (today, today - dt.timedelta(days=7))

    @transaction.atomic
    def raw() -> None:
        execute(PLAN_YARDSTICK, *given)

    def anew() -> None:
        with past_the_walls():
            execute("UPDATE payments_autopaycharge SET status = 'announced', queued_at = NULL WHERE status = 'queued'")
        databases.vacuum("payments_autopaycharge", "payments_autopayenrollment")

    run.compare(
        "choose and queue", lambda: made.append(planning.run(today=today)), raw, work=run.size // DUE_ONE_IN,
        unit="charges/s", before=anew, at_most=1.3,
    )  # fmt: skip
    assert made == [run.size // DUE_ONE_IN] * run.pairs
    anew()
    first, again = _seconds(lambda: planning.run(today=today)), _seconds(lambda: planning.run(today=today))
    run.figure("again: 0 rows, seconds to the first", again / first, "x", at_most=0.6)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
