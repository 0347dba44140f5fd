"""Autopay charges that fail: which are tried again, when and with what, what stops, and what the member is told."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from activity.models import Event
from activity.recording import record
from bills.models import Bill
from payments import declines, moving, retries, return_codes, sending_due, settlement, sweeping
from payments.autopay import announcing, changing, debiting_again, declining, single
from payments.models import AutopayCharge, AutopayEnrollment, Payment, PaymentMethod
from payments.provider import Intent, MethodSummary
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.factories import make_bill
from tests.payments.adding import proved
from tests.payments.autopay.scene import announced, charged, enroll, in_days, save_bank, save_card, stands
from tests.payments.banking import returned
from tests.payments.pages import signed_in, text_of
from tests.payments.paying import balance, charges
from tests.payments.test_declines import DECLINE_CODES
from tests.stripe_sandbox.conftest import Server


def declined(cast: Cast, code: str, **terms: object) -> AutopayCharge:
    """A charge of a card that declines with a code, on its day."""
    card = save_card(cast.alice, f"pm_sandbox_decline_{code}")
    enroll(cast.alice, card, people=(cast.maya,), **terms)
    charge = announced()
    if charge.status == "asked":
        single.answer(charge, cast.alice.user, is_yes=True)
    charged(charge.charge_on)
    charge.refresh_from_db()
    return charge


def failures() -> list[dict[str, object]]:
    """What was recorded of failures, in order."""
    return list(Event.objects.filter(kind="autopay.failed").order_by("pk").values_list("data", flat=True))


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "pickup_card", "expired_card", "do_not_try_again"])
def test_a_hard_decline_is_never_tried_again_with_that_method(
    real_cast: Cast, provider: Server, bill: Bill, code: str
) -> None:
    """FAULTS B13: autopay stops until another is given; no other enrolment asks the method either."""
    charge = declined(real_cast, code)
    assert (charge.status, charge.code) == ("failed", code)
    assert AutopayCharge.objects.count() == 1
    enrollment = AutopayEnrollment.objects.get()
    assert (enrollment.status, enrollment.suspended_code) == ("suspended", code)
    assert [(told["code"], told["next_on"], told["charge_id"]) for told in failures()] == [(code, "", charge.pk)]
    assert Event.objects.get(kind="autopay.suspended").data == {"enrollment_id": enrollment.pk, "code": code}
    AutopayEnrollment.objects.update(status="active")
    make_bill(real_cast.maya, due_on=in_days(30))
    later = announced()
    charged(later.charge_on)
    assert stands(later) == ("failed", "method_unusable")
    assert Payment.objects.count() == 1


def test_after_a_hard_decline_the_second_method_is_charged_when_it_was_told_three_days_ahead(
    real_cast: Cast, provider: Server, bill: Bill
) -> None:
    other = save_card(real_cast.alice, "pm_card_mastercard")
    charge = declined(real_cast, "stolen_card", fallback=other, limit_cents=18_499)
    second = AutopayCharge.objects.get(attempt=2)
    assert (second.status, second.code) == ("announced", "approved"), "a yes holds for each try"
    assert (second.method, second.charge_on, second.amount_cents) == (other, in_days(3), 18_500)
    assert failures()[0]["next_on"] == in_days(3).isoformat()
    enrollment = AutopayEnrollment.objects.get()
    assert (enrollment.status, enrollment.method, enrollment.fallback) == ("active", other, None)
    assert (charged(in_days(2)).planned, charged(in_days(3)).done) == (0, 1)
    assert (balance(bill), stands(charge)) == (0, ("failed", "stolen_card"))


def test_a_soft_decline_is_tried_four_times_on_the_stated_days(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """FAULTS B14."""
    card = save_card(real_cast.alice, "pm_sandbox_decline_insufficient_funds")
    enroll(real_cast.alice, card, people=(real_cast.maya,))
    first = announced()
    tried = []
    for days in range(40):
        day = first.charge_on + dt.timedelta(days=days)
        with time_machine.travel(timezone.make_aware(dt.datetime.combine(day, dt.time(9)))):
            announcing.run()
            if charged(day).failed:
                tried.append(days)
    assert tried == [0, 3, 7, 14]
    assert [told["next_on"] for told in failures()] == [
        (first.charge_on + dt.timedelta(days=days)).isoformat() for days in declining.SOFT_DAYS
    ] + [""]
    assert AutopayEnrollment.objects.get().status == "active"
    assert charges() == [] and balance(bill) == 18_500


def test_a_failure_that_was_a_success_is_not_tried_again(real_cast: Cast, provider: Server, bill: Bill) -> None:
    declined(real_cast, "insufficient_funds")
    second = AutopayCharge.objects.get(attempt=2)
    payment = Payment.objects.get()
    settlement.apply(payment.pk, _succeeded(payment))
    assert stands(second) == ("not_needed", "paid_meanwhile")
    assert AutopayCharge.objects.get(attempt=1).status == "done"
    assert balance(bill) == 0


def _succeeded(payment: Payment) -> Intent:
    assert payment.stripe_payment_intent_id is not None
    return Intent(
        id=payment.stripe_payment_intent_id, status="succeeded", amount_cents=payment.amount_cents,
        received_cents=payment.amount_cents, client_secret="", charge_id="ch_1", failure_code="",
        payment_number=payment.number, method=MethodSummary(),
    )  # fmt: skip


@pytest.mark.parametrize("code", DECLINE_CODES)
def test_every_decline_code_has_its_next_try_or_none(code: str) -> None:
    """FAULTS B12 to B15: at most four tries, none after a hard decline without another method."""
    today = dt.date(2026, 11, 2)
    days = [
        declining.next_day(code, tries=tries, first_on=today, today=today, is_other_method=False)
        for tries in range(1, 6)
    ]
    assert days[3:] == [None, None]
    assert (code in declining.HARD or code in declining.ASKS) == (days[0] is None)
    assert declines.text_of(code)


def test_a_bank_that_wants_the_payer_is_not_asked_again_and_the_link_finishes_the_same_attempt(
    real_cast: Cast, provider: Server, bill: Bill
) -> None:
    """FAULTS B15."""
    card = save_card(real_cast.alice, "pm_card_authenticationRequired")
    enroll(real_cast.alice, card, people=(real_cast.maya,))
    charge = announced()
    charged(charge.charge_on)
    payment = Payment.objects.get()
    assert (payment.status, stands(charge)) == ("requires_action", ("sent", ""))
    told = Event.objects.get(kind="autopay.action_needed").data
    assert told == {"charge_id": charge.pk, "enrollment_id": charge.enrollment_id, "payment_id": payment.pk}
    charged(charge.charge_on + dt.timedelta(days=3))
    assert sweeping.refresh(payment).status == "requires_action", "the sweeper calls it nothing else"
    client, address = signed_in(real_cast.alice), f"/pay/{payment.number}/authenticate/"
    assert 'name="confirm"' in client.get(address).content.decode()
    assert client.post(address, {"confirm": "1"})["Location"] == address
    assert client.post(address, {"confirm": "1"})["Location"] == address
    assert 'data-secret="pi_' in client.get(address).content.decode()
    provider.post("authenticate", intent=payment.stripe_payment_intent_id, outcome="complete")
    client.get(f"/payments/{payment.number}/return/")
    assert (Payment.objects.get().status, stands(charge), balance(bill)) == ("succeeded", ("done", ""), 0)
    assert len(charges()) == 1
    for stranger in (real_cast.bob, real_cast.charlie):
        assert signed_in(stranger).post(address, {"confirm": "1"}).status_code == 404


def test_a_question_of_the_bank_that_nobody_answers_ends_after_three_days(
    real_cast: Cast, provider: Server, bill: Bill
) -> None:
    enroll(real_cast.alice, save_card(real_cast.alice, "pm_card_authenticationRequired"), people=(real_cast.maya,))
    charge = announced()
    charged(charge.charge_on)
    payment = Payment.objects.get()
    sweeping.resolve(payment, now=timezone.now() + dt.timedelta(days=2))
    assert stands(charge) == ("sent", "")
    sweeping.resolve(payment, now=timezone.now() + dt.timedelta(days=4))
    assert stands(charge) == ("failed", "abandoned")
    assert failures()[-1]["next_on"] == ""
    assert AutopayCharge.objects.count() == 1


@pytest.fixture
def debited(real_cast: Cast, provider: Server, bill: Bill) -> AutopayCharge:
    """A bank debit by autopay that has succeeded."""
    enroll(real_cast.alice, save_bank(real_cast.alice), people=(real_cast.maya,))
    charge = announced()
    charged(charge.charge_on)
    provider.post("clock/advance", seconds=60)
    sweeping.refresh(Payment.objects.get())
    assert stands(charge) == ("done", "")
    return charge


def test_want_of_money_is_debited_again_twice_as_nacha_has_it(
    provider: Server, debited: AutopayCharge, bill: Bill
) -> None:
    """RULES section 3.2: R01 keeps autopay; the retry is the same debit, and its day is told."""
    returned(provider, Payment.objects.get(), "R01")
    retry = Payment.objects.get(retry_of__isnull=False)
    assert stands(debited) == ("failed", "R01")
    assert failures() == [
        {
            "charge_id": debited.pk, "enrollment_id": debited.enrollment_id, "code": "R01", "attempt": 1,
            "next_on": retry.scheduled_on.isoformat(), "payment_id": retry.retry_of_id,
        }
    ]  # fmt: skip
    assert AutopayEnrollment.objects.get().status == "active"
    assert AutopayCharge.objects.count() == 1, "what the bank debits again is not charged besides"
    announcing.run()
    assert AutopayCharge.objects.count() == 1
    moving.move(retry.pk, PaymentStatus.SUBMITTED, actor="test", attempt=1, submitted_at=timezone.now())
    moving.move(retry.pk, PaymentStatus.PROCESSING, actor="test")
    moving.move(retry.pk, PaymentStatus.SUCCEEDED, actor="test")
    assert stands(debited) == ("done", "")


def test_a_debit_is_sent_again_only_as_long_as_autopay_lets_it(
    real_cast: Cast, provider: Server, debited: AutopayCharge
) -> None:
    """A return after autopay was turned off plans nothing, and what was planned is looked at again on its day."""
    first, everything = Payment.objects.get(), AutopayEnrollment.objects
    everything.update(status="ended")
    returned(provider, first, "R01")
    assert [told["next_on"] for told in failures()] == [""]
    everything.update(status="active")
    retry = retries.plan(moving.current(first.pk), return_codes.of("R01"), on=timezone.localdate())
    assert retry is not None and retry.scheduled_on is not None
    day = retry.scheduled_on
    for terms, is_let in (
        ({"status": "suspended"}, False), ({"status": "paused", "paused_until": in_days(90)}, False),
        ({"status": "paused", "paused_until": day}, True), ({"status": "active", "limit_cents": 18_499}, False),
        ({"limit_cents": 18_500}, True),
    ):  # fmt: skip
        everything.update(**terms)
        assert debiting_again.is_let(first.pk, on=day) is is_let, terms
    record(
        "autopay.answered", subject=f"autopay:{debited.enrollment_id}", owner_id=1, actor="x", charge_id=debited.pk,
        code="approved",
    )  # fmt: skip
    everything.update(limit_cents=100)
    assert debiting_again.is_let(first.pk, on=day), "the member had said yes to the amount"
    debited.enrollment.members.remove(real_cast.maya)
    sending_due.send_due(today=day)
    assert (moving.current(retry.pk).status, moving.current(retry.pk).failure_code) == ("canceled", "autopay_ended")
    assert len(charges()) == 1


def test_turning_autopay_off_calls_off_the_debit_that_was_to_be_sent_again(
    real_cast: Cast, provider: Server, debited: AutopayCharge
) -> None:
    """Its page says so before; a pause that ends before its day leaves it, and one that does not, calls it off."""
    returned(provider, Payment.objects.get(), "R01")
    enrollment, retry = AutopayEnrollment.objects.get(), Payment.objects.get(retry_of__isnull=False)
    changing.pause(enrollment, real_cast.alice.user, until=in_days(1))
    alice, says = proved(real_cast.alice), "debited again because it came back, is called off"
    assert says in text_of(alice.get(f"/autopay/{enrollment.pk}/stop/"))
    told = text_of(alice.get(f"/autopay/charges/{debited.pk}/"))
    assert "is debited again on" in told and "not enough money" in told
    alice.post(f"/autopay/{enrollment.pk}/stop/")
    assert (moving.current(retry.pk).status, moving.current(retry.pk).failure_code) == ("canceled", "autopay_ended")
    assert Event.objects.get(kind="payment.not_sent").data == {"payment_id": retry.pk, "code": "autopay_ended"}
    AutopayEnrollment.objects.update(status="active")
    retries.plan(moving.current(retry.pk), return_codes.of("R01"), on=timezone.localdate())
    assert changing.pause(enrollment, real_cast.alice.user, until=in_days(90)).not_again == 1


@pytest.mark.parametrize(
    ("code", "status"),
    [("R02", "suspended"), ("R16", "suspended"), ("R10", "ended"), ("R29", "ended"), ("R08", "active")],
)
def test_a_return_does_to_autopay_what_its_code_says(
    real_cast: Cast, provider: Server, debited: AutopayCharge, code: str, status: str
) -> None:
    """RULES section 3.3: suspended for a closed account, ended where the leave is gone, one charge for a stop."""
    payment = Payment.objects.get()
    if status != "suspended":
        AutopayEnrollment.objects.update(fallback=save_card(real_cast.alice))
    returned(provider, payment, code)
    assert stands(debited) == ("failed", code)
    assert AutopayEnrollment.objects.get().status == status
    assert AutopayCharge.objects.count() == 1, "the second method pays nothing that the payer took back"
    assert [told["next_on"] for told in failures()] == [""]
    assert Event.objects.filter(kind="autopay.suspended").count() == (status != "active")
    assert not Payment.objects.filter(retry_of__isnull=False).exists()


@pytest.mark.parametrize("code", ["R02", "R01"])
def test_where_an_account_cannot_pay_the_second_method_does_with_notice(
    real_cast: Cast, provider: Server, debited: AutopayCharge, bill: Bill, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """The account was closed, or the last of the tries that Nacha allows came back; what comes later goes on too."""
    account, other = PaymentMethod.objects.get(), save_card(real_cast.alice)
    AutopayEnrollment.objects.update(fallback=other)
    monkeypatch.setattr(retries, "MOST", 0)
    returned(provider, Payment.objects.get(), code)
    enrollment, second = AutopayEnrollment.objects.get(), AutopayCharge.objects.get(attempt=2)
    account.refresh_from_db()
    is_closed = code == "R02"
    assert (enrollment.status, enrollment.method) == ("active", other if is_closed else account)
    assert (account.blocked_at is not None) == is_closed
    assert (second.method, second.charge_on, failures()[-1]["next_on"]) == (other, in_days(3), in_days(3).isoformat())
    assert charged(in_days(3)).done == 1
    assert (balance(bill), stands(debited)) == (0, ("failed", code))


def test_a_debit_that_never_arrives_follows_the_code_as_well(real_cast: Cast, provider: Server, bill: Bill) -> None:
    enroll(real_cast.alice, save_bank(real_cast.alice), people=(real_cast.maya,))
    charge = announced()
    charged(charge.charge_on)
    payment = Payment.objects.get()
    provider.post("bank_debits/settle", payment_intent=payment.stripe_payment_intent_id, failure="insufficient_funds")
    sweeping.refresh(payment)
    assert stands(charge) == ("failed", "R01")
    assert len(failures()) == 1 and failures()[0]["next_on"]
    assert AutopayCharge.objects.count() == 1
