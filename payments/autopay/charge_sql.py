"""Parts of SQL that announcing and charging share: who may pay a bill, what is owed, and on which day it is charged.

Set-based, since a day has up to a million enrolments. `tests/payments/autopay/test_charge_sql.py` holds each against
the function in Python that says the same of one bill.
"""

import datetime as dt

from accounts.ages import apart_sql
from bills.banking_days import next_banking_day
from payments.states import IN_FLIGHT

NOTICE_DAYS = 10  # before a charge whose amount is another than the one before (Reg E, 12 CFR 1005.10(d)(1))
NOTICE_DAYS_SAME = 3  # before one of the same amount: so long it can be skipped
MOST_DAYS_LATE = 7  # after a standstill or a hold; a charge later than that is announced anew first
HORIZON_DAYS = 60  # how far ahead what falls due is announced
MOST_DAYS_BEFORE = 31 + 20  # how far before or after its due date a charge can lie, at most
IN_FLIGHT_SQL = ", ".join(f"'{status}'" for status in IN_FLIGHT)

# Whether autopay is on for an enrolment `e` on a day: a pause ends on its day.
IS_ON = "(e.status = 'active' OR (e.status = 'paused' AND e.paused_until <= %(today)s))"

# Whether the user of enrolment `e` may pay bill `b` of member `p`, as payments.allocating.bills_to_pay has it.
MAY_PAY = f"""
    p.household_id = b.household_id AND b.voided_at IS NULL
    AND EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = e.user_id AND u.is_active)
    AND ((p.user_id IS NOT NULL AND p.user_id = e.user_id)
         OR ((NOT {apart_sql("p")} OR b.shared_at IS NOT NULL)
             AND EXISTS (SELECT 1 FROM accounts_member holder WHERE holder.user_id = e.user_id
                         AND holder.is_primary_holder AND holder.household_id = b.household_id
                         AND coalesce(holder.left_on > %(today)s::date, true)))
         OR EXISTS (SELECT 1 FROM accounts_delegate d WHERE d.user_id = e.user_id AND d.member_id = p.id
                    AND d.grant <> 'view' AND d.ended_at IS NULL AND p.died_on IS NULL
                    AND (d.until IS NULL OR d.until >= %(today)s)
                    AND (p.confidential_since IS NULL OR d.created_at >= p.confidential_since)))
"""  # noqa: S608  # constants

# Whether enrolment `e` pays the bills of the member of bill `b`: of medical bills, its member chooses whose.
IS_CHOSEN = """
    (e.covers <> 'medical' OR EXISTS (
        SELECT 1 FROM payments_autopayenrollment_members chosen
        WHERE chosen.autopayenrollment_id = e.id AND chosen.member_id = b.member_id))
"""

# Whether a method `x` can make a charge of enrolment `e` in a month of a year.
IS_USABLE = """
    x.removed_at IS NULL AND x.blocked_at IS NULL AND x.state = 'verified'
    AND (x.expires_year IS NULL
         OR (x.expires_year, x.expires_month) >= (%(year)s, %(month)s))
    AND (x.kind <> 'us_bank_account'
         OR EXISTS (SELECT 1 FROM payments_mandate a WHERE a.method_id = x.id AND a.status = 'active'))
    AND (x.user_id = e.user_id OR EXISTS (
        SELECT 1 FROM payments_methodshare s JOIN accounts_member sm ON sm.id = s.member_id
        JOIN accounts_member om ON om.household_id = sm.household_id AND om.user_id = x.user_id
        WHERE s.method_id = x.id AND s.ended_at IS NULL AND sm.user_id = e.user_id
        AND sm.died_on IS NULL AND coalesce(sm.left_on > %(today)s, true)
        AND om.died_on IS NULL AND coalesce(om.left_on > %(today)s, true)))
    AND NOT EXISTS (SELECT 1 FROM payments_autopaycharge f
                    WHERE f.method_id = x.id AND f.status = 'failed' AND f.code = ANY(%(hard)s))
"""

# What is on its way to bill `b`, US cents.
ON_ITS_WAY = f"""
    coalesce((SELECT sum(l.amount_cents) FROM payments_paymentallocation l
              JOIN payments_payment y ON y.id = l.payment_id
              WHERE l.bill_id = b.id AND y.status IN ({IN_FLIGHT_SQL})), 0)
"""  # noqa: S608  # constants

# The day by the rule of enrolment `e` for bill `b`: payments.autopay.days.charge_day, before the banks are asked.
RULE_DAY = """
    CASE e.day_rule
        WHEN 'days_before' THEN b.due_on - e.days_before
        WHEN 'day_of_month' THEN CASE
            WHEN least(e.day_of_month, extract(day FROM month.last)::int) <= extract(day FROM b.due_on)::int
            THEN month.last - extract(day FROM month.last)::int
                 + least(e.day_of_month, extract(day FROM month.last)::int)
            ELSE before.last - extract(day FROM before.last)::int
                 + least(e.day_of_month, extract(day FROM before.last)::int) END
        ELSE b.due_on END
"""
MONTHS = """
    CROSS JOIN LATERAL (SELECT (date_trunc('month', b.due_on) + interval '1 month - 1 day')::date AS last) month
    CROSS JOIN LATERAL (SELECT (date_trunc('month', b.due_on) - interval '1 day')::date AS last) before
"""

# Banks take debits on banking days alone (RULES section 11): the first on or after `day`, in a table of the months.
BANKING = "LEFT JOIN unnest(%(days)s::date[], %(banking_days)s::date[]) AS banks (day, opens_on) ON banks.day = "


def banking_params(today: dt.date) -> dict[str, list[dt.date]]:
    """The table of BANKING: every day on which a charge can fall, and the banking day on or after it."""
    days = [
        today + dt.timedelta(days=number)
        for number in range(-MOST_DAYS_LATE, HORIZON_DAYS + MOST_DAYS_BEFORE + NOTICE_DAYS)
    ]
    return {"days": days, "banking_days": [next_banking_day(day) for day in days]}
