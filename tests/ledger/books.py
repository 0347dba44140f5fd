"""Small books to post in: one household's accounts, and what a test asks of the whole."""

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from ledger import Posting, opening
from ledger.chart import SYSTEM_ACCOUNT_IDS, Code, SystemAccount
from ledger.models import Account

DAY = dt.date(2026, 11, 24)
REVENUE = SYSTEM_ACCOUNT_IDS[SystemAccount.MEDICAL_REVENUE]
CLEARING = SYSTEM_ACCOUNT_IDS[SystemAccount.STRIPE_CLEARING]


@dataclass(frozen=True)
class Book:
    """The accounts of household 7: two bills of one member under one control, and the household's credit."""

    owner_id: int
    control: int
    bill: int
    other_bill: int
    credit: int


def open_book(owner_id: int = 7) -> Book:
    """Open the accounts of one household."""
    control = opening.control(owner_id=owner_id)
    bills = [opening.receivable(owner_id=owner_id, control_id=control.pk, matures_on=DAY) for _ in range(2)]
    credit = opening.household_credit(owner_id=owner_id)
    return Book(owner_id, control.pk, bills[0].pk, bills[1].pk, credit.pk)


def posting(debit_id: int, credit_id: int, amount_cents: int, code: int, key: str, owner_id: int = 7) -> Posting:
    """A posting about nothing in particular."""
    return Posting(debit_id, credit_id, amount_cents, code, key, "bill:TEST", DAY, owner_id)


def charge(account_id: int, amount_cents: int, key: str = "charge", owner_id: int = 7) -> Posting:
    """What issuing a bill posts."""
    return posting(account_id, REVENUE, amount_cents, Code.BILL_ISSUED, key, owner_id)


def payment(account_id: int, amount_cents: int, key: str = "payment", owner_id: int = 7) -> Posting:
    """What a payment posts."""
    return posting(CLEARING, account_id, amount_cents, Code.PAYMENT, key, owner_id)


def balance(account_id: int) -> int:
    """The balance that stands, US cents."""
    return Account.objects.get(pk=account_id).balance_cents


def summed(account_id: int) -> int:
    """The balance that an account's transfers sum to, US cents."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(CASE WHEN debit_id = %s THEN amount_cents ELSE -amount_cents END), 0)"
            " FROM ledger_transfer WHERE debit_id = %s OR credit_id = %s",
            [account_id] * 3,
        )
        return int(cursor.fetchone()[0])
