"""A coverage changes after its premium went out: the difference becomes transfers, history stays (FAULTS A23)."""

import datetime as dt
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

import ledger
from accounts.models import Coverage
from activity.recording import record
from bills import issuing, relief
from bills.models import Bill
from bills.premium_sql import MONTH_AMOUNTS
from ledger.chart import Code, SystemAccount
from ledger.locking import hold
from ledger.opening import system_id
from ledger.transactions import atomic_with_retry

# What each bill should charge by its coverage as it is now, beside what stands in the ledger. A withdrawn subsidy
# says in the third word of its key which one it was. What charitable coverage gave a month before it starts on the
# coverage now was given by an earlier award: it stands.
COMPARE = f"""
    SELECT b.id, g.gross_cents - standing.gross, s.subsidy_cents - standing.subsidy,
           kept.charitable_cents - standing.charitable, standing.entries
    FROM bills_bill b
    JOIN accounts_coverage c ON c.id = b.coverage_id
    CROSS JOIN LATERAL (
        SELECT b.period AS first, (b.period + interval '1 month - 1 day')::date AS last,
               extract(day FROM b.period + interval '1 month - 1 day')::bigint AS days) m
    {MONTH_AMOUNTS}
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(cents) FILTER (WHERE code = ANY(%(charges)s)), 0)::bigint AS gross,
               coalesce(-sum(cents) FILTER (WHERE code = %(subsidy)s
                   OR code = %(withdrawn)s AND split_part(key, ':', 3) = 'subsidy'), 0)::bigint AS subsidy,
               coalesce(-sum(cents) FILTER (WHERE code = %(charitable)s
                   OR code = %(withdrawn)s AND split_part(key, ':', 3) = 'charitable'), 0)::bigint AS charitable,
               count(*) AS entries
        FROM (SELECT code, key, amount_cents AS cents FROM ledger_transfer WHERE debit_id = b.receivable_id
              UNION ALL
              SELECT code, key, -amount_cents FROM ledger_transfer WHERE credit_id = b.receivable_id) entry
    ) standing
    CROSS JOIN LATERAL (SELECT CASE WHEN c.charitable_starts_on > m.last
        THEN least(standing.charitable, g.gross_cents - s.subsidy_cents) ELSE h.charitable_cents END
        AS charitable_cents) kept
    WHERE b.kind = 'premium' AND b.voided_at IS NULL AND {{which}}
      AND (g.gross_cents, s.subsidy_cents, kept.charitable_cents)
          IS DISTINCT FROM (standing.gross, standing.subsidy, standing.charitable)
    ORDER BY b.id
"""  # noqa: S608  # the parts are constants
CODES: dict[str, Any] = {
    "charges": [int(code) for code in (Code.BILL_ISSUED, Code.BILL_RAISED, Code.BILL_LOWERED, Code.BILL_VOIDED)],
    "subsidy": int(Code.SUBSIDY),
    "charitable": int(Code.CHARITABLE_SUBSIDY),
    "withdrawn": int(Code.SUBSIDY_WITHDRAWN),
}


class Difference(NamedTuple):
    """By how much a premium bill is off its coverage, US cents; `entries` of its receivable stand so far."""

    bill_id: int
    gross_cents: int
    subsidy_cents: int
    charitable_cents: int
    entries: int


def revise(coverage: Coverage, *, reason: str = "the coverage changed", actor: str = "system") -> int:
    """Bring every premium bill of a coverage in line with what the coverage says now; return how many changed.

    To be called after a coverage's premium, subsidies or dates were changed. What is lowered beyond what is owed was
    paid already, and becomes household credit. A repeat changes nothing.
    """
    return _revise_all(_differences("b.coverage_id = %(coverage)s", coverage=coverage.pk), reason, actor)


def revise_months(first: dt.date, last: dt.date, *, reason: str = "the coverage changed", actor: str = "system") -> int:
    """Bring every premium bill of the months from `first` to `last` (first days) in line; return how many changed."""
    found = _differences("b.period BETWEEN %(first)s AND %(last)s", first=first, last=last)
    return _revise_all(found, reason, actor)


def _revise_all(differences: list[Difference], reason: str, actor: str) -> int:
    return sum(_revise(difference.bill_id, reason=reason, actor=actor) for difference in differences)


def _differences(which: str, **params: Any) -> list[Difference]:
    with connection.cursor() as cursor:
        cursor.execute(COMPARE.format(which=which), {**CODES, **params})
        return [Difference(*row) for row in cursor.fetchall()]


@atomic_with_retry
def _revise(bill_id: int, *, reason: str, actor: str) -> bool:
    """Post what one bill is off by. First what is owed more, then what is owed less: only the rest becomes credit."""
    bill = Bill.objects.select_related("household", "receivable").get(pk=bill_id)
    hold([account_id for account_id in (bill.receivable_id, bill.household.credit_id) if account_id is not None])
    still = _differences("b.id = %(bill)s", bill=bill_id)
    if not still:
        return False
    [off] = still
    aids = {"subsidy": off.subsidy_cents, "charitable": off.charitable_cents}
    on = timezone.localdate()
    for kind, cents in aids.items():
        if cents < 0:
            _withdraw(bill, kind, -cents, entries=off.entries, on=on, reason=reason, actor=actor)
    issuing.correct(
        bill, by_cents=off.gross_cents, key=f"bill:{bill.pk}:premium:{off.entries}", on=on, reason=reason, actor=actor
    )
    for kind, cents in aids.items():
        if cents > 0:
            _grant(bill, kind, cents, entries=off.entries, on=on, reason=reason, actor=actor)
    return True


def _withdraw(bill: Bill, kind: str, cents: int, *, entries: int, on: dt.date, reason: str, actor: str) -> None:
    key = f"bill:{bill.pk}:{kind}:{entries}"
    expense_id = system_id(SystemAccount.SUBSIDY_EXPENSE)
    ledger.post(relief.posting_for(bill, Code.SUBSIDY_WITHDRAWN, cents, key, on, bill.receivable_id, expense_id))
    _record(bill, kind, -cents, reason, actor)


def _grant(bill: Bill, kind: str, cents: int, *, entries: int, on: dt.date, reason: str, actor: str) -> None:
    """Credit a subsidy that was raised; the part beyond what is owed is carried off as `relief.excess` says."""
    key = f"bill:{bill.pk}:{kind}:{entries}"
    code = Code.SUBSIDY if kind == "subsidy" else Code.CHARITABLE_SUBSIDY
    expense_id = system_id(SystemAccount.SUBSIDY_EXPENSE)
    postings = [relief.posting_for(bill, code, cents, key, on, expense_id, bill.receivable_id)]
    over_cents = cents - relief.hold(bill)
    if over_cents > 0:
        postings += relief.excess(bill, over_cents, key=key, on=on)
    ledger.post_many(postings)
    _record(bill, kind, cents, reason, actor)


def _record(bill: Bill, kind: str, by_cents: int, reason: str, actor: str) -> None:
    record(
        "bill.subsidy_changed",
        subject=f"bill:{bill.number}",
        owner_id=bill.household_id,
        actor=actor,
        reason=reason,
        bill_id=bill.pk,
        subsidy=kind,
        by_cents=by_cents,
    )
