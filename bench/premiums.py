"""`premiums`: a month's premium of every coverage, with lines, transfers and events, against raw INSERT … SELECT."""

import datetime as dt

from django.db import transaction

from bench import databases
from bench.databases import execute
from bench.frame import Run, benchmark
from bills import premiums

MONTH = dt.date(2026, 12, 1)
TODAY = dt.date(2026, 11, 20)
MEMBERS = """
    INSERT INTO accounts_member (number, first_name, last_name, birth_date, relationship, household_id,
        is_primary_holder, source, source_id, medical_control_id, premium_control_id)
    SELECT 'M' || n, 'A', 'B', '1980-01-01', 'self', n, true, '', '', 1000 + 2 * n, 1001 + 2 * n
    FROM generate_series(1, %s) n
"""
COVERAGES = """
    INSERT INTO accounts_coverage (plan_id, kind, household_id, subscriber_id, start_on, premium_cents, subsidy_cents,
        charitable_cents, source, source_id)
    SELECT 1, 'family', m.household_id, m.id, '2026-01-01', 78076, 25000, 0, '', '' FROM accounts_member m
"""
# What is written, in an order that constraints allow; an account opens at zero.
TABLES = ("bills_bill", "ledger_account", "bills_billline", "ledger_transfer", "activity_event")


def people(count: int) -> None:
    """So many households of one member each, every one covered; half of the premium is subsidised."""
    execute(
        "INSERT INTO ledger_account (id, type, owner_id, is_control, balance_cents, is_tracked,"
        " credits_must_not_exceed_debits, debits_must_not_exceed_credits)"
        " SELECT 1000 + n, 'asset', n / 2, true, 0, true, false, false FROM generate_series(2, %s) n",
        2 * count + 1,
    )  # fmt: skip
    execute("SELECT setval(pg_get_serial_sequence('ledger_account', 'id'), %s)", 2 * count + 2000)
    execute(
        "INSERT INTO accounts_household (id, number, address, city, state, zip, is_paperless)"
        " SELECT n, n::text, '', '', 'CA', '94612', false FROM generate_series(1, %s) n",
        count,
    )  # fmt: skip
    execute(MEMBERS, count)
    execute(
        "INSERT INTO accounts_plan (id, name, year, deductible_individual_cents, deductible_family_cents,"
        " out_of_pocket_individual_cents, out_of_pocket_family_cents, source, source_id)"
        " VALUES (1, 'Silver', 2026, 0, 0, 0, 0, '', '')"
    )  # fmt: skip
    execute(COVERAGES)


def empty() -> None:
    """Take away what a month's premiums wrote, past the walls."""
    execute("SET session_replication_role = replica")
    execute("TRUNCATE bills_bill, bills_billline, ledger_transfer, activity_event CASCADE")
    execute("DELETE FROM ledger_account WHERE matures_on IS NOT NULL")
    execute("UPDATE ledger_account SET balance_cents = 0 WHERE balance_cents <> 0")
    execute("SET session_replication_role = DEFAULT")
    databases.vacuum("ledger_account", "accounts_coverage", "accounts_member")


def columns(table: str) -> str:
    """The columns of a table, and the same with balances at zero."""
    found = execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND table_schema = 'public'"
        " ORDER BY ordinal_position",
        table,
    )
    return ", ".join(name for (name,) in found)


def stage() -> None:
    """Lay the rows that stand ready in tables of their own, for the yardstick."""
    for table in TABLES:
        names = columns(table).replace("balance_cents", "0 AS balance_cents")
        where = " WHERE matures_on IS NOT NULL" if table == "ledger_account" else ""
        execute(f"DROP TABLE IF EXISTS bench_{table}")
        execute(f"CREATE UNLOGGED TABLE bench_{table} AS SELECT {names} FROM {table}{where} ORDER BY id")
        execute(f"ANALYZE bench_{table}")


@transaction.atomic
def raw() -> None:
    """The yardstick: the same rows, one INSERT … SELECT a table, in one commit."""
    for table in TABLES:
        execute(f"INSERT INTO {table} ({columns(table)}) SELECT * FROM bench_{table}")


@benchmark("premiums", size=20_000, full=200_000)
def measure(run: Run) -> None:
    """A month's premiums of so many coverages, with their lines, transfers and events."""
    databases.fresh()
    people(run.size)
    execute("ANALYZE")
    issued = []

    def ours() -> None:
        issued.append(premiums.issue_month(MONTH, on=TODAY))

    premiums.issue_month(MONTH, on=TODAY)
    stage()
    row = run.compare("issue_premiums", ours, raw, work=run.size, unit="bills/s", before=empty, at_least=0.5)
    assert issued == [run.size] * run.pairs
    run.figure("issue_premiums: rate", row.ours, "bills/s", at_least=5000)
    empty()
    ours()
    began = premiums.timezone.now()
    assert premiums.issue_month(MONTH, on=TODAY) == 0
    run.figure("a second run finds nothing", (premiums.timezone.now() - began).total_seconds(), "s")
