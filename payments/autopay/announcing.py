"""Announcing what autopay will charge: amount, day and method, ten days ahead wherever the amount may be another.

Three set-based statements, each harmless to repeat: what is not to be charged any more is closed, what is owed
differently is announced anew, and what falls due is announced. Each leaves its events in the same transaction.

The day is the member's choice where the notice reaches it; else the due date, or the first day that it reaches
(docs/decisions/1001). A bill is charged once a cycle; it begins the next where it is owed again after it was paid.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from activity.doorbell import ring
from activity.models import Event
from activity.recording import record_many, record_query
from ledger.transactions import atomic_with_retry
from payments.autopay import announcing_plans, charge_sql, declining, other_methods
from payments.autopay.charge_sql import BANKING, IS_CHOSEN, IS_ON, MAY_PAY, MONTHS, ON_ITS_WAY, RULE_DAY
from payments.checkout import MIN_CENTS

# After these a bill that is owed again is announced anew; what the member skipped, or what failed, never by itself.
BEGINS_AGAIN = ("paid_meanwhile", "off", "not_chosen", "on_plan", "held", "plan_paused")

RESUME = """
    UPDATE payments_autopayenrollment SET status = 'active', paused_until = NULL
    WHERE status = 'paused' AND paused_until <= %(today)s
    RETURNING id, household_id
"""

CLOSE = f"""
    CREATE TEMPORARY TABLE autopay_closed ON COMMIT DROP AS
    SELECT c.id, c.household_id, c.enrollment_id, CASE
        WHEN e.status = 'ended' THEN 'off'
        WHEN b.voided_at IS NOT NULL THEN 'void'
        WHEN a.balance_cents <= 0 THEN 'paid_meanwhile'
        WHEN b.on_plan_since IS NOT NULL THEN 'on_plan'
        WHEN NOT {IS_CHOSEN} THEN 'not_chosen'
        WHEN NOT ({MAY_PAY}) THEN 'not_yours' END AS code
    FROM payments_autopaycharge c
    JOIN payments_autopayenrollment e ON e.id = c.enrollment_id
    JOIN bills_bill b ON b.id = c.bill_id JOIN ledger_account a ON a.id = b.receivable_id
    JOIN accounts_member p ON p.id = b.member_id
    WHERE c.status IN ('announced', 'asked')
"""  # noqa: S608  # constants
SET_CLOSED = """
    UPDATE payments_autopaycharge c SET status = 'not_needed', code = d.code
    FROM autopay_closed d WHERE d.id = c.id AND d.code IS NOT NULL AND c.status IN ('announced', 'asked')
"""

# What the bill charges by now is another amount than announced, or the day went by (a hold, a pause, a standstill).
# What nobody said yes to is not asked about again: a yes at any time is for the next day. A
# retry is never raised: it is for what failed. What is on its way changes nothing: it may yet fail.
CHANGE = f"""
    CREATE TEMPORARY TABLE autopay_changed ON COMMIT DROP AS
    SELECT c.id, c.household_id, c.enrollment_id, n.amount_cents, n.is_moved,
        CASE WHEN NOT n.is_moved THEN c.charge_on
             WHEN m.kind = 'us_bank_account' THEN coalesce(banks.opens_on, w.day) ELSE w.day END AS charge_on,
        CASE WHEN e.limit_cents < n.amount_cents
                  AND (c.status = 'asked' OR c.code <> 'approved' OR n.amount_cents > c.amount_cents)
             THEN 'asked' ELSE 'announced' END AS status
    FROM payments_autopaycharge c
    JOIN payments_autopayenrollment e ON e.id = c.enrollment_id
    JOIN payments_paymentmethod m ON m.id = coalesce(c.method_id, e.method_id)
    JOIN bills_bill b ON b.id = c.bill_id JOIN ledger_account a ON a.id = b.receivable_id
    CROSS JOIN LATERAL (SELECT
        CASE WHEN c.attempt = 1 THEN a.balance_cents ELSE least(a.balance_cents, c.amount_cents) END AS amount_cents,
        (c.attempt = 1 AND a.balance_cents > c.amount_cents) OR (c.charge_on < %(too_late)s
            AND (c.status = 'announced' OR e.limit_cents IS NULL OR e.limit_cents >= a.balance_cents)) AS is_moved) n
    CROSS JOIN LATERAL (SELECT greatest(c.charge_on, %(noticed)s::date) AS day) w
    {BANKING} w.day
    WHERE c.status IN ('announced', 'asked') AND a.balance_cents >= %(least)s AND b.held_since IS NULL AND {IS_ON}
      AND (n.amount_cents <> c.amount_cents OR n.is_moved)
"""  # noqa: S608
SET_CHANGED = """
    UPDATE payments_autopaycharge c SET amount_cents = d.amount_cents, charge_on = d.charge_on, status = d.status,
        code = CASE d.status WHEN 'asked' THEN '' ELSE c.code END,
        announced_at = CASE WHEN d.is_moved THEN %(now)s ELSE c.announced_at END
    FROM autopay_changed d WHERE d.id = c.id AND c.status IN ('announced', 'asked')
"""

# Bills that fall due under an enrolment that is on: the premiums of its coverage, or medical bills of its people. What
# was due before autopay was turned on is paid by hand.
NEW = f"""
    CREATE TEMPORARY TABLE autopay_new ON COMMIT DROP AS
    SELECT nextval(pg_get_serial_sequence('payments_autopaycharge', 'id')) AS id, e.id AS enrollment_id,
        b.household_id, b.id AS bill_id, coalesce(standing.cycle, 0) + 1 AS cycle,
        CASE WHEN e.limit_cents < a.balance_cents THEN 'asked' ELSE 'announced' END AS status,
        a.balance_cents AS amount_cents, b.due_on, e.method_id,
        CASE WHEN m.kind = 'us_bank_account' THEN coalesce(banks.opens_on, w.day) ELSE w.day END AS charge_on
    FROM ({{bills}}) AS due (enrollment_id, bill_id)
    JOIN payments_autopayenrollment e ON e.id = due.enrollment_id
    JOIN bills_bill b ON b.id = due.bill_id JOIN ledger_account a ON a.id = b.receivable_id
    JOIN accounts_member p ON p.id = b.member_id
    JOIN payments_paymentmethod m ON m.id = e.method_id
    LEFT JOIN LATERAL (SELECT c.cycle, c.status, c.code, y.status AS paid FROM payments_autopaycharge c
        LEFT JOIN payments_payment y ON y.id = c.payment_id
        WHERE c.bill_id = b.id ORDER BY c.cycle DESC, c.attempt DESC LIMIT 1) standing ON true
    LEFT JOIN LATERAL (SELECT c.amount_cents FROM payments_autopaycharge c
        WHERE c.enrollment_id = e.id AND c.status IN ('sent', 'done')
        ORDER BY c.due_on DESC, c.id DESC LIMIT 1) previous ON true
    {MONTHS}
    CROSS JOIN LATERAL (SELECT {RULE_DAY} AS day, CASE WHEN previous.amount_cents = a.balance_cents
        THEN %(noticed_same)s::date ELSE %(noticed)s::date END AS noticed) r
    CROSS JOIN LATERAL (
        SELECT CASE WHEN r.day >= r.noticed THEN r.day ELSE greatest(b.due_on, r.noticed) END AS day) w
    {BANKING} w.day
    WHERE {IS_ON} AND b.held_since IS NULL AND b.on_plan_since IS NULL
      AND b.due_on <= %(horizon)s AND b.due_on >= (e.created_at AT TIME ZONE %(zone)s)::date
      AND a.balance_cents >= %(least)s AND a.balance_cents - {ON_ITS_WAY} >= %(least)s
      AND (standing.cycle IS NULL OR (standing.status = 'done' AND standing.paid = 'succeeded')
           OR (standing.status = 'not_needed' AND standing.code = ANY(%(begins_again)s)))
      AND {MAY_PAY}
"""  # noqa: S608
PREMIUMS = """
    SELECT e.id, b.id FROM payments_autopayenrollment e
    JOIN bills_bill b ON b.coverage_id = e.coverage_id AND b.kind = 'premium'
    WHERE e.covers = 'premium' AND e.status <> 'ended' AND b.due_on <= %(horizon)s
"""
MEDICAL = """
    SELECT e.id, b.id FROM payments_autopayenrollment e
    JOIN payments_autopayenrollment_members chosen ON chosen.autopayenrollment_id = e.id
    JOIN bills_bill b ON b.member_id = chosen.member_id AND b.kind = 'medical'
    WHERE e.covers = 'medical' AND e.status <> 'ended' AND b.due_on <= %(horizon)s
      AND b.due_on >= (e.created_at AT TIME ZONE %(zone)s)::date
"""
INSERT = """
    INSERT INTO payments_autopaycharge (id, enrollment_id, household_id, bill_id, cycle, attempt, status, amount_cents,
        due_on, charge_on, method_id, announced_at, code)
    SELECT id, enrollment_id, household_id, bill_id, cycle, 1, status, amount_cents, due_on, charge_on, method_id,
        %(now)s, ''
    FROM autopay_new ORDER BY id ON CONFLICT DO NOTHING
"""
TOLD = """
    SELECT {kind}, 'autopay:' || d.enrollment_id, d.household_id, 'system',
        jsonb_build_object('charge_id', d.id, 'enrollment_id', d.enrollment_id)
    FROM {table} d WHERE {where} ORDER BY d.id
"""
# Another run may have been quicker with one of them: of that nothing is told twice.
EVENTS_NEW = TOLD.format(
    kind="CASE d.status WHEN 'asked' THEN 'autopay.asked' ELSE 'autopay.announced' END", table="autopay_new",
    where="EXISTS (SELECT 1 FROM payments_autopaycharge c WHERE c.id = d.id)",
)  # fmt: skip
EVENTS_CHANGED = TOLD.format(
    kind="CASE d.status WHEN 'asked' THEN 'autopay.asked' ELSE 'autopay.changed' END", table="autopay_changed",
    where="true",
)  # fmt: skip
EVENTS_CLOSED = TOLD.format(kind="'autopay.not_needed'", table="autopay_closed", where="d.code IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did: charges announced (or asked about), announced anew, and closed as no longer needed."""

    announced: int = 0
    changed: int = 0
    closed: int = 0


@atomic_with_retry
def run(*, today: dt.date | None = None) -> Summary:
    """Bring the announcements up to date with what is owed. Any number of runs announce each charge once."""
    today = today or timezone.localdate()
    given = params(today)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('payments.autopay.announcing'))")  # one at a time
        cursor.execute("DROP TABLE IF EXISTS pg_temp.autopay_closed, pg_temp.autopay_changed, pg_temp.autopay_new")
        cursor.execute(RESUME, given)
        resumed = [_resumed(*row) for row in cursor.fetchall()]
        cursor.execute(CLOSE, given)
        cursor.execute(SET_CLOSED)
        closed = cursor.rowcount
        cursor.execute(CHANGE, given)
        cursor.execute(SET_CHANGED, given)
        changed = cursor.rowcount
        cursor.execute(NEW.format(bills=f"{PREMIUMS} UNION ALL {MEDICAL}"), given)
        cursor.execute(INSERT, given)
        announced = cursor.rowcount
    record_many(resumed)
    for made, events in ((closed, EVENTS_CLOSED), (changed, EVENTS_CHANGED), (announced, EVENTS_NEW)):
        if made:
            record_query(events)
    parts = announcing_plans.run(given, begins_again=BEGINS_AGAIN)
    moved = other_methods.announce(given)
    summary = Summary(
        announced=announced + len(parts.announced), changed=changed + len(parts.changed) + moved,
        closed=closed + len(parts.closed),
    )  # fmt: skip
    if resumed or summary != Summary():
        ring("notifications.tasks.work_off")
    return summary


def _resumed(enrollment_id: int, household_id: int) -> Event:
    """What is told of a pause that is over."""
    return Event(
        kind="autopay.resumed", subject=f"autopay:{enrollment_id}", owner_id=household_id, actor="system",
        from_status="paused", to_status="active", reason="", data={"enrollment_id": enrollment_id},
    )  # fmt: skip


def params(today: dt.date) -> dict[str, Any]:
    """What the statements ask for, on a day."""
    return {
        "today": today,
        "now": timezone.now(),
        "zone": timezone.get_default_timezone_name(),
        "horizon": today + dt.timedelta(days=charge_sql.HORIZON_DAYS),
        "noticed": today + dt.timedelta(days=charge_sql.NOTICE_DAYS),
        "noticed_same": today + dt.timedelta(days=charge_sql.NOTICE_DAYS_SAME),
        "too_late": today - dt.timedelta(days=charge_sql.MOST_DAYS_LATE),
        "least": MIN_CENTS,
        "begins_again": list(BEGINS_AGAIN),
        "hard": sorted(declining.HARD),
        **charge_sql.banking_params(today),
    }
