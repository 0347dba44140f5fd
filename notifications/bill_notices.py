"""Notices about bills, made set by set: new bills from the events that tell of them, reminders by due date.

Nothing chases money that is on its way or is promised for a day ahead, nor a bill that is void or on hold (FAULTS
D01). Whom a bill concerns is the same in SQL here and in `audience.readers_of_bill`.
"""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.ages import apart_sql
from activity.doorbell import ring
from bills.banking_days import due_days_newly_past
from notifications.kinds import KINDS, REMINDERS, Kind
from notifications.models import ReminderRun
from payments.states import IN_FLIGHT

ISSUED = "bill.issued"
EVENTS_AT_ONCE = 5_000
NEWS_DAYS = 45  # a bill that was issued longer ago came with an import of old ones, and is no news
FIRST_DAY_PAST = -1  # the day of the first notice that a bill is past due; the next are a week and a month after it
MAX_DAYS_BACK = 3  # a day that was missed is caught up with so long

# What is still to be paid on bill `b` with receivable `a`, US cents, less what is on its way or scheduled.
OWED = """
    b.voided_at IS NULL AND b.held_since IS NULL AND b.on_plan_since IS NULL AND a.balance_cents > coalesce((
        SELECT sum(l.amount_cents) FROM payments_paymentallocation l JOIN payments_payment p ON p.id = l.payment_id
        WHERE l.bill_id = b.id
          AND (p.status = ANY(%(in_flight)s) OR (p.status = 'draft' AND p.scheduled_on >= %(day)s))), 0)
"""
# Autopay takes it by itself: its member was told ahead, and of a charge that failed hears when it is tried again.
AUTOMATIC = """EXISTS (
        SELECT 1 FROM payments_autopaycharge c JOIN payments_autopayenrollment e ON e.id = c.enrollment_id
        WHERE c.bill_id = b.id AND c.status IN ('announced', 'queued', 'sent') AND e.status = 'active')"""
# Who is told of the bills of member `m`: the member and, unless the member is apart, the primary holder.
READERS = f"""(
        SELECT m.user_id WHERE m.user_id IS NOT NULL
        UNION ALL
        SELECT h.user_id FROM accounts_member h
        WHERE h.household_id = m.household_id AND h.is_primary_holder AND h.user_id IS NOT NULL
          AND NOT {apart_sql("m")} AND h.user_id IS DISTINCT FROM m.user_id
    ) reader
"""  # noqa: S608  # the parts are constants
INSERT = "INSERT INTO notifications_notification (kind, subject, user_id, member_id, channel, dedupe_key, next_try_at)"

NEW_BILLS = f"""
    WITH taken AS MATERIALIZED (
        SELECT id, CASE WHEN jsonb_typeof(data -> 'bill_id') = 'number' THEN (data ->> 'bill_id')::bigint END AS bill_id
        FROM activity_event WHERE processed_at IS NULL AND kind = %(event)s
        ORDER BY id LIMIT %(size)s FOR UPDATE SKIP LOCKED
    ), told AS (
        SELECT 'bill:' || b.number AS subject, reader.user_id, m.id AS member_id, b.id AS bill_id
        FROM taken JOIN bills_bill b ON b.id = taken.bill_id
        JOIN ledger_account a ON a.id = b.receivable_id JOIN accounts_member m ON m.id = b.member_id
        LEFT JOIN LATERAL {READERS} ON true
        WHERE b.issued_on > %(day)s::date - %(news_days)s AND {OWED}
    ), made AS (
        {INSERT}
        SELECT %(kind)s, subject, user_id, member_id, CASE WHEN user_id IS NULL THEN 'letter' ELSE 'mail' END,
            %(kind)s || ':' || bill_id || ':' || coalesce(user_id, 0),
            now() + row_number() OVER () * %(pause)s::interval
        FROM told ON CONFLICT (dedupe_key) DO NOTHING RETURNING 1
    ), done AS (
        UPDATE activity_event e SET processed_at = now() FROM taken WHERE e.id = taken.id RETURNING 1
    )
    SELECT count(*) FROM done
"""  # noqa: S608  # the parts are constants

REMIND = f"""
    {INSERT}
    SELECT due.kind, 'bill:' || b.number, reader.user_id, m.id, 'mail',
        due.kind || ':' || b.id || ':' || b.due_on || ':' || reader.user_id,
        now() + row_number() OVER () * %(pause)s::interval
    FROM unnest(%(kinds)s::text[], %(dues)s::date[]) due (kind, due_on)
    JOIN bills_bill b ON b.due_on = due.due_on
    JOIN ledger_account a ON a.id = b.receivable_id JOIN accounts_member m ON m.id = b.member_id
    CROSS JOIN LATERAL {READERS}
    WHERE b.due_on BETWEEN %(first)s AND %(last)s AND b.issued_on < %(day)s AND {OWED} AND NOT {AUTOMATIC}
    ON CONFLICT (dedupe_key) DO NOTHING
"""  # noqa: S608  # the parts are constants


@transaction.atomic
def tell_of_new_bills() -> int:
    """Make the notices of some of the bills issued, and mark their events done; how many events. To be repeated.

    A bill that nobody can be told of by mail stands in the list of letters (FAULTS L17).
    """
    params: dict[str, Any] = {
        "event": ISSUED, "size": EVENTS_AT_ONCE, "kind": KINDS["new_bill"].name, "day": timezone.localdate(),
        "news_days": NEWS_DAYS, "in_flight": list(IN_FLIGHT), "pause": _pause(), "today": timezone.localdate(),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(NEW_BILLS, params)
        return int(cursor.fetchone()[0])


@transaction.atomic
def remind(day: dt.date) -> int:
    """Make the reminders of one day in the portal's time zone, each once whatever runs twice; how many are new.

    One statement for every kind, so that the bills are read once.
    """
    dues = [(kind.name, due_on) for kind in REMINDERS for due_on in _due_days(kind, day)]
    days = [due_on for _kind, due_on in dues]
    params: dict[str, Any] = {
        "kinds": [kind for kind, _due_on in dues], "dues": days, "first": min(days), "last": max(days),
        "day": day, "in_flight": list(IN_FLIGHT), "pause": _pause(), "today": timezone.localdate(),
    }  # fmt: skip
    run, _is_new = ReminderRun.objects.get_or_create(day=day)
    with connection.cursor() as cursor:
        cursor.execute(REMIND, params)
        made = int(cursor.rowcount)
    ReminderRun.objects.filter(pk=run.pk).update(made=F("made") + made, finished_at=timezone.now())
    ring("notifications.tasks.work_off")
    return made


def remind_daily(today: dt.date) -> int:
    """The reminders of today, and of days since the last run that were missed, at most MAX_DAYS_BACK of them."""
    last = ReminderRun.objects.filter(finished_at__isnull=False, day__lt=today).order_by("-day").first()
    first = today if last is None else max(last.day + dt.timedelta(days=1), today - dt.timedelta(days=MAX_DAYS_BACK))
    return sum(remind(first + dt.timedelta(days=number)) for number in range((today - first).days + 1))


def _due_days(kind: Kind, day: dt.date) -> list[dt.date]:
    """The due dates that a kind tells of on a day: that a bill is past due, not before the banks were open again."""
    if kind.days == FIRST_DAY_PAST:
        return due_days_newly_past(day)
    return [day + dt.timedelta(days=kind.days or 0)]


def _pause() -> dt.timedelta:
    """Notices of many people fall due one after the other, so that a receipt does not wait behind them (FAULTS L15)."""
    return dt.timedelta(seconds=1 / settings.EMAIL_PER_SECOND if settings.EMAIL_PER_SECOND else 0)
