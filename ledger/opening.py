"""Opening accounts: the plan's own, and those that each household has."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from ledger.chart import (
    FIRST_HOUSEHOLD_ACCOUNT_ID,
    SYSTEM_ACCOUNT_IDS,
    SYSTEM_ACCOUNT_TYPES,
    AccountType,
    SystemAccount,
)
from ledger.models import Account

RECEIVABLES_FROM = f"""
    INSERT INTO ledger_account (id, owner_id, control_id, matures_on, type, balance_cents, is_tracked,
                                credits_must_not_exceed_debits, debits_must_not_exceed_credits)
    SELECT drawn.*, '{AccountType.ASSET}', 0, true, true, false FROM ({{query}}) AS drawn
"""  # noqa: S608  # the parts are constants


def system_id(account: SystemAccount) -> int:
    """The id of one of the plan's own accounts."""
    return SYSTEM_ACCOUNT_IDS[account]


def open_system_accounts() -> None:
    """Open the plan's own accounts where they are missing; done by a migration, and harmless to repeat."""
    Account.objects.bulk_create(
        [
            Account(id=SYSTEM_ACCOUNT_IDS[account], type=SYSTEM_ACCOUNT_TYPES[account], code=account, is_tracked=False)
            for account in SystemAccount
        ],
        ignore_conflicts=True,
    )


def control(*, owner_id: int) -> Account:
    """Open a control account: it holds the sum of the receivables below it."""
    return Account.objects.create(type=AccountType.ASSET, owner_id=owner_id, is_control=True)


def receivable(*, owner_id: int, control_id: int, matures_on: dt.date) -> Account:
    """Open the receivable of one bill: payments of it cannot exceed what it charges."""
    return Account.objects.create(
        type=AccountType.ASSET,
        owner_id=owner_id,
        control_id=control_id,
        matures_on=matures_on,
        credits_must_not_exceed_debits=True,
    )


def receivables_from(query: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> None:
    """Open the receivables of many bills.

    The SELECT yields id (drawn from the table's sequence), owner_id, control_id and matures_on.
    """
    with connection.cursor() as cursor:
        cursor.execute(RECEIVABLES_FROM.format(query=query), params)


def household_credit(*, owner_id: int) -> Account:
    """Open a household's credit: what the plan owes it, never less than nothing."""
    return Account.objects.create(type=AccountType.LIABILITY, owner_id=owner_id, debits_must_not_exceed_credits=True)


__all__ = [
    "FIRST_HOUSEHOLD_ACCOUNT_ID",
    "control",
    "household_credit",
    "open_system_accounts",
    "receivable",
    "receivables_from",
    "system_id",
]
