"""Refunds, returns and disputes of one payment that cross each other: nobody has the money twice unseen."""

from collections.abc import Callable, Iterator

import pytest

from activity.models import WorkItem
from bills.models import Bill
from ledger.chart import Code
from ledger.models import Transfer
from payments import checkout, checks, disputes, moving, refunds, taking_back
from payments.models import Dispute, Payment, Refund
from tests.conftest import Cast
from tests.payments import banking
from tests.payments.paying import balance, drifting_accounts, trial_balance
from tests.payments.test_races import at_once
from tests.stripe_sandbox.conftest import Server

Draft = Callable[..., Payment]


@pytest.fixture(autouse=True)
def nothing_drifts(real_db: None) -> Iterator[None]:
    """After every story here the book holds."""
    yield
    assert drifting_accounts() == [] and trial_balance() == 0
    assert checks.run(deep=True) == []


def issue(payment: Payment, cast: Cast, cents: int) -> Refund:
    return refunds.issue(payment, amount_cents=cents, reason="asked by the member", requested_by=cast.dana)


def test_what_is_on_its_way_disputed_or_returned_is_not_refunded(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS D11."""
    on_its_way = banking.sent(real_cast.alice, {bill: 1_000})
    returned = banking.returned(provider, banking.settled(provider, on_its_way))
    disputed = checkout.confirm(draft(1_000))
    provider.post("disputes", charge=disputed.stripe_charge_id)
    disputes.refresh(disputed)
    for payment in (on_its_way, returned, moving.current(disputed.pk)):
        with pytest.raises(refunds.NotRefundable):
            issue(payment, real_cast, 500)
    assert Refund.objects.count() == 0


def test_a_refund_that_the_provider_refuses_because_of_a_dispute_is_not_posted(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS D11: the dispute is there, and we have not heard of it yet."""
    payment = checkout.confirm(draft(5_000))
    provider.post("disputes", charge=payment.stripe_charge_id)
    refund = issue(payment, real_cast, 5_000)
    assert (refund.status, refund.failure_code) == ("failed", "charge_disputed")
    disputes.refresh(payment)
    assert balance(bill) == 18_500
    assert "the bank decides" in WorkItem.objects.get(kind="refund_failed").detail


def test_a_dispute_while_a_refund_is_on_its_way(real_cast: Cast, provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS D11, D14: both are booked, what is too much is owed and looked at; the failed refund is undone."""
    payment = checkout.confirm(draft(5_000, "pm_card_refundFail"))
    issue(payment, real_cast, 2_000)
    provider.post("disputes", charge=payment.stripe_charge_id)
    disputes.refresh(payment)
    assert moving.current(payment.pk).status == "disputed"
    assert balance(bill) == 13_500 + 2_000 + 5_000
    assert WorkItem.objects.filter(dedupe_key__startswith="back-twice:").count() == 1
    provider.post("clock/advance", seconds=60)
    refunds.refresh(payment)
    assert moving.current(payment.pk).status == "disputed"
    assert balance(bill) == 18_500


def test_a_dispute_won_leaves_what_was_refunded(real_cast: Cast, provider: Server, draft: Draft, bill: Bill) -> None:
    """M9: the payment is called what its refunds say."""
    payment = checkout.confirm(draft(5_000))
    issue(payment, real_cast, 2_000)
    made = provider.post("disputes", charge=payment.stripe_charge_id)
    disputes.refresh(payment)
    provider.post("disputes/close", dispute=made["id"], status="won")
    disputes.refresh(payment)
    assert moving.current(payment.pk).status == "partially_refunded"
    assert balance(bill) == 15_500


def test_a_payment_refunded_whole_can_still_be_returned(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """FAULTS D03 after a refund: a bank knows nothing of it."""
    payment = banking.paid(provider, real_cast.alice, {bill: 5_000})
    issue(payment, real_cast, 5_000)
    provider.post("clock/advance", seconds=60)
    refunds.refresh(payment)
    payment = banking.returned(provider, moving.current(payment.pk))
    assert payment.status == "returned"
    assert balance(bill) == 23_500


@pytest.mark.parametrize("seed", range(3))
def test_a_refund_and_a_dispute_at_once_end_as_the_provider_has_it(
    seed: int, real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS A16, M6, M7: whoever is first, the book is what the provider did, each once."""
    payment = checkout.confirm(draft(5_000))

    def take() -> None:
        provider.post("disputes", charge=payment.stripe_charge_id)
        disputes.refresh(payment)

    calls: list[Callable[[], object]] = [
        take, lambda: issue(payment, real_cast, 3_000), lambda: issue(payment, real_cast, 2_000),
        lambda: refunds.refresh(payment), lambda: disputes.refresh(payment),
    ]  # fmt: skip
    answers = at_once(calls[seed:] + calls[:seed])
    allowed = (refunds.NotRefundable,)
    assert [each for each in answers if isinstance(each, Exception) and not isinstance(each, allowed)] == []
    refunds.refresh(payment)
    disputes.refresh(payment)
    refunded = sum(each.amount_cents for each in Refund.objects.filter(status="succeeded"))
    assert Transfer.objects.filter(code=Code.DISPUTE).count() == 1
    assert moving.current(payment.pk).status == "disputed"
    assert balance(bill) == 13_500 + 5_000 + refunded


def test_a_return_told_by_many_at_once_is_one_debit(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """M7: webhook, sweeper and page at the same moment."""
    payment = banking.paid(provider, real_cast.alice, {bill: 5_000})
    provider.post("bank_debits/return", payment_intent=payment.stripe_payment_intent_id, code="R01")
    answers = at_once([lambda: disputes.refresh(payment)] * 6)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert Transfer.objects.filter(code=Code.BANK_RETURN).count() == 1
    assert balance(bill) == 18_500


def test_past_the_lock_the_key_of_a_booking_holds(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """The key of what is booked is its guard past the lock: the same movement is posted once, whoever asks."""
    payment = banking.paid(provider, real_cast.alice, {bill: 5_000})
    payment = banking.returned(provider, payment)
    dispute = Dispute.objects.get()
    taking_back.post(taking_back.of_dispute(dispute, on=Transfer.objects.get(code=Code.BANK_RETURN).effective_on))
    assert Transfer.objects.filter(code=Code.BANK_RETURN).count() == 1
