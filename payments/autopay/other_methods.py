"""Announcing another method: where the announced one cannot make a charge any more, its enrolment's other one does.

The consent says that the second may be charged where the first is declined; which method is charged is told ahead all
the same, three days at least, as the amount and the day are. One set-based statement, in the transaction of the others.
"""

from collections.abc import Mapping
from typing import Any

from django.db import connection

from activity.recording import record_query
from payments.autopay.charge_sql import BANKING, IS_ON, IS_USABLE


def _usable(alias: str, on: str) -> str:
    """IS_USABLE of a method, in the month of a day."""
    month = {"%(year)s": f"extract(year FROM {on})", "%(month)s": f"extract(month FROM {on})"}
    sql = IS_USABLE.replace("x.", f"{alias}.")
    for given, wanted in month.items():
        sql = sql.replace(given, wanted)
    return sql


FIND = f"""
    CREATE TEMPORARY TABLE autopay_other ON COMMIT DROP AS
    SELECT c.id, c.household_id, c.enrollment_id, o.id AS method_id, c.announced_at < %(now)s AS is_news,
        CASE WHEN o.kind = 'us_bank_account' THEN coalesce(banks.opens_on, w.day) ELSE w.day END AS charge_on
    FROM payments_autopaycharge c
    JOIN payments_autopayenrollment e ON e.id = c.enrollment_id
    JOIN payments_paymentmethod m ON m.id = coalesce(c.method_id, e.method_id)
    CROSS JOIN LATERAL (SELECT greatest(c.charge_on, %(noticed_same)s::date) AS day) w
    CROSS JOIN LATERAL (
        SELECT x.id, x.kind FROM unnest(ARRAY[e.method_id, e.fallback_id]) WITH ORDINALITY AS t (id, place)
        JOIN payments_paymentmethod x ON x.id = t.id
        WHERE x.id <> m.id AND {_usable("x", "w.day")} ORDER BY t.place LIMIT 1) o
    {BANKING} w.day
    WHERE c.status IN ('announced', 'asked') AND (e.fallback_id IS NOT NULL OR c.method_id <> e.method_id)
      AND {IS_ON} AND NOT ({_usable("m", "greatest(c.charge_on, %(today)s::date)")})
"""  # noqa: S608  # constants
SET = """
    UPDATE payments_autopaycharge c SET method_id = d.method_id, charge_on = d.charge_on, announced_at = %(now)s
    FROM autopay_other d WHERE d.id = c.id AND c.status IN ('announced', 'asked')
"""
# What this run has announced is told already: its page names the method.
EVENTS = """
    SELECT 'autopay.changed', 'autopay:' || d.enrollment_id, d.household_id, 'system',
        jsonb_build_object('charge_id', d.id, 'enrollment_id', d.enrollment_id)
    FROM autopay_other d WHERE d.is_news ORDER BY d.id
"""


def announce(given: Mapping[str, Any]) -> int:
    """Move charges to the method that can make them, with notice; how many. `given`: of `announcing.params`."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.autopay_other")
        cursor.execute(FIND, given)
        cursor.execute(SET, given)
        moved = int(cursor.rowcount)
    if moved:
        record_query(EVENTS)
    return moved
