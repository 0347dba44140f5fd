"""A coverage, its payments and balances, on the day of the tests of premiums."""

import datetime as dt

import pytest

from accounts.models import Coverage, Plan
from bills.models import Bill
from ledger.chart import Code, SystemAccount
from ledger.models import Account
from ledger.opening import system_id
from ledger.posting import Posting, post
from tests.conftest import Cast

DECEMBER = dt.date(2026, 12, 1)
NOVEMBER_20 = dt.date(2026, 11, 20)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> dt.date:
    """The tests' day: 20 November 2026."""
    monkeypatch.setattr("django.utils.timezone.localdate", lambda: NOVEMBER_20)
    return NOVEMBER_20


def cover(cast: Cast, **changes) -> Coverage:
    """Alice's family coverage: $780.76 a month, $250.00 of it a subsidy."""
    plan, _new = Plan.objects.get_or_create(name="Family Silver 70", year=2026)
    fields = {
        "plan": plan, "kind": "family", "household": cast.household, "subscriber": cast.alice,
        "start_on": dt.date(2026, 1, 1), "premium_cents": 78076, "subsidy_cents": 25000,
    }  # fmt: skip
    return Coverage.objects.create(**(fields | changes))


def pay(bill: Bill, cents: int) -> None:
    """A paper check for a bill."""
    post(
        Posting(
            system_id(SystemAccount.LOCKBOX), bill.receivable_id, cents, Code.LOCKBOX_PAYMENT,
            f"check:{bill.pk}:{cents}", f"bill:{bill.number}", NOVEMBER_20, bill.household_id,
        )
    )  # fmt: skip


def balance(account_id: int) -> int:
    """An account's balance, US cents."""
    return Account.objects.get(pk=account_id).balance_cents
