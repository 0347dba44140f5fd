"""Sending money back."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.visibility import scope_of
from activity.models import Event, WorkItem
from bills import issuing
from bills.models import Bill
from notifications import notices
from notifications.models import Notification
from payments import checkout, refunds, sweeping
from payments.models import Payment, Refund
from payments.provider import RefundState
from tests.conftest import Cast
from tests.payments.paying import (
    balance,
    drifting_accounts,
    make_bill,
    stripe_client,
    token,
    trial_balance,
    wait_for_a_lock,
)
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
    payment = checkout.confirm(draft(5_000))
    provider.post("faults", match={"method": "POST", "path": "/v1/refunds"}, effect="timeout_after")
    refund = issue(payment, real_cast, 5_000)
    assert refund.status == "submitted"
    refunds.sweep(older_than=dt.timedelta(0))
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert len(stripe_client().v1.refunds.list({}).data) == 1
    assert balance(bill) == 18_500


@pytest.mark.parametrize(("effect", "attempt"), [("status_500_before", 1), ("status_500_after", 0)])
def test_a_stored_500_gets_a_new_key_only_after_the_provider_has_no_refund(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill, effect: str, attempt: int
) -> None:
    """FAULTS B04, D07: the same 500 is replayed to the same key; the look-up decides."""
    payment = checkout.confirm(draft(5_000))
    provider.post("faults", match={"method": "POST", "path": "/v1/refunds"}, effect=effect)
    refund = issue(payment, real_cast, 5_000)
    assert refund.status == "submitted"
    for _ in range(3):
        refunds.sweep(older_than=dt.timedelta(0))
    refund.refresh_from_db()
    assert (refund.status, refund.attempt) == ("succeeded", attempt)
    assert len(stripe_client().v1.refunds.list({}).data) == 1
    assert balance(bill) == 18_500


def test_a_500_that_hides_a_refund_gets_no_second_key(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS B04: the sweeper's own repeat refunds and answers 500; the look-up after it finds the refund."""
    payment = checkout.confirm(draft(5_000))
    provider.post("faults", match={"method": "POST", "path": "/v1/refunds"}, effect="timeout_before")
    refund = issue(payment, real_cast, 5_000)
    provider.post("faults", match={"method": "POST", "path": "/v1/refunds"}, effect="status_500_after")
    refunds.sweep(older_than=dt.timedelta(0))
    refund.refresh_from_db()
    assert (refund.status, refund.attempt) == ("succeeded", 0)
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


def credit_cents(cast: Cast) -> int:
    """What the plan owes the household, US cents."""
    assert cast.household.credit is not None
    cast.household.credit.refresh_from_db()
    return -cast.household.credit.balance_cents


def test_a_webhook_that_comes_before_the_lost_reply_is_found_finds_our_own_row(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS D07, D08: it is not taken for a refund made at the provider's own desk, and booked once."""
    payment = checkout.confirm(draft(5_000))
    provider.post("faults", match={"method": "POST", "path": "/v1/refunds"}, effect="timeout_after")
    refund = issue(payment, real_cast, 5_000)
    refunds.refresh(payment)
    refund.refresh_from_db()
    assert (refund.status, Refund.objects.count()) == ("succeeded", 1)
    assert not WorkItem.objects.exists()
    assert balance(bill) == 18_500


def test_a_lost_reply_of_days_ago_is_looked_for_and_not_refunded_again(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS D07, M6: the provider has forgotten the key by then; a repeat of the call would be a second refund."""
    payment = checkout.confirm(draft(5_000))
    provider.post("faults", match={"method": "POST", "path": "/v1/refunds"}, effect="timeout_after")
    refund = issue(payment, real_cast, 2_000)
    provider.post("clock/advance", seconds=48 * 3600)
    refunds.sweep(older_than=dt.timedelta(0))
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert len(stripe_client().v1.refunds.list({}).data) == 1
    assert balance(bill) == 15_500


def test_a_refund_that_was_never_sent_fails_once_its_key_is_forgotten(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS D07, M10: it is not called again with a key that stands for nothing; staff hear of it, and the payer."""
    payment = checkout.confirm(draft(5_000))
    provider.post("faults", match={"method": "POST", "path": "/v1/refunds"}, effect="timeout_before")
    refund = issue(payment, real_cast, 2_000)
    Refund.objects.filter(pk=refund.pk).update(created_at=timezone.now() - 2 * refunds.KEY_LIFE)
    refunds.sweep()
    refund.refresh_from_db()
    assert (refund.status, refund.failure_code) == ("failed", "never_sent")
    assert set(WorkItem.objects.values_list("kind", flat=True)) == {"payment_unknown", "refund_failed"}
    assert balance(bill) == 13_500


def test_a_refund_that_the_provider_does_not_take_is_told_to_the_payer(real_cast: Cast, draft: Draft) -> None:
    """FAULTS M11: its end is an event as any other."""
    payment = checkout.confirm(draft(5_000))
    stripe_client().v1.refunds.create({"payment_intent": payment.stripe_payment_intent_id or ""})
    refund = issue(payment, real_cast, 5_000)
    assert refund.status == "failed"
    event = Event.objects.get(kind="refund.failed")
    assert (event.from_status, event.data["refund_id"]) == ("submitted", refund.pk)
    notices.make()
    assert Notification.objects.filter(kind="refund_failed", user=real_cast.alice.user).count() == 1


def test_a_refund_is_posted_after_another_of_the_same_payment(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    """FAULTS A13, M9: it looks at what is left only once the other is booked, so each bill has its own money back."""
    other, user = make_bill(real_cast.alice, 5_000), real_cast.alice.user
    assert user is not None
    payment = checkout.begin(scope_of(user), payer=user, amounts={bill.number: 5_000, other.number: 5_000})
    payment = checkout.confirm(checkout.choose(payment, confirmation_token=token("pm_card_visa")))
    first, second = (Refund.objects.create(payment=payment, amount_cents=5_000, reason="asked") for _ in range(2))

    def succeed(refund: Refund) -> Refund:
        return refunds.apply(refund.pk, RefundState(f"re_{refund.pk}", "succeeded", 5_000, "", "", "", str(refund.pk)))

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            succeed(first)
            later = threads.submit(at_once, [lambda: succeed(second)])
            wait_for_a_lock()
        [answer] = later.result()
    assert isinstance(answer, Refund)
    assert (balance(bill), balance(other)) == (18_500, 5_000)
    assert Payment.objects.get(pk=payment.pk).status == "refunded"


def test_a_refund_that_fails_waits_for_another_of_the_same_payment(real_cast: Cast, draft: Draft) -> None:
    """FAULTS M9: what its payment is to be called is asked under the payment's lock, so that no older answer is set."""
    payment = checkout.confirm(draft(5_000))
    first, second = (Refund.objects.create(payment=payment, amount_cents=1_000, reason="asked") for _ in range(2))

    def become(refund: Refund, status: str) -> Refund:
        return refunds.apply(refund.pk, RefundState(f"re_{refund.pk}", status, 1_000, "", "", "", str(refund.pk)))

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            become(first, "succeeded")
            later = threads.submit(at_once, [lambda: become(second, "failed")])
            wait_for_a_lock()
        assert [refund.status for refund in later.result()] == ["failed"]
    assert Payment.objects.get(pk=payment.pk).status == "partially_refunded"


def test_what_is_refunded_of_a_void_bill_is_taken_from_household_credit(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS A10: the money that was paid became credit when the bill was voided; nobody has it twice."""
    payment = checkout.confirm(draft(5_000, "pm_card_refundFail"))
    issuing.void(bill, on=bill.issued_on, reason="issued in error", actor="user:0")
    assert credit_cents(real_cast) == 5_000
    issue(payment, real_cast, 2_000)
    assert (balance(bill), credit_cents(real_cast)) == (0, 3_000)
    issue(payment, real_cast, 3_000)
    assert (balance(bill), credit_cents(real_cast)) == (0, 0)
    provider.post("clock/advance", seconds=60)
    payment.refresh_from_db()
    refunds.refresh(payment)
    assert (balance(bill), credit_cents(real_cast)) == (0, 5_000)
    assert drifting_accounts() == [] and trial_balance() == 0


def test_a_refund_that_fails_after_the_bill_was_paid_again_becomes_credit(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS D10: there is nothing left to pay with it, and it must not stay pending for ever."""
    payment = checkout.confirm(draft(5_000, "pm_card_refundFail"))
    refund = issue(payment, real_cast, 5_000)
    checkout.confirm(draft(18_500))
    provider.post("clock/advance", seconds=60)
    payment.refresh_from_db()
    refunds.refresh(payment)
    refund.refresh_from_db()
    assert refund.status == "failed"
    assert (balance(bill), credit_cents(real_cast)) == (0, 5_000)
    assert drifting_accounts() == [] and trial_balance() == 0


def test_a_bills_part_is_not_refunded_twice_while_the_first_is_undecided(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS A13, D13."""
    other, user = make_bill(real_cast.alice, 5_000), real_cast.alice.user
    assert user is not None
    payment = checkout.begin(scope_of(user), payer=user, amounts={bill.number: 5_000, other.number: 5_000})
    payment = checkout.confirm(checkout.choose(payment, confirmation_token=token("pm_card_visa")))
    provider.post("faults", match={"method": "POST", "path": "/v1/refunds"}, effect="timeout_before")
    assert issue(payment, real_cast, 5_000, bill=other).status == "submitted"
    with pytest.raises(refunds.AmountExceedsRefundable, match=r"At most \$0\.00"):
        issue(payment, real_cast, 1, bill=other)
