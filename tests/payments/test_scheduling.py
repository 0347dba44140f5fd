"""Pay later: a day, a cut-off, a reminder; on the day only what is still owed is charged, once."""

import datetime as dt

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.visibility import scope_of
from activity.models import Event
from bills.models import Bill
from notifications import notices
from notifications.models import Notification
from payments import checkout, customers, scheduling, sending_due
from payments.models import Payment, PaymentMethod
from payments.pages.rows import rows_of
from tests.conftest import Cast
from tests.payments.pages import signed_in, text_of
from tests.payments.paying import balance, charges, stripe_client, token
from tests.payments.test_races import at_once
from tests.stripe_sandbox.conftest import Server


def in_days(days: int) -> dt.date:
    return timezone.localdate() + dt.timedelta(days=days)


@pytest.fixture
def saved(real_cast: Cast, provider: Server, bill: Bill) -> PaymentMethod:
    """Alice's saved card, as it is kept with her consent."""
    return keep(real_cast, bill)


def keep(cast: Cast, bill: Bill, card: str = "pm_card_visa") -> PaymentMethod:
    customer = customers.ensure(cast.alice.user)
    method = stripe_client().v1.payment_methods.attach(card, {"customer": customer})
    return PaymentMethod.objects.create(
        user=cast.alice.user, kind="card", stripe_id=method.id, brand="visa", last4=method.card.last4
    )


@pytest.fixture
def planned(real_cast: Cast, saved: PaymentMethod, bill: Bill) -> Payment:
    """$50.00 of the bill in three days."""
    return plan(real_cast, bill, saved, 5_000)


def plan(cast: Cast, bill: Bill, method: PaymentMethod, cents: int, days: int = 3) -> Payment:
    user = cast.alice.user
    draft = checkout.begin(scope_of(user), payer=user, amounts={bill.number: cents})
    return scheduling.schedule(checkout.choose(draft, method=method), on=in_days(days))


def pay_now(cast: Cast, bill: Bill, cents: int) -> None:
    user = cast.alice.user
    draft = checkout.begin(scope_of(user), payer=user, amounts={bill.number: cents})
    assert checkout.confirm(checkout.choose(draft, confirmation_token=token("pm_card_visa"))).status == "succeeded"


def stands(payment: Payment) -> Payment:
    return Payment.objects.get(pk=payment.pk)


def test_it_is_sent_on_its_day_once_and_off_session(planned: Payment, bill: Bill) -> None:
    """FAULTS E14, E16: not a day before; two workers at once charge once; a repeat does nothing."""
    assert sending_due.send_due(today=in_days(2)) == 0
    assert charges() == []
    at_once([lambda: sending_due.send_due(today=in_days(3))] * 4)
    sending_due.send_due(today=in_days(3))
    assert stands(planned).status == "succeeded"
    assert [charge.amount for charge in charges()] == [5_000]
    assert balance(bill) == 13_500


def test_it_blocks_no_payment_by_hand_and_is_then_called_off(real_cast: Cast, planned: Payment, bill: Bill) -> None:
    """FAULTS A05."""
    pay_now(real_cast, bill, 18_500)
    page = text_of(signed_in(real_cast.alice).get(f"/payments/{planned.number}/schedule/"))
    assert "nothing will be charged" in page
    sending_due.send_due(today=in_days(3))
    assert (stands(planned).status, stands(planned).failure_code) == ("canceled", "paid_meanwhile")
    assert len(charges()) == 1
    notices.make()
    assert Notification.objects.filter(kind="scheduled_not_sent").count() == 1
    receipt = text_of(signed_in(real_cast.alice).get(f"/payments/{planned.number}/"))
    assert "had been paid by then" in receipt


def test_only_what_is_still_owed_is_charged(real_cast: Cast, planned: Payment, bill: Bill) -> None:
    pay_now(real_cast, bill, 16_000)
    sending_due.send_due(today=in_days(3))
    assert (stands(planned).status, stands(planned).amount_cents) == ("succeeded", 2_500)
    assert balance(bill) == 0
    event = Event.objects.get(kind="payment.scheduled_less")
    assert (event.data["was_cents"], event.data["is_cents"]) == (5_000, 2_500)


def test_the_day_and_a_payment_by_hand_race_and_no_cent_is_charged_twice(
    real_cast: Cast, saved: PaymentMethod, bill: Bill
) -> None:
    """FAULTS A05."""
    planned = plan(real_cast, bill, saved, 18_500)
    user = real_cast.alice.user
    draft = checkout.begin(scope_of(user), payer=user, amounts={bill.number: 18_500})
    checkout.choose(draft, confirmation_token=token("pm_card_visa"))
    at_once([lambda: sending_due.send_due(today=in_days(3)), lambda: checkout.confirm(draft)])
    assert len(charges()) == 1
    assert balance(bill) == 0
    assert stands(planned).status in ("succeeded", "canceled")


@pytest.mark.parametrize(
    "change",
    [{"removed_at": timezone.now()}, {"blocked_at": timezone.now()}, {"expires_year": 2020, "expires_month": 1}],
    ids=["removed", "blocked", "expired"],
)
def test_a_method_that_cannot_pay_any_more_is_not_charged(
    planned: Payment, saved: PaymentMethod, change: dict[str, object]
) -> None:
    """FAULTS A07."""
    PaymentMethod.objects.filter(pk=saved.pk).update(**change)
    sending_due.send_due(today=in_days(3))
    assert (stands(planned).status, stands(planned).failure_code) == ("canceled", "method_unusable")
    assert charges() == []
    assert Event.objects.filter(kind="payment.not_sent").count() == 1


def test_a_right_that_ended_pays_nothing(real_cast: Cast, planned: Payment) -> None:
    """FAULTS F27, F31: Maya's bills became confidential."""
    real_cast.maya.confidential_since = timezone.now()
    real_cast.maya.save()
    sending_due.send_due(today=in_days(3))
    assert stands(planned).failure_code == "bill_not_payable"
    assert charges() == []


def test_a_bill_under_review_is_not_charged(planned: Payment, bill: Bill) -> None:
    """What is held is paid on purpose alone, by hand."""
    Bill.objects.filter(pk=bill.pk).update(held_since=timezone.now())
    sending_due.send_due(today=in_days(3))
    assert (stands(planned).status, stands(planned).failure_code) == ("canceled", "bill_held")
    assert charges() == []


def test_a_decline_on_the_day_is_told(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """FAULTS B13."""
    planned = plan(real_cast, bill, keep(real_cast, bill, "pm_card_chargeCustomerFail"), 5_000)
    sending_due.send_due(today=in_days(3))
    sending_due.send_due(today=in_days(4))
    assert stands(planned).status == "failed"
    notices.make()
    assert Notification.objects.filter(kind="payment_failed").count() == 1


def test_after_a_long_standstill_nothing_is_charged_out_of_the_blue(planned: Payment) -> None:
    """FAULTS E15."""
    sending_due.send_due(today=in_days(3 + sending_due.MOST_DAYS_LATE + 1))
    assert stands(planned).failure_code == "too_late"
    assert charges() == []


def test_it_is_changed_and_called_off_until_the_midnight_before(
    real_cast: Cast, planned: Payment, saved: PaymentMethod, bill: Bill
) -> None:
    scope = scope_of(real_cast.alice.user)
    changed = scheduling.change(planned, scope, on=in_days(5), amounts={bill.number: 7_500}, method=saved)
    assert (changed.scheduled_on, changed.amount_cents) == (in_days(5), 7_500)
    with pytest.raises(checkout.AmountExceedsPayable):
        scheduling.change(planned, scope, on=in_days(5), amounts={bill.number: 18_501}, method=saved)
    assert scheduling.call_off(planned).status == "canceled"
    sending_due.send_due(today=in_days(5))
    assert charges() == []
    with pytest.raises(checkout.NotADraft):
        scheduling.call_off(planned)


def test_after_its_cut_off_it_stays(planned: Payment, settings: Settings) -> None:
    settings.SCHEDULE_CUT_OFF_HOURS = 72
    with pytest.raises(scheduling.PastCutOff):
        scheduling.call_off(planned)
    assert stands(planned).status == "draft"


@pytest.mark.parametrize("days", [0, -1, 61])
def test_only_days_that_are_offered_are_taken(real_cast: Cast, saved: PaymentMethod, bill: Bill, days: int) -> None:
    """FAULTS I12."""
    with pytest.raises(scheduling.NotSchedulable):
        plan(real_cast, bill, saved, 5_000, days)


def test_a_bank_account_waits_for_the_banks(saved: PaymentMethod) -> None:
    """RULES section 11, FAULTS E26: Thanksgiving 2026; a card does not wait."""
    account = PaymentMethod(kind="us_bank_account")
    assert scheduling.sent_on(dt.date(2026, 11, 26), account) == dt.date(2026, 11, 27)
    assert scheduling.sent_on(dt.date(2026, 11, 26), saved) == dt.date(2026, 11, 26)


def test_it_is_not_sent_by_hand_meanwhile_but_can_be_taken_back(planned: Payment, bill: Bill) -> None:
    with pytest.raises(checkout.NotADraft):
        checkout.confirm(planned)
    assert checkout.confirm(scheduling.take_back(planned)).status == "succeeded"
    sending_due.send_due(today=in_days(3))
    assert len(charges()) == 1


def test_a_reminder_comes_the_day_before_once(planned: Payment) -> None:
    for _ in range(2):
        sending_due.remind(today=in_days(2))
    notices.make()
    assert Notification.objects.filter(kind="scheduled_ahead").count() == 1
    assert sending_due.remind(today=in_days(1)) == 0


def test_the_bill_says_that_it_is_scheduled_to_who_scheduled_it_alone(
    real_cast: Cast, planned: Payment, bill: Bill
) -> None:
    """A draft is its payer's."""
    (row,) = rows_of([bill], scope_of(real_cast.alice.user))
    assert row.state == "scheduled" and row.can_pay
    assert "Scheduled" in text_of(signed_in(real_cast.alice).get("/overview/"))
    assert "Scheduled" not in text_of(signed_in(real_cast.bob).get("/overview/"))
    assert "$50.00 on" in text_of(signed_in(real_cast.alice).get("/payments/"))
    for stranger in (real_cast.bob, real_cast.charlie):
        client = signed_in(stranger)
        assert client.get(f"/payments/{planned.number}/schedule/").status_code == 404
        assert client.post(f"/payments/{planned.number}/schedule/", {"cancel": "1"}).status_code == 404
    assert stands(planned).status == "draft"
