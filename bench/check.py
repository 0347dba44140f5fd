"""`check`: the whole of `check_ledger` against plain sums over the same tables, and the check of a day."""

import datetime as dt
import time

from django.utils import timezone

from bench import databases
from bench.databases import execute
from bench.frame import Run, benchmark
from payments import checks

BILLS_A_HOUSEHOLD = 5
TRANSFERS_A_DAY = 2000

# A history by the book: each bill issued and paid whole, two transfers a bill, TRANSFERS_A_DAY a day.
FILL = [
    "INSERT INTO accounts_household (id, number, address, city, state, zip, is_paperless)"
    " SELECT n, 'H' || n, '', '', '', '', false FROM generate_series(1, %(households)s) n",
    "INSERT INTO ledger_account (id, type, owner_id, is_control, balance_cents, is_tracked,"
    " credits_must_not_exceed_debits, debits_must_not_exceed_credits)"
    " SELECT 1000 + n, 'asset', (n + 1) / 2, true, 0, true, false, false FROM generate_series(1, 2 * %(households)s) n",
    "INSERT INTO accounts_member (id, number, first_name, last_name, birth_date, relationship, is_primary_holder,"
    " source, source_id, household_id, medical_control_id, premium_control_id)"
    " SELECT n, 'M' || n, 'A', 'B', '1980-01-01', 'self', true, '', '', n, 999 + 2 * n, 1000 + 2 * n"
    " FROM generate_series(1, %(households)s) n",
    "INSERT INTO ledger_account (id, type, owner_id, control_id, balance_cents, is_tracked, matures_on,"
    " credits_must_not_exceed_debits, debits_must_not_exceed_credits)"
    " SELECT 1000 + 2 * %(households)s + n, 'asset', (n - 1) / %(each)s + 1, 1001 + 2 * ((n - 1) / %(each)s), 0, true,"
    " '2026-12-01', true, false FROM generate_series(1, %(bills)s) n",
    "INSERT INTO bills_bill (id, number, kind, household_id, member_id, issued_on, due_on, title, provider_name,"
    " amount_cents, receivable_id, plan_eligible, hold_reason, source, source_id, created_at)"
    " SELECT n, lpad(to_hex(n), 9, '0'), 'medical', (n - 1) / %(each)s + 1, (n - 1) / %(each)s + 1, '2026-11-01',"
    " '2026-12-01', 'Visit', 'Oakridge', 12345, 1000 + 2 * %(households)s + n, true, '', 'bench', n::text,"
    " now() - make_interval(days => %(days)s - (n * %(days)s / (%(bills)s + 1))::int)"
    " FROM generate_series(1, %(bills)s) n",
    "INSERT INTO ledger_transfer (debit_id, credit_id, amount_cents, owner_id, code, effective_on, key, reference,"
    " created_at) SELECT receivable_id, 4, amount_cents, household_id, 10, issued_on, 'bill:' || id || ':issued',"
    " 'bill:' || number, created_at FROM bills_bill ORDER BY id",
    "INSERT INTO payments_payment (id, number, household_id, kind, channel, status, amount_cents, confirmation_token,"
    " method_kind, method_brand, method_last4, method_wallet, saves_method, consent_version, attempt, method_label,"
    " attestation, guest_customer_id, stripe_charge_id, failure_code, created_at, settled_at)"
    " SELECT id, 'P-' || number, household_id, 'medical', 'web', 'succeeded', amount_cents, '', 'card', 'visa', '4242',"
    " '', false, '', 1, '', '', '', 'ch_' || id, '', created_at, created_at FROM bills_bill ORDER BY id",
    "INSERT INTO payments_paymentallocation (payment_id, bill_id, amount_cents)"
    " SELECT id, id, amount_cents FROM bills_bill ORDER BY id",
    "INSERT INTO ledger_transfer (debit_id, credit_id, amount_cents, owner_id, code, effective_on, key, reference,"
    " created_at) SELECT 1, receivable_id, amount_cents, household_id, 20, issued_on,"
    " 'payment:' || id || ':bill:' || id, 'payment:P-' || number, created_at FROM bills_bill ORDER BY id",
]
TABLES = ["ledger_transfer", "ledger_account", "bills_bill", "payments_payment", "payments_paymentallocation"]


def fill(transfers: int) -> None:
    """A good book of so many transfers."""
    databases.fresh()
    bills = max(transfers // 2, BILLS_A_HOUSEHOLD)
    households = -(-bills // BILLS_A_HOUSEHOLD)
    parameters = {
        "bills": bills,
        "households": households,
        "each": BILLS_A_HOUSEHOLD,
        "days": transfers // TRANSFERS_A_DAY,
    }
    with databases.raw() as made, made.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement, parameters)
    databases.vacuum(*TABLES)


def plain_sums() -> None:
    """The yardstick: what a look at every amount costs."""
    for table in TABLES:
        column = "balance_cents" if table == "ledger_account" else "amount_cents"
        execute(f"SELECT sum({column}) FROM {table}")


def check() -> None:
    """The whole; it must hold."""
    assert checks.run() == []


@benchmark("check", size=400_000, full=5_000_000)
def check_ledger(run: Run) -> None:
    """`check_ledger` against `SELECT sum(…)` over the same tables; and the check of a day."""
    whole, daily = {}, {}
    for size in run.sizes():
        fill(size)
        check()
        began = time.perf_counter()
        check()
        whole[size] = time.perf_counter() - began
        since = timezone.now() - dt.timedelta(days=1, hours=12)
        began = time.perf_counter()
        assert checks.run(since=since) == []
        daily[size] = time.perf_counter() - began
    run.compare(f"{run.size:,} transfers", check, plain_sums, work=run.size, at_most=3)
    run.grow("the whole", whole, at_most=1.1)
    days = {}
    for count in (1, 3, 10):
        since = timezone.now() - dt.timedelta(days=count, hours=12)
        began = time.perf_counter()
        assert checks.run(since=since) == []
        days[count] = time.perf_counter() - began
    run.grow(f"a day of {TRANSFERS_A_DAY:,} transfers, by the whole", daily, at_most=0.3)
    run.grow("one day, three days, ten days", days, at_most=1.1)
