"""The fee for a payment that a bank returns: none, but where an operator has set one and its payer had read of it."""

from collections.abc import Iterator

import pytest
from django.utils import timezone

from accounts.visibility import scope_of
from bills.models import Bill
from ledger.chart import Code
from ledger.models import Transfer
from payments import checkout, checks, fees, mandates, return_codes
from payments.models import Mandate, Payment
from tests.conftest import Cast
from tests.payments import banking
from tests.payments.paying import balance, drifting_accounts, trial_balance
from tests.stripe_sandbox.conftest import Server

FEE = {"CA": {"fee_cents": 4_000, "cap_cents": 2_500, "since": "2026-01-01"}}


@pytest.fixture(autouse=True)
def nothing_drifts(real_db: None) -> Iterator[None]:
    """After every story here the book holds."""
    yield
    assert drifting_accounts() == [] and trial_balance() == 0
    assert checks.run(deep=True) == []


def credit_cents(cast: Cast) -> int:
    """What the plan owes the household, US cents."""
    assert cast.household.credit is not None
    cast.household.credit.refresh_from_db()
    return -cast.household.credit.balance_cents


class TestTheFeeForAReturnedPayment:
    """RULES 10."""

    def returned(self, cast: Cast, provider: Server, bill: Bill, *, code: str = "R01", text: str = "") -> Payment:
        method = banking.save_account(cast.alice, text=text)
        payment = banking.paid(provider, cast.alice, {bill: 5_000}, method=method)
        return banking.returned(provider, payment, code)

    @pytest.fixture
    def sentence(self, settings) -> str:
        settings.RETURN_FEES = FEE
        return fees.disclosure("CA", on=timezone.localdate())

    def test_there_is_none_where_none_is_set(self, real_cast: Cast, provider: Server, bill: Bill) -> None:
        self.returned(real_cast, provider, bill)
        assert fees.disclosure("CA", on=timezone.localdate()) == ""
        assert balance(bill) == 18_500

    def test_it_is_the_cap_at_most_and_once_a_return(
        self, real_cast: Cast, provider: Server, bill: Bill, sentence: str
    ) -> None:
        payment = self.returned(real_cast, provider, bill, text=f"I let you. {sentence}")
        assert "$25.00" in sentence
        assert balance(bill) == 18_500 + 2_500
        agreed = Mandate.objects.get()
        fees.charge(payment, return_codes.of("R01"), agreed=agreed, on=timezone.localdate())
        assert Transfer.objects.filter(code=Code.RETURN_FEE).count() == 1

    def test_it_is_not_charged_where_it_was_not_read(
        self, real_cast: Cast, provider: Server, bill: Bill, sentence: str
    ) -> None:
        self.returned(real_cast, provider, bill, text="I let you.")
        assert balance(bill) == 18_500

    def test_it_is_not_charged_for_a_debit_that_was_not_authorized(
        self, real_cast: Cast, provider: Server, bill: Bill, sentence: str
    ) -> None:
        self.returned(real_cast, provider, bill, code="R10", text=sentence)
        assert balance(bill) == 18_500

    def test_it_is_not_charged_while_a_bill_is_under_review(
        self, real_cast: Cast, provider: Server, bill: Bill, sentence: str
    ) -> None:
        method = banking.save_account(real_cast.alice, text=sentence)
        payment = banking.paid(provider, real_cast.alice, {bill: 5_000}, method=method)
        Bill.objects.filter(pk=bill.pk).update(held_since=timezone.now())
        banking.returned(provider, payment)
        assert balance(bill) == 18_500

    def test_it_is_not_charged_before_its_day(
        self, real_cast: Cast, provider: Server, bill: Bill, sentence: str, settings
    ) -> None:
        settings.RETURN_FEES = {"CA": {**FEE["CA"], "since": "2999-01-01"}}
        self.returned(real_cast, provider, bill, text=sentence)
        assert balance(bill) == 18_500

    def test_it_can_be_taken_off_also_when_it_was_paid(
        self, real_cast: Cast, provider: Server, bill: Bill, sentence: str
    ) -> None:
        payment = self.returned(real_cast, provider, bill, text=sentence)
        banking.paid(provider, real_cast.alice, {bill: 21_000})
        today = timezone.localdate()
        assert fees.waive(payment, on=today, actor="user:1", reason="a kindness")
        assert not fees.waive(payment, on=today, actor="user:1", reason="a kindness")
        assert (balance(bill), credit_cents(real_cast)) == (0, 2_500)


def test_the_fee_stands_in_what_is_agreed_to_where_there_is_one(real_cast: Cast, bill: Bill, settings) -> None:
    """RULES 10: before the click, for a saved account and for one payment."""
    user = real_cast.alice.user
    payment = checkout.begin(scope_of(user), payer=user, amounts={bill.number: 5_000})
    state = mandates.state_of(user)
    assert "fee" not in mandates.text_for_payment(payment) + mandates.text_for_saving("6789", state=state)
    settings.RETURN_FEES = FEE
    sentence = fees.disclosure("CA", on=timezone.localdate())
    assert sentence in mandates.text_for_payment(payment)
    assert sentence in mandates.text_for_saving("6789", state=state)
