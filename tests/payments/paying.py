"""What tests of payments have in common: bills, test cards, and what the book and the provider say."""

import datetime as dt
import itertools

import stripe
from django.conf import settings
from django.db import connection

from accounts.models import Member
from bills import issuing
from bills.models import Bill

_serial = itertools.count(1)


def make_bill(
    member: Member, amount_cents: int, *, kind: str = "medical", due_on: dt.date = dt.date(2026, 12, 1)
) -> Bill:
    """Issue a bill."""
    return issuing.issue(
        member=member, kind=kind, amount_cents=amount_cents, title="Outpatient visit", issued_on=dt.date(2026, 11, 1),
        due_on=due_on, source="test", source_id=str(next(_serial)), provider_name="Oakridge Medical Center",
    )  # fmt: skip


def stripe_client() -> stripe.StripeClient:
    """Stripe's own client, past our gateway."""
    return stripe.StripeClient(settings.STRIPE_SECRET_KEY, base_addresses={"api": settings.STRIPE_API_BASE})


def token(card: str) -> str:
    """A confirmation token as the browser would make it from a test card."""
    made = stripe_client().v1.test_helpers.confirmation_tokens.create(
        {"payment_method": card, "return_url": "http://127.0.0.1/"}
    )
    return made.id


def charges() -> list[stripe.Charge]:
    """The charges that succeeded at the provider."""
    return [charge for charge in stripe_client().v1.charges.list({"limit": 100}).data if charge.status == "succeeded"]


def balance(bill: Bill) -> int:
    """What is owed on a bill now, from the database."""
    bill.receivable.refresh_from_db()
    return bill.receivable.balance_cents


def trial_balance() -> int:
    """Debits less credits of the whole book: 0, or the book is broken."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(cents), 0) FROM (SELECT amount_cents AS cents FROM ledger_transfer"
            " UNION ALL SELECT -amount_cents FROM ledger_transfer) sides"
        )
        return int(cursor.fetchone()[0])


def drifting_accounts() -> list[int]:
    """Tracked accounts, not being controls, whose balance is not the sum of their transfers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.id FROM ledger_account a WHERE a.is_tracked AND NOT EXISTS"
            " (SELECT 1 FROM ledger_account c WHERE c.control_id = a.id) AND a.balance_cents <>"
            " coalesce((SELECT sum(CASE WHEN t.debit_id = a.id THEN t.amount_cents ELSE -t.amount_cents END)"
            " FROM ledger_transfer t WHERE a.id IN (t.debit_id, t.credit_id)), 0)"
        )
        return [row[0] for row in cursor.fetchall()]


def wait_for_a_lock() -> None:
    """Until another session waits for a lock."""
    with connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.02)")
    raise AssertionError("nobody waits")
