"""Premiums: one bill a coverage and month, issued by the hundred thousand in SQL, and brought in line when a coverage
changes after its bill went out. How part months are charged: docs/decisions/0301-premium-months.md.
"""

import calendar
import datetime as dt
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

import ledger
from accounts.models import Coverage
from activity.recording import record_query
from bills import numbers, premium_changes
from bills.models import Bill
from bills.premium_sql import MONTH_AMOUNTS
from ledger import opening
from ledger.chart import Code, SystemAccount
from ledger.opening import system_id
from ledger.templatetags.portal import month as month_words
from ledger.transactions import atomic_with_retry

SOURCE = "premiums"
CHUNK_SIZE = 5000
MAX_PASSES = 10  # over one chunk: a pass is repeated only where a drawn number was taken or another run was quicker
MAX_MONTHS_AHEAD = 12
MAX_MONTHS_BACK = 24
MONTHS_REVISED = 3  # back, each day; a coverage that changed further back is caught up by whoever changes it
ISSUED_FROM_DAY = 10  # from this day of a month on, the next month's premiums go out

WHOLE_MONTH = gettext_noop("Premium")
PART_OF_MONTH = gettext_noop("Premium for part of the month")
SUBSIDY = gettext_noop("Premium tax credit")
CHARITABLE_SUBSIDY = gettext_noop("Charitable coverage")

# Numbers are drawn from a strong random seed of the pass: asking the system for each would cost more than its bill.
SIX_BYTES = "substr(sha256(%(seed)s || int8send(due.coverage_id)), 1, 6)"
# Everything a chunk needs, drawn up once: its coverages in the order of their ids, and the ids that its rows will have.
DRAW_UP = f"""
    CREATE TEMPORARY TABLE premiums_due ON COMMIT DROP AS
    SELECT nextval(pg_get_serial_sequence('bills_bill', 'id')) AS bill_id,
           nextval(pg_get_serial_sequence('ledger_account', 'id')) AS receivable_id,
           {numbers.in_sql(SIX_BYTES)} AS number, due.*
    FROM (
        SELECT c.id AS coverage_id, p.household_id, p.id AS member_id, p.premium_control_id AS control_id,
               d.covered < m.days AS is_part, g.gross_cents, s.subsidy_cents, h.charitable_cents
        FROM accounts_coverage c
        JOIN accounts_member p ON p.id = c.subscriber_id
        CROSS JOIN (SELECT %(first)s::date AS first, %(last)s::date AS last, %(days)s::bigint AS days) m
        {MONTH_AMOUNTS}
        WHERE c.id > %(after)s AND (%(only)s::bigint IS NULL OR c.id = %(only)s)
          AND c.start_on <= %(last)s AND (c.end_on IS NULL OR c.end_on >= %(first)s) AND g.gross_cents > 0
          AND NOT EXISTS (SELECT 1 FROM bills_bill b
                          WHERE b.coverage_id = c.id AND b.period = %(first)s AND b.kind = 'premium')
        ORDER BY c.id LIMIT %(size)s
    ) due
"""  # noqa: S608  # the parts are constants

INSERT_BILLS = """
    INSERT INTO bills_bill (id, number, kind, household_id, member_id, issued_on, due_on, title, provider_name,
        amount_cents, receivable_id, coverage_id, period, plan_eligible, hold_reason, source, source_id, created_at)
    SELECT bill_id, number, 'premium', household_id, member_id, %(on)s, greatest(%(first)s, %(on)s),
        %(title)s, '', gross_cents, receivable_id, coverage_id, %(first)s, false, '', %(source)s,
        coverage_id || ':' || %(month)s, now()
    FROM premiums_due ORDER BY coverage_id
    ON CONFLICT DO NOTHING
"""
FORGET_TAKEN = "DELETE FROM premiums_due d WHERE NOT EXISTS (SELECT 1 FROM bills_bill b WHERE b.id = d.bill_id)"
RECEIVABLES = "SELECT receivable_id, household_id, control_id, greatest(%(first)s, %(on)s)::date FROM premiums_due"
INSERT_LINES = """
    INSERT INTO bills_billline (bill_id, position, description, charged_cents, discount_cents, plan_paid_cents,
        other_paid_cents, deductible_cents, copay_cents, coinsurance_cents, not_covered_cents, amount_cents)
    SELECT bill_id, position, description, greatest(cents, 0), 0, 0, 0, 0, 0, 0, 0, cents
    FROM premiums_due CROSS JOIN LATERAL (VALUES
        (1, CASE WHEN is_part THEN %(part)s ELSE %(whole)s END, gross_cents),
        (2, %(subsidy)s, -subsidy_cents), (3, %(charitable)s, -charitable_cents)) line(position, description, cents)
    WHERE cents <> 0
"""
CHARGES = """
    SELECT CASE WHEN revenue THEN receivable_id ELSE account_id END,
           CASE WHEN revenue THEN account_id ELSE receivable_id END,
           cents, household_id, code, %(on)s::date, 'bill:' || bill_id || ':' || word, 'bill:' || number, NULL::bigint
    FROM premiums_due CROSS JOIN LATERAL (VALUES
        (true, %(revenue_id)s, gross_cents, %(issued)s, 'issued'),
        (false, %(expense_id)s, subsidy_cents, %(subsidy_code)s, 'subsidy'),
        (false, %(expense_id)s, charitable_cents, %(charitable_code)s, 'charitable')
    ) charge(revenue, account_id, cents, code, word)
    WHERE cents > 0 ORDER BY bill_id, code
"""
EVENTS = """
    SELECT 'bill.issued', 'bill:' || number, household_id, %(actor)s, jsonb_build_object('bill_id', bill_id)
    FROM premiums_due ORDER BY bill_id
"""


class MonthOutOfRange(ValueError):
    """Premiums are issued at most MAX_MONTHS_AHEAD months ahead and MAX_MONTHS_BACK months back."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did: bills issued, and earlier bills of the month brought in line with their coverages."""

    issued: int
    changed: int


def issue_month(
    period: dt.date,
    *,
    on: dt.date | None = None,
    actor: str = "system",
    chunk_size: int = CHUNK_SIZE,
    progress: Callable[[int], object] | None = None,
) -> int:
    """Issue the month's premium of every coverage that has none yet; return how many.

    Any number of runs, at the same time or after each other, issue each bill once. Each chunk is a transaction of its
    own, so that a run that was stopped is simply started again. `on` is the date of issue (today). Raises
    MonthOutOfRange.
    """
    today = timezone.localdate()
    first = month_in_range(period, today)
    issued, after = 0, 0
    while True:
        last_id, new = _issue_chunk(first, on or today, after=after, only=None, size=chunk_size, actor=actor)
        if last_id is None:
            return issued
        issued, after = issued + new, last_id
        if progress is not None:
            progress(new)


def issue_ahead(coverage: Coverage, *, through: dt.date, actor: str = "member") -> list[Bill]:
    """The bills of this month to that of `through`, issued where they are not yet, so that they can be paid ahead.

    Months in which the coverage is not in force, or costs nothing, have none. Raises MonthOutOfRange beyond
    MAX_MONTHS_AHEAD months.
    """
    today = timezone.localdate()
    last = month_in_range(through, today)
    first = period = today.replace(day=1)
    while period <= last:
        _issue_chunk(period, today, after=0, only=coverage.pk, size=1, actor=actor)
        period = month_after(period)
    return list(
        Bill.objects.filter(coverage=coverage, kind=Bill.Kind.PREMIUM, period__range=(first, last))
        .select_related("receivable", "member", "household")
        .order_by("period")
    )


def run(period: dt.date, *, progress: Callable[[int], object] | None = None) -> Summary:
    """Issue a month's premiums, and bring its earlier bills in line with coverages that changed since."""
    issued, first = issue_month(period, progress=progress), period.replace(day=1)
    return Summary(issued=issued, changed=premium_changes.revise_months(first, first))


def run_daily(today: dt.date) -> Summary:
    """Issue what is out by now, and bring bills of the last months and of months paid ahead in line."""
    issued = sum(issue_month(period) for period in months_due(today))
    first, last = _months_before(today, MONTHS_REVISED), _months_before(today, -MAX_MONTHS_AHEAD)
    return Summary(issued=issued, changed=premium_changes.revise_months(first, last))


def catch_up(coverage: Coverage, *, reason: str = "the coverage changed", actor: str = "system") -> Summary:
    """Bring a coverage that was added or changed up to date, at once: its missing months, and its earlier bills.

    To be called by whoever changes a coverage's premium, subsidies or dates. A repeat changes nothing.
    """
    today = timezone.localdate()
    changed = premium_changes.revise(coverage, reason=reason, actor=actor)
    period, issued = max(coverage.start_on.replace(day=1), _months_before(today, MAX_MONTHS_BACK)), 0
    while period <= months_due(today)[-1]:
        issued += _issue_chunk(period, today, after=0, only=coverage.pk, size=1, actor=actor)[1]
        period = month_after(period)
    return Summary(issued=issued, changed=changed)


def months_due(today: dt.date) -> list[dt.date]:
    """The months whose premiums are out on a day: the present one, and from ISSUED_FROM_DAY on the next."""
    this = today.replace(day=1)
    return [this, month_after(this)] if today.day >= ISSUED_FROM_DAY else [this]


def title_of(bill: Bill) -> str:
    """The title of a premium bill in the reader's language, e.g. “December 2026 premium”."""
    assert bill.period is not None
    return _("%(month)s premium") % {"month": month_words(bill.period)}


def month_after(period: dt.date) -> dt.date:
    """The first day of the next month."""
    return (period.replace(day=1) + dt.timedelta(days=31)).replace(day=1)


def _months_before(day: dt.date, months: int) -> dt.date:
    index = day.year * 12 + day.month - 1 - months
    return dt.date(index // 12, index % 12 + 1, 1)


def month_in_range(day: dt.date, today: dt.date) -> dt.date:
    """The first day of that day's month. Raises MonthOutOfRange."""
    ahead = (day.year - today.year) * 12 + day.month - today.month
    if not -MAX_MONTHS_BACK <= ahead <= MAX_MONTHS_AHEAD:
        raise MonthOutOfRange(
            f"{day:%Y-%m} is out of range: premiums are issued at most {MAX_MONTHS_AHEAD} months ahead and"
            f" {MAX_MONTHS_BACK} months back"
        )
    return day.replace(day=1)


def _issue_chunk(
    first: dt.date, on: dt.date, *, after: int, only: int | None, size: int, actor: str
) -> tuple[int | None, int]:
    """Issue the next `size` premiums beyond the coverage `after`; return the last coverage's id, and how many are new.

    The id is None where nothing is due any more.
    """
    last_id, issued = None, 0
    for _pass in range(MAX_PASSES):
        found, due, new = _issue_pass(first, on, after=after, only=only, size=size, actor=actor)
        last_id, issued = found if last_id is None else last_id, issued + new
        if new == due:
            return last_id, issued
    raise RuntimeError(f"premiums of {first:%Y-%m} after coverage {after} could not be issued in {MAX_PASSES} passes")


@atomic_with_retry
def _issue_pass(
    first: dt.date, on: dt.date, *, after: int, only: int | None, size: int, actor: str
) -> tuple[int | None, int, int]:
    """One pass over a chunk: the last coverage found, how many bills were due, how many this pass issued."""
    days = calendar.monthrange(first.year, first.month)[1]
    params: dict[str, Any] = {
        "first": first, "last": first.replace(day=days), "days": days, "after": after, "only": only, "size": size,
        "on": on, "seed": secrets.token_bytes(32),
        "title": f"{first:%B %Y} premium", "month": f"{first:%Y-%m}", "source": SOURCE, "actor": actor,
        "whole": WHOLE_MONTH, "part": PART_OF_MONTH, "subsidy": SUBSIDY, "charitable": CHARITABLE_SUBSIDY,
        "revenue_id": system_id(SystemAccount.PREMIUM_REVENUE), "expense_id": system_id(SystemAccount.SUBSIDY_EXPENSE),
        "issued": int(Code.BILL_ISSUED), "subsidy_code": int(Code.SUBSIDY),
        "charitable_code": int(Code.CHARITABLE_SUBSIDY),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.premiums_due")
        cursor.execute(DRAW_UP, params)
        cursor.execute("SELECT max(coverage_id), count(*) FROM premiums_due")
        last_id, due = cursor.fetchone()
        if not due:
            return None, 0, 0
        cursor.execute(INSERT_BILLS, params)
        new = int(cursor.rowcount)
        if new < due:
            cursor.execute(FORGET_TAKEN)
        opening.receivables_from(RECEIVABLES, params)
        cursor.execute(INSERT_LINES, params)
    ledger.post_query(CHARGES, params)
    record_query(EVENTS, params)
    return last_id, due, new
