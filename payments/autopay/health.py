"""Looking ahead of the run: what would make a charge fail or never come is found, told to its member, and listed.

One set-based look a day over all enrolments. What is found opens an AutopayProblem and is told once (`autopay.health`);
what has gone closes it. Where a second method can pay, nothing stands in the way of the charge: that the first cannot
is shown to its member and listed for staff, and no mail is written about it.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.ages import apart_sql
from accounts.aids import share_sql
from activity.doorbell import ring
from activity.recording import record_query
from ledger.transactions import atomic_with_retry
from payments.models import AutopayEnrollment, AutopayProblem

Code = AutopayProblem.Code
DAYS_AHEAD = 35  # where no charge is announced yet: the next month's

WORDS: dict[str, Promise] = {
    Code.METHOD_REMOVED: _("Its payment method was removed. Choose another one."),
    Code.METHOD_BLOCKED: _("A bank has stopped its payment method. Choose another one."),
    Code.METHOD_UNVERIFIED: _("Its bank account is not verified. Verify it under Payment methods, or choose another."),
    Code.MANDATE_LOST: _("The authorization to debit its bank account has ended. Add the account again and choose it."),
    Code.SHARE_ENDED: _("Its payment method is no longer shared with you. Choose one of your own."),
    Code.CARD_EXPIRES: _("Its card expires before the next payment. Replace the card or choose another method."),
    Code.SECOND_PAYS: _("The first payment method cannot be used, so your second one pays. Mend or replace the first."),
    Code.COVERAGE_ENDED: _("This coverage has ended, so autopay has nothing more to pay. You can turn it off."),
    Code.COVERAGE_REPLACED: _("You have a new coverage. Autopay does not pay it until you turn it on for it."),
    Code.ABOVE_LIMIT: _("The premium is above your limit now, so you will be asked each month. Change the limit."),
    Code.NOT_PAYABLE: _("You can no longer pay for one of these people. Change whose bills it pays."),
}

# Why a method `x` of enrolment `e` cannot make a charge on `d.day`; null where it can.
WHY = """
    CASE WHEN x.removed_at IS NOT NULL THEN 'method_removed'
         WHEN x.blocked_at IS NOT NULL THEN 'method_blocked'
         WHEN x.state <> 'verified' THEN 'method_unverified'
         WHEN x.user_id <> e.user_id AND NOT EXISTS (
             SELECT 1 FROM payments_methodshare s JOIN accounts_member sm ON sm.id = s.member_id
             JOIN accounts_member om ON om.household_id = sm.household_id AND om.user_id = x.user_id
             WHERE s.method_id = x.id AND s.ended_at IS NULL AND sm.user_id = e.user_id
             AND coalesce(sm.confidential_since <= s.created_at, true) AND coalesce(sm.left_on > %(today)s, true)
             AND coalesce(om.confidential_since <= s.created_at, true) AND coalesce(om.left_on > %(today)s, true)
             ) THEN 'share_ended'
         WHEN x.kind = 'us_bank_account' AND NOT EXISTS (
             SELECT 1 FROM payments_mandate a WHERE a.method_id = x.id AND a.status = 'active') THEN 'mandate_lost'
         WHEN (x.expires_year, x.expires_month) < (extract(year FROM d.day), extract(month FROM d.day))
             THEN 'card_expires' END
"""
# Whether the user of enrolment `e` may pay for member `p`, as accounts.visibility has it (Scope.payable_ids).
PAYABLE = f"""
    p.household_id = e.household_id
    AND (coalesce(p.user_id = e.user_id, false)
         OR (NOT {apart_sql("p")} AND EXISTS (
             SELECT 1 FROM accounts_member holder WHERE holder.user_id = e.user_id AND holder.is_primary_holder
             AND holder.household_id = p.household_id))
         OR EXISTS (SELECT 1 FROM accounts_delegate g WHERE g.user_id = e.user_id AND g.member_id = p.id
                    AND g.grant <> 'view' AND g.ended_at IS NULL AND (g.until IS NULL OR g.until >= %(today)s)
                    AND (p.confidential_since IS NULL OR g.created_at >= p.confidential_since)))
"""  # noqa: S608  # constants
FIND = f"""
    CREATE TEMPORARY TABLE autopay_found ON COMMIT DROP AS
    SELECT e.id AS enrollment_id, found.code, planned.charge_on
    FROM payments_autopayenrollment e
    JOIN payments_paymentmethod m ON m.id = e.method_id
    LEFT JOIN payments_paymentmethod f ON f.id = e.fallback_id
    LEFT JOIN accounts_coverage v ON v.id = e.coverage_id
    LEFT JOIN LATERAL (SELECT min(c.charge_on) AS charge_on FROM payments_autopaycharge c
        WHERE c.enrollment_id = e.id AND c.status IN ('announced', 'asked')
          AND c.charge_on >= %(today)s) planned ON true
    CROSS JOIN LATERAL (SELECT coalesce(planned.charge_on, %(horizon)s::date) AS day) d
    CROSS JOIN LATERAL (SELECT {WHY.replace("x.", "m.")} AS first, {WHY.replace("x.", "f.")} AS second) why
    CROSS JOIN LATERAL (VALUES
        (CASE WHEN f.id IS NULL OR why.second IS NOT NULL THEN why.first
              WHEN why.first IS NOT NULL THEN 'second_pays' END),
        (CASE WHEN v.end_on IS NOT NULL AND EXISTS (
                SELECT 1 FROM accounts_coverage n WHERE n.subscriber_id = v.subscriber_id AND n.id <> v.id
                AND n.start_on > v.end_on AND (n.end_on IS NULL OR n.end_on >= %(today)s)
                AND NOT EXISTS (SELECT 1 FROM payments_autopayenrollment o
                                WHERE o.coverage_id = n.id AND o.status <> 'ended')) THEN 'coverage_replaced'
              WHEN v.end_on < %(today)s THEN 'coverage_ended' END),
        (CASE WHEN {share_sql("v", "d.day")} > e.limit_cents THEN 'above_limit' END),
        (CASE WHEN EXISTS (SELECT 1 FROM accounts_member p WHERE NOT ({PAYABLE}) AND (p.id = v.subscriber_id
                OR p.id IN (SELECT chosen.member_id FROM payments_autopayenrollment_members chosen
                            WHERE chosen.autopayenrollment_id = e.id))) THEN 'not_payable' END)
    ) found (code)
    WHERE e.status IN ('active', 'paused') AND found.code IS NOT NULL
"""  # noqa: S608  # constants
CLOSE = """
    UPDATE payments_autopayproblem t SET closed_at = %(now)s
    WHERE t.closed_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM autopay_found f WHERE f.enrollment_id = t.enrollment_id AND f.code = t.code)
"""
OPEN = """
    INSERT INTO payments_autopayproblem (enrollment_id, code, charge_on, opened_at)
    SELECT enrollment_id, code, charge_on, %(now)s FROM autopay_found ORDER BY enrollment_id, code
    ON CONFLICT DO NOTHING
"""
UNTOLD = "t.told_at IS NULL AND t.closed_at IS NULL AND t.code <> 'second_pays'"
EVENTS = f"""
    SELECT 'autopay.health', 'autopay:' || e.id, e.household_id, 'system',
        jsonb_build_object('enrollment_id', e.id, 'problem_id', t.id, 'code', t.code)
    FROM payments_autopayproblem t JOIN payments_autopayenrollment e ON e.id = t.enrollment_id
    WHERE {UNTOLD} ORDER BY t.id
"""  # noqa: S608
SET_TOLD = f"UPDATE payments_autopayproblem t SET told_at = %(now)s WHERE {UNTOLD}"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Summary:
    """How many problems a look opened and closed."""

    opened: int
    closed: int


@atomic_with_retry
def look(*, today: dt.date | None = None) -> Summary:
    """Find what is wrong as things stand, tell of what is new, and close what has gone. A repeat changes nothing."""
    today = today or timezone.localdate()
    given: dict[str, Any] = {
        "today": today, "horizon": today + dt.timedelta(days=DAYS_AHEAD), "now": timezone.now(),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.autopay_found")
        cursor.execute(FIND, given)
        cursor.execute(CLOSE, given)
        closed = cursor.rowcount
        cursor.execute(OPEN, given)
        opened = cursor.rowcount
        if opened:
            record_query(EVENTS)
            cursor.execute(SET_TOLD, given)
            ring("notifications.tasks.work_off")
    return Summary(opened, closed)


@dataclass(frozen=True, slots=True)
class Found:
    """What is wrong, in words, and whether it stands in the way of the next payment."""

    text: str
    is_urgent: bool


def words_of(enrollment: AutopayEnrollment) -> list[Found]:
    """What is wrong with an enrolment as it was last looked at, and what to do, in words."""
    standing = AutopayProblem.objects.filter(enrollment=enrollment, closed_at__isnull=True).order_by("pk")
    return [Found(str(WORDS[code]), code != Code.SECOND_PAYS) for code in standing.values_list("code", flat=True)]


def look_at(enrollment: AutopayEnrollment) -> None:
    """After a change: close its method's problems, which the next look opens again where they still hold."""
    of_method = (Code.METHOD_REMOVED, Code.METHOD_BLOCKED, Code.METHOD_UNVERIFIED, Code.MANDATE_LOST, Code.SHARE_ENDED,
                 Code.CARD_EXPIRES, Code.SECOND_PAYS, Code.ABOVE_LIMIT, Code.NOT_PAYABLE)  # fmt: skip
    AutopayProblem.objects.filter(enrollment=enrollment, closed_at__isnull=True, code__in=of_method).update(
        closed_at=timezone.now()
    )
