"""Household credit put to the bills that are owed."""

import datetime as dt
import functools

import ledger
from activity.models import Event
from bills import credit
from bills.models import Bill
from ledger import checks
from ledger.chart import Code, SystemAccount
from ledger.models import Transfer
from ledger.opening import system_id
from tests.conftest import Cast
from tests.factories import make_bill
from tests.ledger.races import together

ON = dt.date(2026, 11, 20)


def give(cast: Cast, cents: int) -> None:
    """Money above what was owed, US cents."""
    assert cast.household.credit_id is not None
    ledger.post(
        ledger.Posting(
            debit_id=system_id(SystemAccount.STRIPE_CLEARING), credit_id=cast.household.credit_id, amount_cents=cents,
            code=Code.OVERPAYMENT, key=f"over:{cents}", reference="payment:TEST", effective_on=ON,
            owner_id=cast.household.pk,
        )
    )  # fmt: skip


def balances(cast: Cast, *bills: Bill) -> list[int]:
    """The household's credit and what is owed on each bill, US cents."""
    assert cast.household.credit is not None
    for account in (cast.household.credit, *(bill.receivable for bill in bills)):
        account.refresh_from_db()
    return [-cast.household.credit.balance_cents, *(bill.balance_cents for bill in bills)]


def test_it_goes_to_the_earliest_due_first_and_once(cast: Cast) -> None:
    later = make_bill(cast.maya, amount_cents=10_000, due_on=dt.date(2026, 12, 20))
    sooner = make_bill(cast.alice, amount_cents=4_000, due_on=dt.date(2026, 12, 1))
    give(cast, 9_000)
    assert credit.apply(cast.household, on=ON, actor="user:1") == 9_000
    assert credit.apply(cast.household, on=ON, actor="user:1") == 0
    assert balances(cast, sooner, later) == [0, 0, 5_000]
    give(cast, 600)
    assert credit.apply(cast.household, on=ON, actor="user:1") == 600
    assert [event.data["amount_cents"] for event in Event.objects.filter(kind="credit.applied").order_by("pk")] == [
        4_000, 5_000, 600
    ]  # fmt: skip
    assert checks.run(checks.RULES, deep=True) == []


def test_what_is_not_owed_stays_credit(cast: Cast) -> None:
    bill = make_bill(cast.alice, amount_cents=4_000)
    strangers = make_bill(cast.charlie, amount_cents=4_000)
    give(cast, 9_000)
    assert credit.apply(cast.household, on=ON, actor="user:1") == 4_000
    assert balances(cast, bill, strangers) == [5_000, 0, 4_000]


def test_what_a_payment_is_bringing_is_left_to_it(cast: Cast) -> None:
    """FAULTS A05: else the payment would be more than is owed."""
    bill = make_bill(cast.alice, amount_cents=4_000)
    give(cast, 9_000)
    applied = credit.apply(cast.household, on=ON, actor="user:1", on_their_way=lambda bills: {bills[0].pk: 1_500})
    assert applied == 2_500
    assert balances(cast, bill) == [6_500, 1_500]


def test_five_at_once_apply_it_once(real_cast: Cast) -> None:
    """FAULTS A04."""
    bill = make_bill(real_cast.alice, amount_cents=4_000)
    give(real_cast, 3_000)
    apply = functools.partial(credit.apply, real_cast.household, on=ON, actor="user:1")
    assert together([apply] * 5) == {"ok": 5}
    assert balances(real_cast, bill) == [0, 1_000]
    assert Transfer.objects.filter(code=Code.CREDIT_APPLIED).count() == 1
