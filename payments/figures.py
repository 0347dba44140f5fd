"""Money by month for the staff's first page of it: read from the ledger, and kept a row a month.

Flows are what the month's transfers say, by the accounts on their two sides, so that a reversal counts against what it
reverses. How things stand is what bills owe now: past due, on a plan and on hold exclude each other as their states do.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from bills.banking_days import first_due_in_time
from ledger.chart import FIRST_HOUSEHOLD_ACCOUNT_ID, SystemAccount
from ledger.opening import system_id
from payments.models import MonthFigures

MONTHS_BACK = 24

# Between a household's accounts and these: into a flow where they are debited, out of it where they are credited.
FLOWS: Mapping[str, tuple[SystemAccount, ...]] = {
    "received_cents": (SystemAccount.STRIPE_CLEARING, SystemAccount.LOCKBOX, SystemAccount.SUSPENSE),
    "assisted_cents": (SystemAccount.CHARITY_CARE_EXPENSE, SystemAccount.SUBSIDY_EXPENSE),
    "given_up_cents": (SystemAccount.ADJUSTMENT_EXPENSE,),
}
BILLED = (
    SystemAccount.MEDICAL_REVENUE, SystemAccount.PREMIUM_REVENUE, SystemAccount.FINANCE_CHARGE_REVENUE,
    SystemAccount.FEE_REVENUE,
)  # fmt: skip

MOVED = """
    SELECT coalesce(sum(amount_cents) FILTER (WHERE debit_id = ANY(%(ids)s) AND credit_id >= %(first)s), 0)
         - coalesce(sum(amount_cents) FILTER (WHERE credit_id = ANY(%(ids)s) AND debit_id >= %(first)s), 0)
    FROM ledger_transfer WHERE created_at >= %(since)s AND created_at < %(until)s
"""
STANDING = """
    SELECT coalesce(sum(a.balance_cents), 0),
           coalesce(sum(a.balance_cents) FILTER (
               WHERE b.held_since IS NULL AND b.on_plan_since IS NULL AND b.due_on < %(in_time_from)s), 0),
           coalesce(sum(a.balance_cents) FILTER (WHERE b.held_since IS NULL AND b.on_plan_since IS NOT NULL), 0),
           coalesce(sum(a.balance_cents) FILTER (WHERE b.held_since IS NOT NULL), 0)
    FROM bills_bill b JOIN ledger_account a ON a.id = b.receivable_id
    WHERE a.balance_cents > 0 AND b.voided_at IS NULL
"""


def keep(*, today: dt.date | None = None) -> int:
    """Bring the present month's row up to date, and make those of earlier months that have none; how many months.

    A month that has ended is finished once, by the first look after its end. Safe to run twice and side by side.
    """
    today = today or timezone.localdate()
    present = today.replace(day=1)
    months = [present, *(month for month in _before(present) if not _is_finished(month))]
    for month in months:
        _keep(month, standing=_standing(today) if month == present else {})
    return len(months)


@transaction.atomic
def _keep(month: dt.date, *, standing: Mapping[str, int]) -> None:
    MonthFigures.objects.update_or_create(month=month, defaults={**moved(month), **standing, "kept_at": timezone.now()})


def moved(month: dt.date) -> dict[str, int]:
    """What moved in a month of the portal's calendar, US cents."""
    figures = {name: _moved(month, accounts) for name, accounts in FLOWS.items()}
    return figures | {"billed_cents": -_moved(month, BILLED)}


def _moved(month: dt.date, accounts: tuple[SystemAccount, ...]) -> int:
    params: dict[str, Any] = {
        "ids": [system_id(account) for account in accounts], "first": FIRST_HOUSEHOLD_ACCOUNT_ID,
        "since": _midnight(month), "until": _midnight(_next(month)),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(MOVED, params)
        return int(cursor.fetchone()[0])


def _standing(today: dt.date) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(STANDING, {"in_time_from": first_due_in_time(today)})
        found = [int(cents) for cents in cursor.fetchone()]
    return dict(zip(("open_cents", "past_due_cents", "on_plan_cents", "on_hold_cents"), found, strict=True))


def _is_finished(month: dt.date) -> bool:
    """Whether a month's row was looked at after the month had ended."""
    return MonthFigures.objects.filter(month=month, kept_at__gte=_midnight(_next(month))).exists()


def _before(month: dt.date) -> list[dt.date]:
    found = []
    for _step in range(MONTHS_BACK):
        month = (month - dt.timedelta(days=1)).replace(day=1)
        found.append(month)
    return found


def _next(month: dt.date) -> dt.date:
    return (month + dt.timedelta(days=32)).replace(day=1)


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))
