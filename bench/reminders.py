"""`reminders`: the reminders of a day out of ten times as many open bills, against one statement of the same."""

import datetime as dt
import resource

from django.db import transaction
from django.utils import timezone

from bench import databases, premiums
from bench.databases import execute
from bench.frame import Run, benchmark
from notifications import bill_notices

OPEN_FOR_EACH_DUE = 10
BILLS_EACH = 10  # of a household
MIB_KB = 1024
SMALL = 1_000

USERS = """
    INSERT INTO accounts_user (id, password, is_superuser, email, is_active, is_staff, language, date_joined)
    SELECT n, '', false, 'member-' || n || '@example.com', true, false, 'en', now() FROM generate_series(1, %s) n
"""
ADDRESSES = """
    INSERT INTO account_emailaddress (email, verified, "primary", user_id)
    SELECT email, true, true, id FROM accounts_user
"""
ACCOUNTS = """
    INSERT INTO ledger_account (id, owner_id, control_id, matures_on, type, is_control, balance_cents, is_tracked,
        credits_must_not_exceed_debits, debits_must_not_exceed_credits)
    SELECT 10000000 + n, m.household_id, m.medical_control_id, %s, 'asset', false, 18500, true, true, false
    FROM generate_series(%s, %s) n JOIN accounts_member m ON m.household_id = 1 + n / %s
"""
BILLS = """
    INSERT INTO bills_bill (number, kind, household_id, member_id, issued_on, due_on, title, provider_name,
        amount_cents, receivable_id, plan_eligible, hold_reason, source, source_id, created_at)
    SELECT 'B' || n, 'medical', m.household_id, m.id, %s, %s, 'Laboratory', '', 18500, 10000000 + n, true, '', 'bench',
        n::text, now()
    FROM generate_series(%s, %s) n JOIN accounts_member m ON m.household_id = 1 + n / %s
"""
YARDSTICK = """
    INSERT INTO notifications_notification
        (kind, subject, user_id, member_id, channel, dedupe_key, next_try_at)
    SELECT 'due_in_3_days', 'bill:' || b.number, m.user_id, m.id, 'mail',
        'due_in_3_days:' || b.id || ':' || b.due_on || ':' || m.user_id, now()
    FROM bills_bill b JOIN ledger_account a ON a.id = b.receivable_id JOIN accounts_member m ON m.id = b.member_id
    WHERE b.due_on = ANY(%s) AND a.balance_cents > 0 AND b.voided_at IS NULL AND b.held_since IS NULL
      AND NOT EXISTS (SELECT 1 FROM payments_paymentallocation l JOIN payments_payment p ON p.id = l.payment_id
                      WHERE l.bill_id = b.id AND p.status IN ('submitted', 'requires_action', 'processing'))
    ON CONFLICT (dedupe_key) DO NOTHING
"""


def fill(due: int, *, still_open: int = 0) -> dt.date:
    """Households with a user each, `due` bills that are due in three days, and others that are due in a hundred."""
    databases.fresh()
    today = timezone.localdate()
    total = due + still_open
    count = total // BILLS_EACH + 2
    premiums.people(count)
    execute(USERS, count)
    execute(ADDRESSES)
    execute("UPDATE accounts_member SET user_id = household_id")
    execute("SET session_replication_role = replica")
    for first, last, on in ((1, due, 3), (due + 1, total, 100)):
        day = today + dt.timedelta(days=on)
        execute(ACCOUNTS, day, first, last, BILLS_EACH)
        execute(BILLS, today - dt.timedelta(days=20), day, first, last, BILLS_EACH)
    execute("SET session_replication_role = DEFAULT")
    execute("ANALYZE")
    return today


def empty() -> None:
    """Forget what was made."""
    execute(
        "TRUNCATE notifications_notification, notifications_queued, notifications_senttext, notifications_reminderrun"
    )


@benchmark("reminders", size=10_000, full=100_000)
def measure(run: Run) -> None:
    """So many reminders due out of ten times as many open bills, to the outbox, against one statement of the same."""
    _memory(run)
    today = fill(run.size, still_open=run.size * (OPEN_FOR_EACH_DUE - 1))
    made = []
    dues = [today + dt.timedelta(days=kind.days or 0) for kind in bill_notices.REMINDERS]

    @transaction.atomic
    def raw() -> None:
        execute(YARDSTICK, dues)

    row = run.compare(
        "send_reminders", lambda: made.append(bill_notices.remind(today)), raw, work=run.size, unit="reminders/s",
        before=empty, at_least=1 / 1.5,
    )  # fmt: skip
    assert made == [run.size] * run.pairs
    run.figure("send_reminders: rate", row.ours, "reminders/s")
    bill_notices.remind(today)
    assert bill_notices.remind(today) == 0


def _memory(run: Run) -> None:
    """The most memory that this process ever held grows by nothing much from a run of 1,000 to the whole."""
    fill(min(SMALL, run.size))
    bill_notices.remind(timezone.localdate())
    small = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fill(run.size)
    bill_notices.remind(timezone.localdate())
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - small) / MIB_KB
    run.figure("memory beyond that of a run of 1,000", grown, "MiB", at_most=20)
