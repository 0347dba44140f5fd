"""The trial balance: every account's debits less credits, which must sum to nothing (FAULTS M1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from ledger.chart import SystemAccount

# The plan's own accounts are not tracked, so their side is summed from the transfers; those of households have their
# balances, which `check_ledger` holds against their transfers.
SYSTEM = """
    SELECT a.code, coalesce(sum(side.cents), 0)::bigint
    FROM ledger_account a LEFT JOIN (
        SELECT debit_id AS id, sum(amount_cents) AS cents FROM ledger_transfer GROUP BY 1
        UNION ALL SELECT credit_id, -sum(amount_cents) FROM ledger_transfer GROUP BY 1
    ) side ON side.id = a.id
    WHERE a.code IS NOT NULL GROUP BY a.id, a.code ORDER BY a.id
"""
HOUSEHOLDS = """
    SELECT type, sum(balance_cents)::bigint FROM ledger_account WHERE code IS NULL AND NOT is_control
    GROUP BY type ORDER BY type
"""
NAMES = {"asset": "Receivables of bills", "liability": "Household credit"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the trial balance, US cents: debits less credits."""

    name: str
    balance_cents: int


def balance() -> list[Line]:
    """The trial balance of the whole book, now."""
    with connection.cursor() as cursor:
        cursor.execute(SYSTEM)
        lines = [Line(str(SystemAccount(code).label), cents) for code, cents in cursor.fetchall()]
        cursor.execute(HOUSEHOLDS)
        lines += [Line(NAMES.get(kind, kind), cents) for kind, cents in cursor.fetchall()]
    return lines


def is_zero(lines: Sequence[Line]) -> bool:
    """Whether debits equal credits."""
    return sum(line.balance_cents for line in lines) == 0
