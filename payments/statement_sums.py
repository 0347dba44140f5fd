"""What each bill of a household did in a month, from the ledger alone: for statements, set by set.

A bill's opening is what an earlier statement said, where the month before had one; what was entered later for its days
is a correction. So the statements of two months always join, to the cent.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts.ages import apart_sql
from ledger.chart import CODES_OF_PAYMENT, Code

CHARGES = (Code.BILL_ISSUED, Code.BILL_RAISED, Code.FINANCE_CHARGE, Code.RETURN_FEE)
PAYMENTS = CODES_OF_PAYMENT

# Every bill of these households with a balance, or with an entry of the month or made since, or told of by the
# statement of the month before.
SUMS = f"""
    WITH told AS (
        SELECT (line ->> 'bill')::bigint AS bill_id, (line ->> 'closing')::bigint AS cents
        FROM bills_statement s CROSS JOIN LATERAL jsonb_array_elements(s.content -> 'bills') line
        WHERE s.household_id = ANY(%(households)s) AND s.month = %(before)s
    ), wanted AS MATERIALIZED (
        SELECT b.*, told.cents AS told_cents
        FROM bills_bill b JOIN ledger_account a ON a.id = b.receivable_id LEFT JOIN told ON told.bill_id = b.id
        WHERE b.household_id = ANY(%(households)s)
          AND (a.balance_cents <> 0 OR coalesce(told.cents, 0) <> 0 OR EXISTS (
                SELECT 1 FROM ledger_transfer t WHERE t.debit_id = b.receivable_id
                  AND (t.effective_on >= %(first)s OR t.created_at >= %(first_at)s))
            OR EXISTS (
                SELECT 1 FROM ledger_transfer t WHERE t.credit_id = b.receivable_id
                  AND (t.effective_on >= %(first)s OR t.created_at >= %(first_at)s)))
    )
    SELECT b.id, b.household_id, b.member_id, b.number, b.kind, b.title, b.provider_name, b.service_on, b.period,
           b.issued_on, b.due_on, b.held_since IS NOT NULL, b.on_plan_since IS NOT NULL, b.coverage_id,
           b.told_cents, m.confidential_since IS NOT NULL
               OR (NOT m.is_primary_holder AND {apart_sql("m")}),
           m.first_name || ' ' || m.last_name,
           coalesce(s.opening, 0)::bigint, coalesce(s.charges, 0)::bigint, coalesce(s.payments, 0)::bigint,
           coalesce(s.adjustments, 0)::bigint
    FROM wanted b JOIN accounts_member m ON m.id = b.member_id
    CROSS JOIN LATERAL (
        SELECT sum(cents) FILTER (WHERE effective_on < %(first)s) AS opening,
               sum(cents) FILTER (WHERE effective_on >= %(first)s AND code = ANY(%(charges)s)) AS charges,
               -sum(cents) FILTER (WHERE effective_on >= %(first)s AND code = ANY(%(payments)s)) AS payments,
               -sum(cents) FILTER (WHERE effective_on >= %(first)s AND code <> ALL(%(charges)s)
                                     AND code <> ALL(%(payments)s)) AS adjustments
        FROM (SELECT effective_on, code, amount_cents AS cents FROM ledger_transfer WHERE debit_id = b.receivable_id
              UNION ALL
              SELECT effective_on, code, -amount_cents FROM ledger_transfer WHERE credit_id = b.receivable_id) entry
        WHERE effective_on <= %(last)s
    ) s
    ORDER BY b.household_id, b.due_on, b.id
"""  # noqa: S608 - the text of accounts.ages alone


@dataclass(frozen=True, slots=True)
class BillMonth:
    """One bill in one month. `told_cents` is what the statement before closed with, where it told of the bill."""

    bill_id: int
    household_id: int
    member_id: int
    number: str
    kind: str
    title: str
    provider_name: str
    service_on: dt.date | None
    period: dt.date | None
    issued_on: dt.date
    due_on: dt.date
    is_held: bool
    is_on_plan: bool
    coverage_id: int | None
    told_cents: int | None
    stands_alone: bool  # of who is apart from the holder (`Member.is_apart`): on a statement of their own
    member_name: str
    opening_cents: int
    charges_cents: int
    payments_cents: int
    adjustments_cents: int

    @property
    def closing_cents(self) -> int:
        """What was owed on it at the end of the month."""
        return self.opening_cents + self.charges_cents - self.payments_cents - self.adjustments_cents

    def previous_cents(self, *, joins: bool) -> int:
        """What the last statement said of it; without one, what the book says."""
        return (self.told_cents or 0) if joins else self.opening_cents

    @property
    def is_told(self) -> bool:
        """Whether there is anything to say of it."""
        moved = (self.opening_cents, self.charges_cents, self.payments_cents, self.adjustments_cents)
        return any(moved) or bool(self.told_cents)


def of(
    household_ids: list[int], *, first: dt.date, last: dt.date, first_at: dt.datetime, on: dt.date
) -> list[BillMonth]:
    """The bills of these households in the month, those due first first: one query."""
    before = (first - dt.timedelta(days=1)).replace(day=1)
    params: dict[str, Any] = {
        "households": household_ids, "first": first, "last": last, "before": before, "today": on, "first_at": first_at,
        "charges": [int(code) for code in CHARGES], "payments": [int(code) for code in PAYMENTS],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(SUMS, params)
        found = [BillMonth(*row) for row in cursor.fetchall()]
    return [month for month in found if month.is_told]
