"""Announcing the instalments that autopay will charge, ten days ahead: set by set, each once whatever runs twice.

Only where the owner has turned autopay on for the plan: it is offered, never required (12 CFR 1005.10(e)). What is left
of an instalment follows from the end: what is owed and not on its way, less the instalments after it.
"""

import datetime as dt

from django.db import connection
from django.utils import timezone

from activity.doorbell import ring
from activity.recording import record_query
from ledger.transactions import atomic_with_retry
from payments.autopay import announcing as of_bills
from payments.autopay.charge_sql import BANKING, IS_ON, MONTHS, ON_ITS_WAY, RULE_DAY

AHEAD_DAYS = 14  # looked at so far ahead: four days of standstill still leave ten
AGAIN = ("plan_paused", "off")  # after these an instalment is announced anew

LINES = f"""
    CREATE TEMPORARY TABLE plan_line ON COMMIT DROP AS
    WITH owed AS (
        SELECT q.id AS plan_id, e.id AS enrollment_id, sum(greatest(a.balance_cents - {ON_ITS_WAY}, 0)) AS left_cents
        FROM payments_autopayenrollment e
        JOIN payments_paymentplan q ON q.id = e.plan_id AND q.owner_id = e.user_id
        JOIN payments_planbill k ON k.plan_id = q.id AND k.removed_at IS NULL
        JOIN bills_bill b ON b.id = k.bill_id JOIN ledger_account a ON a.id = b.receivable_id
        WHERE e.covers = 'plan' AND {IS_ON} AND q.status = 'active' AND q.paused_from IS NULL
        GROUP BY q.id, e.id HAVING bool_and(b.held_since IS NULL)
    )
    SELECT i.id AS installment_id, i.plan_id, i.due_on, owed.enrollment_id,
        least(i.amount_cents, owed.left_cents - coalesce(sum(i.amount_cents) OVER (
            PARTITION BY i.plan_id ORDER BY i.position DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
        ) AS open_cents
    FROM owed JOIN payments_installment i ON i.plan_id = owed.plan_id AND i.superseded_at IS NULL
"""  # noqa: S608  # constants

CLOSE = """
    UPDATE payments_autopaycharge c SET status = 'not_needed', code = CASE
        WHEN e.status = 'ended' THEN 'off' WHEN i.superseded_at IS NOT NULL THEN 'plan_changed'
        WHEN q.status <> 'active' THEN 'plan_ended' WHEN q.paused_from IS NOT NULL THEN 'plan_paused'
        ELSE 'paid_meanwhile' END
    FROM payments_autopayenrollment e, payments_installment i, payments_paymentplan q
    WHERE c.status IN ('announced', 'asked') AND c.installment_id = i.id AND i.plan_id = q.id
      AND c.enrollment_id = e.id
      AND (e.status = 'ended' OR i.superseded_at IS NOT NULL OR q.status <> 'active' OR q.paused_from IS NOT NULL
           OR EXISTS (SELECT 1 FROM plan_line l WHERE l.installment_id = i.id AND l.open_cents <= 0))
"""

NEW = f"""
    CREATE TEMPORARY TABLE plan_charge ON COMMIT DROP AS
    SELECT nextval(pg_get_serial_sequence('payments_autopaycharge', 'id')) AS id, e.id AS enrollment_id,
        e.household_id, b.installment_id, coalesce(standing.cycle, 0) + 1 AS cycle, b.open_cents AS amount_cents,
        CASE WHEN e.limit_cents < b.open_cents THEN 'asked' ELSE 'announced' END AS status, b.due_on, e.method_id,
        CASE WHEN m.kind = 'us_bank_account' THEN coalesce(banks.opens_on, w.day) ELSE w.day END AS charge_on
    FROM plan_line b
    JOIN payments_autopayenrollment e ON e.id = b.enrollment_id
    JOIN payments_paymentmethod m ON m.id = e.method_id
    LEFT JOIN LATERAL (SELECT c.cycle, c.status, c.code FROM payments_autopaycharge c
        WHERE c.installment_id = b.installment_id ORDER BY c.cycle DESC, c.attempt DESC LIMIT 1) standing ON true
    {MONTHS}
    CROSS JOIN LATERAL (SELECT {RULE_DAY} AS day) r
    CROSS JOIN LATERAL (
        SELECT CASE WHEN r.day >= %(noticed)s THEN r.day ELSE greatest(b.due_on, %(noticed)s) END AS day) w
    {BANKING} w.day
    WHERE b.open_cents >= %(least)s AND b.due_on >= %(today)s AND r.day <= %(ahead)s
      AND (standing.cycle IS NULL OR (standing.status = 'not_needed' AND standing.code = ANY(%(again)s)))
"""  # noqa: S608
INSERT = """
    INSERT INTO payments_autopaycharge (id, enrollment_id, household_id, installment_id, cycle, attempt, status,
        amount_cents, due_on, charge_on, method_id, announced_at, code)
    SELECT id, enrollment_id, household_id, installment_id, cycle, 1, status, amount_cents, due_on, charge_on,
        method_id, %(now)s, ''
    FROM plan_charge ORDER BY id ON CONFLICT DO NOTHING
"""
TOLD = """
    SELECT CASE d.status WHEN 'asked' THEN 'autopay.asked' ELSE 'autopay.announced' END,
        'autopay:' || d.enrollment_id, d.household_id, 'system',
        jsonb_build_object('charge_id', d.id, 'enrollment_id', d.enrollment_id)
    FROM plan_charge d WHERE EXISTS (SELECT 1 FROM payments_autopaycharge c WHERE c.id = d.id) ORDER BY d.id
"""


@atomic_with_retry
def run(*, today: dt.date | None = None) -> int:
    """Bring the announcements of instalments up to date; how many are new."""
    today = today or timezone.localdate()
    given = {
        **of_bills.params(today), "ahead": today + dt.timedelta(days=AHEAD_DAYS), "again": list(AGAIN),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('payments.autopay.announcing'))")  # one at a time
        cursor.execute("DROP TABLE IF EXISTS pg_temp.plan_line, pg_temp.plan_charge")
        cursor.execute(LINES, given)
        cursor.execute(CLOSE)
        cursor.execute(NEW, given)
        cursor.execute(INSERT, given)
        made = int(cursor.rowcount)
    if made:
        record_query(TOLD)
        ring("notifications.tasks.work_off")
    return made
