"""Sending money back."""

from collections.abc import Callable

import pytest

from activity.models import WorkItem
from bills import issuing
from bills.models import Bill
from payments import checkout, refunds
from payments.models import Payment, Refund
from tests.conftest import Cast
from tests.payments.paying import balance, drifting_accounts, stripe_client, trial_balance
from tests.payments.test_races import at_once
from tests.stripe_sandbox.conftest import Server

Draft = Callable[..., Payment]


def issue(payment: Payment, cast: Cast, cents: int, **more: object) -> Refund:
    return refunds.issue(payment, amount_cents=cents, reason="asked by the member", requested_by=cast.dana, **more)


def test_a_part_and_then_the_rest_reopen_the_bill(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    payment = checkout.confirm(draft(5_000))
    assert issue(payment, real_cast, 2_000).status == "succeeded"
    assert Payment.objects.get(pk=payment.pk).status == "partially_refunded"
    assert balance(bill) == 15_500
    issue(payment, real_cast, 3_000, bill=bill)
    assert Payment.objects.get(pk=payment.pk).status == "refunded"
    assert balance(bill) == 18_500
    assert drifting_accounts() == [] and trial_balance() == 0


@pytest.mark.parametrize("cents", [0, -1, 5_001])
def test_more_than_is_left_or_nothing_is_refused(real_cast: Cast, draft: Draft, cents: int) -> None:
    """FAULTS D13."""
    payment = checkout.confirm(draft(5_000))
    with pytest.raises(refunds.AmountExceedsRefundable):
        issue(payment, real_cast, cents)
    assert Refund.objects.count() == 0


def test_two_of_staff_at_once_refund_no_more_than_was_paid(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    """FAULTS A13."""
    payment = checkout.confirm(draft(5_000))
    answers = at_once([lambda: issue(payment, real_cast, 5_000), lambda: issue(payment, real_cast, 3_000)])
    assert sum(isinstance(answer, refunds.AmountExceedsRefundable) for answer in answers) == 1
    refunded = sum(refund.amount_cents for refund in Refund.objects.all())
    assert balance(bill) == 13_500 + refunded <= 18_500


def test_a_lost_reply_refunds_once(real_cast: Cast, provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS D07: the same key, asked again by the sweeper."""
    import datetime as dt

    payment = checkout.confirm(draft(5_000))
    provider.post("faults", match={"method": "POST", "path": "/v1/refunds"}, effect="timeout_after")
    refund = issue(payment, real_cast, 5_000)
    assert refund.status == "submitted"
    refunds.sweep(older_than=dt.timedelta(0))
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert len(stripe_client().v1.refunds.list({}).data) == 1
    assert balance(bill) == 18_500


def test_our_own_refund_told_again_by_webhooks_is_booked_once(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    """FAULTS D08."""
    payment = checkout.confirm(draft(5_000))
    issue(payment, real_cast, 2_000)
    payment.refresh_from_db()
    for _ in range(3):
        refunds.refresh(payment)
    assert Refund.objects.count() == 1
    assert balance(bill) == 15_500


def test_a_refund_made_at_the_provider_is_booked_once_and_shown_to_staff(
    real_cast: Cast, draft: Draft, bill: Bill
) -> None:
    """FAULTS D09."""
    payment = checkout.confirm(draft(5_000))
    stripe_client().v1.refunds.create({"payment_intent": payment.stripe_payment_intent_id or "", "amount": 1_500})
    for _ in range(2):
        refunds.refresh(payment)
    refund = Refund.objects.get()
    assert (refund.is_outside_portal, refund.amount_cents) == (True, 1_500)
    assert balance(bill) == 15_000
    assert WorkItem.objects.get().kind == "refund_outside"


def test_a_refund_that_fails_later_is_undone(real_cast: Cast, provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS D10: the posting is reversed, the payment stands again, a person hears of it."""
    payment = checkout.confirm(draft(5_000, "pm_card_refundFail"))
    refund = issue(payment, real_cast, 5_000)
    assert balance(bill) == 18_500
    provider.post("clock/advance", seconds=60)
    payment.refresh_from_db()
    refunds.refresh(payment)
    refund.refresh_from_db()
    payment.refresh_from_db()
    assert (refund.status, payment.status) == ("failed", "succeeded")
    assert balance(bill) == 13_500
    assert WorkItem.objects.get().kind == "refund_failed"
    assert drifting_accounts() == [] and trial_balance() == 0


def test_what_was_overpaid_is_refunded_from_household_credit(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")
    payment = checkout.confirm(draft(5_000))
    issuing.void(bill, on=bill.issued_on, reason="issued in error", actor="user:0")
    from payments import sweeping

    payment = sweeping.resolve(payment)
    issue(payment, real_cast, 5_000)
    real_cast.household.credit.refresh_from_db()
    assert real_cast.household.credit.balance_cents == 0
    assert balance(bill) == 0


def test_an_undecided_payment_is_not_refunded(real_cast: Cast, provider: Server, draft: Draft) -> None:
    """FAULTS D11."""
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")
    payment = checkout.confirm(draft(5_000))
    with pytest.raises(refunds.NotRefundable):
        issue(payment, real_cast, 5_000)


def test_staff_do_not_refund_their_own_household(real_cast: Cast, draft: Draft) -> None:
    payment = checkout.confirm(draft(5_000))
    with pytest.raises(refunds.OwnHousehold):
        refunds.issue(payment, amount_cents=1, reason="mine", requested_by=real_cast.alice.user)
