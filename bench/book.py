"""Books to measure: households' receivables by the hundred thousand, and postings on them."""

import datetime as dt
import itertools

from bench.databases import execute
from ledger import Posting
from ledger.chart import SYSTEM_ACCOUNT_IDS, Code, SystemAccount
from ledger.posting import COLUMNS

BILLS_A_MEMBER = 5
DAY = dt.date(2026, 11, 24)
REVENUE = SYSTEM_ACCOUNT_IDS[SystemAccount.MEDICAL_REVENUE]
RAW_INSERT = f"INSERT INTO ledger_transfer ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"

_round = itertools.count(1)


def open_receivables(count: int) -> list[tuple[int, int]]:
    """Open so many receivables, BILLS_A_MEMBER under each control; returns (account, owner), in order."""
    first = execute("SELECT nextval(pg_get_serial_sequence('ledger_account', 'id'))")[0][0]
    members = -(-count // BILLS_A_MEMBER)
    execute(
        "INSERT INTO ledger_account (id, type, owner_id, is_control, balance_cents, is_tracked,"
        " credits_must_not_exceed_debits, debits_must_not_exceed_credits)"
        " SELECT %s + n, 'asset', %s + n, true, 0, true, false, false FROM generate_series(1, %s) n",
        first, first, members,
    )  # fmt: skip
    execute(
        "INSERT INTO ledger_account (id, type, owner_id, control_id, balance_cents, is_tracked, matures_on,"
        " credits_must_not_exceed_debits, debits_must_not_exceed_credits)"
        " SELECT %s + n, 'asset', %s + (n - 1) / %s + 1, %s + (n - 1) / %s + 1, 0, true, '2026-12-01', true, false"
        " FROM generate_series(1, %s) n",
        first + members, first, BILLS_A_MEMBER, first, BILLS_A_MEMBER, count,
    )  # fmt: skip
    execute("SELECT setval(pg_get_serial_sequence('ledger_account', 'id'), %s)", first + members + count + 1)
    execute("ANALYZE ledger_account")
    return execute(
        "SELECT id, owner_id FROM ledger_account WHERE id > %s AND NOT is_control ORDER BY id", first + members
    )


def charges(
    receivables: list[tuple[int, int]], credit_id: int = REVENUE, code: int = Code.BILL_ISSUED
) -> list[Posting]:
    """One charge on each, with keys that no earlier call has used."""
    number = next(_round)
    return [
        Posting(account, credit_id, 12_345, code, f"bill:{account}:{number}", f"bill:7F3K-{account}", DAY, owner)
        for account, owner in receivables
    ]
