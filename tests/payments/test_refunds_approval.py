"""Large refunds, which wait for a second person of staff."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.visibility import scope_of
from activity.models import Event, WorkItem
from bills.models import Bill
from payments import approvals, checkout, disputes, receipts, refunds
from payments.models import Payment, Refund
from tests.conftest import PASSWORD, Cast
from tests.payments import banking
from tests.payments.paying import balance, make_bill, stripe_client, token
from tests.payments.test_races import at_once
from tests.stripe_sandbox.conftest import Server

Draft = Callable[..., Payment]


@pytest.fixture(autouse=True)
def limit(settings) -> None:
    """One person sends up to $20.00 of a payment."""
    settings.REFUND_SECOND_PERSON_CENTS = 2_000


@pytest.fixture
def erik(real_db: None) -> User:
    """Another of staff."""
    return User.objects.create_user("erik@example.com", PASSWORD, is_staff=True)


def issue(payment: Payment, cast: Cast, cents: int, **more: object) -> Refund:
    return refunds.issue(payment, amount_cents=cents, reason="asked by the member", requested_by=cast.dana, **more)


def sent() -> int:
    """How many refunds the provider has."""
    return len(stripe_client().v1.refunds.list({}).data)


def test_above_the_limit_nothing_is_sent_and_the_money_is_reserved(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    """FAULTS A13: what waits counts; the bill is owed only once it is sent."""
    payment = checkout.confirm(draft(5_000))
    refund = issue(payment, real_cast, 2_001)
    assert refund.status == "awaiting_approval"
    assert (sent(), balance(bill)) == (0, 13_500)
    assert refunds.refundable_cents(payment) == 2_999
    with pytest.raises(refunds.AmountExceedsRefundable):
        issue(payment, real_cast, 3_000)
    assert WorkItem.objects.get().kind == "refund_approval"
    shown = receipts.of(payment, scope_of(real_cast.alice.user)).refunds[0]
    assert (shown.state, shown.arrives_on) == ("Being checked", None)
    refunds.sweep(older_than=dt.timedelta(0))
    assert sent() == 0


def test_a_large_refund_in_small_parts_is_a_large_refund(real_cast: Cast, draft: Draft) -> None:
    """Whoever splits it gets no further alone."""
    payment = checkout.confirm(draft(5_000))
    assert issue(payment, real_cast, 2_000).status == "succeeded"
    assert issue(payment, real_cast, 1).status == "awaiting_approval"


def test_another_person_sends_it(real_cast: Cast, draft: Draft, bill: Bill, erik: User) -> None:
    """Both are in the record, and the member sees when the money comes."""
    payment = checkout.confirm(draft(5_000))
    refund = issue(payment, real_cast, 5_000)
    refund = approvals.approve(refund, by=erik, reason="checked with the clinic")
    assert (refund.status, refund.decided_by) == ("succeeded", erik)
    assert (sent(), balance(bill)) == (1, 18_500)
    assert Event.objects.filter(kind="refund.submitted", actor=f"user:{erik.pk}").count() == 1
    assert WorkItem.objects.get().done_at is not None
    assert receipts.of(payment, scope_of(real_cast.alice.user)).refunds[0].arrives_on is not None


def test_who_asked_never_decides(real_cast: Cast, draft: Draft) -> None:
    """In code, and past the code in the database."""
    refund = issue(checkout.confirm(draft(5_000)), real_cast, 5_000)
    for decide in (approvals.approve, approvals.decline):
        with pytest.raises(approvals.SamePerson):
            decide(refund, by=real_cast.dana, reason="mine")
    with pytest.raises(DatabaseError), transaction.atomic():
        Refund.objects.filter(pk=refund.pk).update(decided_by=real_cast.dana)
    assert sent() == 0


def test_nobody_decides_for_the_own_household(real_cast: Cast, draft: Draft) -> None:
    refund = issue(checkout.confirm(draft(5_000)), real_cast, 5_000)
    with pytest.raises(refunds.OwnHousehold):
        approvals.approve(refund, by=real_cast.alice.user, reason="mine")


def test_turned_down_it_sets_its_money_free(real_cast: Cast, draft: Draft, bill: Bill, erik: User) -> None:
    """Nothing is sent, and the member is not told of what never was."""
    payment = checkout.confirm(draft(5_000))
    refund = approvals.decline(issue(payment, real_cast, 5_000), by=erik, reason="the bill is right")
    assert refund.status == "declined"
    assert (sent(), balance(bill), refunds.refundable_cents(payment)) == (0, 13_500, 5_000)
    assert receipts.of(payment, scope_of(real_cast.alice.user)).refunds == []
    with pytest.raises(approvals.AlreadyDecided):
        approvals.approve(refund, by=erik, reason="after all")


def test_two_who_decide_at_once_decide_once(real_cast: Cast, draft: Draft, bill: Bill, erik: User) -> None:
    """FAULTS A13: one of them is told that it is decided."""
    fay = User.objects.create_user("fay@example.com", PASSWORD, is_staff=True)
    refund = issue(checkout.confirm(draft(5_000)), real_cast, 5_000)
    answers = at_once(
        [
            lambda: approvals.approve(Refund.objects.get(pk=refund.pk), by=erik, reason="yes"),
            lambda: approvals.decline(Refund.objects.get(pk=refund.pk), by=fay, reason="no"),
        ]
    )
    assert sum(isinstance(answer, approvals.AlreadyDecided) for answer in answers) == 1
    refund.refresh_from_db()
    assert sent() == (refund.status == "succeeded")


def test_one_that_waits_does_not_outlive_a_dispute(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill, erik: User
) -> None:
    """FAULTS D11: the bank has taken the money; sending it too would pay twice."""
    payment = checkout.confirm(draft(5_000))
    refund = issue(payment, real_cast, 5_000)
    provider.post("disputes", charge=payment.stripe_charge_id)
    disputes.refresh(payment)
    refund.refresh_from_db()
    assert refund.status == "declined"
    with pytest.raises(approvals.AlreadyDecided):
        approvals.approve(refund, by=erik, reason="yes")
    assert sent() == 0


def test_approved_days_later_it_is_sent_and_a_lost_reply_is_found(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill, erik: User
) -> None:
    """FAULTS D07: its key lives from when it is sent, not from when it was asked for."""
    payment = checkout.confirm(draft(5_000))
    refund = issue(payment, real_cast, 5_000)
    Refund.objects.filter(pk=refund.pk).update(created_at=timezone.now() - dt.timedelta(days=6))
    provider.post("faults", match={"method": "POST", "path": "/v1/refunds"}, effect="timeout_before")
    assert approvals.approve(refund, by=erik, reason="yes").status == "submitted"
    refunds.sweep(older_than=dt.timedelta(0))
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert sent() == 1


def test_a_bill_has_its_share_back_and_no_more(real_cast: Cast, draft: Draft, bill: Bill, erik: User) -> None:
    """By bill; what waits of its share is reserved too."""
    other, user = make_bill(real_cast.alice, 5_000), real_cast.alice.user
    payment = checkout.begin(scope_of(user), payer=user, amounts={bill.number: 5_000, other.number: 5_000})
    payment = checkout.confirm(checkout.choose(payment, confirmation_token=token("pm_card_visa")))
    refund = issue(payment, real_cast, 4_000, bill=other)
    assert refunds.refundable_of(payment, other) == 1_000
    with pytest.raises(refunds.AmountExceedsRefundable, match=r"At most \$10\.00"):
        issue(payment, real_cast, 1_001, bill=other)
    approvals.approve(refund, by=erik, reason="yes")
    assert (balance(bill), balance(other)) == (13_500, 4_000)


def test_a_bank_payment_is_refunded_within_half_a_year(
    real_cast: Cast, provider: Server, bill: Bill, erik: User
) -> None:
    """docs.stripe.com: 180 days; after it by another way."""
    payment = banking.paid(provider, real_cast.alice, {bill: 5_000})
    Payment.objects.filter(pk=payment.pk).update(settled_at=timezone.now() - dt.timedelta(days=181))
    with pytest.raises(refunds.NotRefundable, match="180 days"):
        issue(Payment.objects.get(pk=payment.pk), real_cast, 1_000)
