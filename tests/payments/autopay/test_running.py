"""The autopay run: each charge once, whatever fires twice, and only what still holds at its moment."""

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.visibility import scope_of
from activity.models import Event, WorkItem
from bills import issuing
from bills.banking_days import next_banking_day
from bills.models import Bill
from payments import checkout, sweeping
from payments.autopay import announcing, pace, planning, running, submitting
from payments.models import AutopayCharge, AutopayEnrollment, Payment, PaymentMethod
from tests.conftest import Cast
from tests.factories import make_bill
from tests.payments.autopay.scene import announced, charged, enroll, in_days, save_bank, save_card, stands
from tests.payments.paying import balance, charges, drifting_accounts, token, trial_balance
from tests.payments.test_races import at_once
from tests.stripe_sandbox.conftest import Server

CREATE = {"method": "POST", "path": "/v1/payment_intents$"}
CREATED = ("POST", "/v1/payment_intents")


@pytest.fixture
def others_enrollment(real_cast: Cast, provider: Server) -> AutopayEnrollment:
    """Autopay of another household's."""
    return enroll(real_cast.charlie, save_card(real_cast.charlie), people=(real_cast.charlie,))


def pay_now(cast: Cast, bill: Bill, cents: int) -> None:
    user = cast.alice.user
    draft = checkout.begin(scope_of(user), payer=user, amounts={bill.number: cents})
    assert checkout.confirm(checkout.choose(draft, confirmation_token=token("pm_card_visa"))).status == "succeeded"


def test_it_is_charged_on_its_day_off_session_and_once(provider: Server, charge: AutopayCharge, bill: Bill) -> None:
    assert charged(in_days(19)).done == 0
    assert charges() == []
    assert charged(in_days(20)).done == 1
    assert charged(in_days(20)).done == 0 and charged(in_days(21)).done == 0
    assert [made.amount for made in charges()] == [18_500]
    assert (balance(bill), stands(charge)) == (0, ("done", ""))
    payment = Payment.objects.get()
    assert (payment.channel, payment.payer_id) == ("autopay", charge.enrollment.user_id)
    sent = next(call for call in provider.get("log")["data"] if call["path"] == "/v1/payment_intents")
    assert sent["params"]["off_session"] == "true" and sent["idempotency_key"] == payment.idempotency_key
    kinds = list(
        Event.objects.filter(subject=f"payment:{payment.number}").order_by("pk").values_list("kind", flat=True)
    )
    assert kinds == ["payment.submitted", "payment.succeeded"]
    assert drifting_accounts() == [] and trial_balance() == 0


def test_a_hundred_of_the_same_task_at_once_charge_once(charge: AutopayCharge, bill: Bill) -> None:
    """FAULTS E14, E15, E16: two beats, a task that runs twice at the same time, one that is sent a hundred times."""
    for _round in range(10):
        answers = at_once([lambda: charged(in_days(20))] * 10)
        assert [each for each in answers if isinstance(each, Exception)] == []
    assert len(charges()) == 1
    assert balance(bill) == 0
    assert Payment.objects.count() == 1


def test_what_one_worker_has_taken_another_passes_by(
    real_cast: Cast, enrollment: AutopayEnrollment, others_enrollment: AutopayEnrollment
) -> None:
    """FAULTS E14, E15: by the lock of the charge, without waiting for it."""
    make_bill(real_cast.maya, due_on=in_days(20), amount_cents=1_000)
    make_bill(real_cast.charlie, due_on=in_days(20), amount_cents=1_001)
    announcing.run()
    planning.run(today=in_days(20))
    with ThreadPoolExecutor(1) as other, transaction.atomic():
        first = submitting.submit(limit=1, today=in_days(20))
        second = other.submit(at_once, [lambda: submitting.submit(limit=1, today=in_days(20))]).result(5)[0]
    assert isinstance(second, submitting.Batch)
    assert len(first.submitted) == len(second.submitted) == 1
    assert sorted(Payment.objects.values_list("amount_cents", flat=True)) == [1_000, 1_001]


def test_planning_twice_queues_once(charge: AutopayCharge) -> None:
    assert sum(at_once([lambda: planning.run(today=in_days(20))] * 4)) == 1
    assert planning.run(today=in_days(20)) == 0


def test_a_bill_that_is_paid_by_hand_meanwhile_is_not_charged(
    real_cast: Cast, charge: AutopayCharge, bill: Bill
) -> None:
    """FAULTS A05."""
    planning.run(today=in_days(20))
    pay_now(real_cast, bill, 18_500)
    charged(in_days(20))
    assert stands(charge) == ("not_needed", "paid_meanwhile")
    assert len(charges()) == 1


def test_of_a_bill_that_is_partly_paid_only_the_rest_is_charged(
    real_cast: Cast, charge: AutopayCharge, bill: Bill
) -> None:
    planning.run(today=in_days(20))
    pay_now(real_cast, bill, 10_000)
    charged(in_days(20))
    assert sorted(made.amount for made in charges()) == [8_500, 10_000]


def test_never_more_is_charged_than_was_announced(charge: AutopayCharge, bill: Bill) -> None:
    """FAULTS D26: what was raised a moment ago was not announced ten days ahead."""
    issuing.correct(bill, by_cents=5_000, key="up", on=timezone.localdate(), reason="corrected")
    charged(in_days(20))
    assert [made.amount for made in charges()] == [18_500]
    assert balance(bill) == 5_000


def test_the_run_and_a_payment_by_hand_race_and_no_cent_is_charged_twice(
    real_cast: Cast, charge: AutopayCharge, bill: Bill
) -> None:
    """FAULTS A05."""
    user = real_cast.alice.user
    draft = checkout.begin(scope_of(user), payer=user, amounts={bill.number: 18_500})
    checkout.choose(draft, confirmation_token=token("pm_card_visa"))
    at_once([lambda: charged(in_days(20)), lambda: checkout.confirm(draft)])
    charged(in_days(20))
    assert (len(charges()), balance(bill)) == (1, 0)


def switch_off(charge: AutopayCharge, cast: Cast) -> None:
    AutopayEnrollment.objects.filter(pk=charge.enrollment_id).update(status="ended")


def pause(charge: AutopayCharge, cast: Cast) -> None:
    AutopayEnrollment.objects.filter(pk=charge.enrollment_id).update(status="paused", paused_until=in_days(60))


def skip(charge: AutopayCharge, cast: Cast) -> None:
    AutopayCharge.objects.filter(pk=charge.pk, status="queued").update(status="skipped")


def hold(charge: AutopayCharge, cast: Cast) -> None:
    Bill.objects.filter(pk=charge.bill_id).update(held_since=timezone.now())


def put_on_plan(charge: AutopayCharge, cast: Cast) -> None:
    Bill.objects.filter(pk=charge.bill_id).update(on_plan_since=timezone.now())


def void(charge: AutopayCharge, cast: Cast) -> None:
    issuing.void(charge.bill, on=timezone.localdate(), reason="issued in error", actor="user:0")


def hide(charge: AutopayCharge, cast: Cast) -> None:
    cast.maya.confidential_since = timezone.now()
    cast.maya.save()


def leave(charge: AutopayCharge, cast: Cast) -> None:
    cast.maya.household = cast.strangers
    cast.maya.save()


def leave_out(charge: AutopayCharge, cast: Cast) -> None:
    charge.enrollment.members.remove(cast.maya)


def lower_limit(charge: AutopayCharge, cast: Cast) -> None:
    AutopayEnrollment.objects.filter(pk=charge.enrollment_id).update(limit_cents=charge.amount_cents - 1)


def remove_method(charge: AutopayCharge, cast: Cast) -> None:
    PaymentMethod.objects.filter(pk=charge.method_id).update(removed_at=timezone.now())


def expire_method(charge: AutopayCharge, cast: Cast) -> None:
    PaymentMethod.objects.filter(pk=charge.method_id).update(expires_year=2020, expires_month=1)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (switch_off, ("not_needed", "off")), (pause, ("announced", "")), (skip, ("skipped", "")),
        (hold, ("announced", "")), (put_on_plan, ("not_needed", "on_plan")), (void, ("not_needed", "void")),
        (leave_out, ("not_needed", "not_chosen")), (lower_limit, ("asked", "")),
        (hide, ("not_needed", "not_yours")), (leave, ("not_needed", "not_yours")),
        (remove_method, ("failed", "method_unusable")), (expire_method, ("failed", "method_unusable")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_what_no_longer_holds_at_the_moment_of_the_charge_is_not_charged(
    real_cast: Cast, charge: AutopayCharge, change: Callable[[AutopayCharge, Cast], None], state: tuple[str, str]
) -> None:
    """FAULTS A06, A07, F27, F31: between the queue and the charge."""
    assert planning.run(today=in_days(20)) == 1
    change(charge, real_cast)
    report = charged(in_days(20))
    assert charges() == []
    assert stands(charge) == state
    assert report.done == 0


def test_a_method_that_is_gone_stops_autopay_and_is_told(charge: AutopayCharge) -> None:
    """FAULTS A07: no charge, the member told, the item parked."""
    planning.run(today=in_days(20))
    remove_method(charge, None)
    charged(in_days(20))
    enrollment = AutopayEnrollment.objects.get()
    assert (enrollment.status, enrollment.suspended_code) == ("suspended", "method_unusable")
    told = {event.kind: event.data for event in Event.objects.filter(subject=f"autopay:{enrollment.pk}")}
    assert told["autopay.failed"]["next_on"] == "" and told["autopay.failed"]["charge_id"] == charge.pk
    assert told["autopay.suspended"] == {"enrollment_id": enrollment.pk, "code": "method_unusable"}


def test_the_second_method_takes_the_place_of_one_that_is_gone_once_it_was_announced(
    real_cast: Cast, charge: AutopayCharge
) -> None:
    """On its day the announced method alone is charged; the other one is told three days ahead."""
    other, day = save_card(real_cast.alice, "pm_card_mastercard"), in_days(20)
    AutopayEnrollment.objects.update(fallback=other)
    planning.run(today=day)
    remove_method(charge, None)
    assert (charged(day).done, stands(charge)) == (0, ("announced", ""))
    assert announcing.run(today=day).changed == 1 and announcing.run(today=day) == announcing.Summary()
    charge.refresh_from_db()
    assert (charge.method, charge.charge_on) == (other, in_days(23))
    assert Event.objects.get(kind="autopay.changed").data["charge_id"] == charge.pk
    assert (charged(in_days(22)).planned, charged(in_days(23)).done) == (0, 1)
    assert Payment.objects.get().method == other


def test_switching_off_waits_for_a_charge_that_is_being_committed(charge: AutopayCharge) -> None:
    """FAULTS A06: whoever comes second sees what the first did, under the enrolment's lock."""
    planning.run(today=in_days(20))
    results = at_once([lambda: charged(in_days(20)), lambda: switch_off(charge, None)])
    assert [each for each in results if isinstance(each, Exception)] == []
    assert stands(charge) in (("done", ""), ("not_needed", "off"))
    assert len(charges()) == (charge.status == "done")


def test_a_stranger_is_never_charged_for(real_cast: Cast, provider: Server) -> None:
    """FAULTS F11: an enrolment that names somebody of another household announces nothing."""
    bill = make_bill(real_cast.maya, due_on=in_days(20))
    enroll(real_cast.charlie, save_card(real_cast.charlie), people=(real_cast.maya,))
    assert announcing.run().announced == 0
    assert balance(bill) == 18_500


def test_a_lost_answer_is_asked_for_and_charged_once(provider: Server, charge: AutopayCharge, bill: Bill) -> None:
    """FAULTS E14: whether the money moved or not, the sweeper finds out with the same key."""
    provider.post("faults", match=CREATE, effect="timeout_after")
    assert charged(in_days(20)).undecided == 1
    assert stands(charge) == ("sent", "")
    charged(in_days(20))
    sweeping.resolve(Payment.objects.get())
    assert (len(charges()), balance(bill), stands(charge)) == (1, 0, ("done", ""))


def test_too_many_calls_are_waited_for_and_none_is_dropped(
    real_cast: Cast, provider: Server, enrollment: AutopayEnrollment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAULTS B08, B09: every charge once, none called declined."""
    monkeypatch.setattr(pace, "LONGEST_HOLD_SECONDS", 0.2)
    for number in range(12):
        make_bill(real_cast.maya, due_on=in_days(20), amount_cents=1_000 + number)
    announcing.run()
    provider.post("faults", match=CREATE, effect="status_429", times=3)
    provider.post("faults", match=CREATE, effect="status_429", value="lock_timeout", times=2)
    report = charged(in_days(20))
    assert (report.done, report.failed, report.undecided) == (12, 0, 0)
    assert sorted(made.amount for made in charges()) == [1_000 + number for number in range(12)]


def test_calls_of_one_customer_follow_each_other(
    real_cast: Cast, provider: Server, enrollment: AutopayEnrollment
) -> None:
    """FAULTS B09: two at once are what a lock_timeout comes from."""
    for number in range(4):
        make_bill(real_cast.maya, due_on=in_days(20), amount_cents=1_000 + number)
    announcing.run()
    provider.post("settings", latency_ms=100)
    began = timezone.now()
    assert charged(in_days(20)).done == 4
    assert timezone.now() - began > dt.timedelta(milliseconds=390)


def test_a_key_that_is_refused_stops_the_run_and_nothing_is_called_declined(
    real_cast: Cast, provider: Server, enrollment: AutopayEnrollment, settings: object
) -> None:
    """FAULTS B10: at once, with an alarm; with a good key again, each is charged once."""
    settings.AUTOPAY_THREADS = 2
    for number in range(40):
        make_bill(real_cast.maya, due_on=in_days(20), amount_cents=1_000 + number)
    announcing.run()
    provider.post("faults", match={**CREATE, "nth": 4}, effect="status_401", times=None)
    report = charged(in_days(20))
    assert report.stopped == "unauthorized" and report.failed == 0
    # One call at a time for one customer: three were taken, the fourth was refused, and none is made after it.
    assert [(call["method"], call["path"]) for call in provider.get("log")["data"]].count(CREATED) == 4
    assert not Payment.objects.filter(status__in=("failed", "canceled")).exists()
    assert AutopayCharge.objects.filter(status="queued").count() > 10
    assert WorkItem.objects.filter(dedupe_key__startswith="unauthorized:").count() == 1
    provider.control("DELETE", "faults")
    assert charged(in_days(20)).stopped == ""
    Payment.objects.filter(status="submitted").update(asked_at=timezone.now() - dt.timedelta(minutes=5))
    sweeping.run()
    assert sorted(made.amount for made in charges()) == [1_000 + number for number in range(40)]
    assert set(AutopayCharge.objects.values_list("status", flat=True)) == {"done"}


def test_requests_that_are_not_taken_stop_the_run_and_alarm(
    real_cast: Cast, provider: Server, enrollment: AutopayEnrollment, settings: object
) -> None:
    """FAULTS B11: parked and tried tomorrow; the member reads that we could not, and never "declined"."""
    settings.AUTOPAY_THREADS = 2
    for number in range(30):
        make_bill(real_cast.maya, due_on=in_days(20), amount_cents=1_000 + number)
    announcing.run()
    provider.post("faults", match=CREATE, effect="parameter_invalid", times=None)
    report = charged(in_days(20))
    assert report.stopped == "refused"
    assert report.failed < 20
    assert set(Payment.objects.filter(status="failed").values_list("failure_code", flat=True)) == {"cannot_pay_now"}
    assert WorkItem.objects.filter(dedupe_key__startswith="autopay-refused:").count() == 1
    assert AutopayCharge.objects.filter(attempt=2, charge_on=in_days(1)).count() == report.failed


def test_told_to_stop_it_finishes_what_it_has_and_leaves_the_rest(
    real_cast: Cast, provider: Server, enrollment: AutopayEnrollment, settings: object
) -> None:
    """FAULTS E28, E29, E30: resumable from any point."""
    settings.AUTOPAY_THREADS = 1
    for number in range(20):
        make_bill(real_cast.maya, due_on=in_days(20), amount_cents=1_000 + number)
    announcing.run()
    stop = threading.Event()
    first = running.run(today=in_days(20), stop=stop, on_step=lambda report: stop.set())
    assert first.stopped == "told to stop" and 0 < first.done < 20 and first.undecided == 0
    assert AutopayCharge.objects.filter(status="queued").count() == 20 - first.done
    assert charged(in_days(20)).done == 20 - first.done
    assert len(charges()) == 20


def test_after_a_long_standstill_nothing_is_charged_out_of_the_blue(charge: AutopayCharge) -> None:
    """FAULTS E15: late is not lost, but is announced anew first."""
    late = in_days(20 + 8)
    assert charged(late).planned == 0
    assert announcing.run(today=late).changed == 1
    charge.refresh_from_db()
    assert charge.charge_on == late + dt.timedelta(days=10)
    assert charged(charge.charge_on).done == 1


def test_a_bank_debit_is_on_its_way_and_then_done(real_cast: Cast, provider: Server, bill: Bill) -> None:
    enroll(real_cast.alice, save_bank(real_cast.alice), people=(real_cast.maya,))
    charge = announced()
    saturday = charge.charge_on + dt.timedelta(days=(5 - charge.charge_on.weekday()) % 7)
    AutopayCharge.objects.update(charge_on=saturday)  # as after a pause that ended then
    assert (charged(saturday).done, stands(charge)) == (0, ("announced", "")), "banks are closed"
    assert charged(next_banking_day(saturday)).done == 1
    payment = Payment.objects.get()
    assert (payment.status, stands(charge)) == ("processing", ("sent", ""))
    provider.post("clock/advance", seconds=60)
    sweeping.refresh(payment)
    assert (stands(charge), balance(bill)) == (("done", ""), 0)


def test_an_account_without_a_mandate_is_not_debited(real_cast: Cast, provider: Server, bill: Bill) -> None:
    account = save_bank(real_cast.alice)
    enroll(real_cast.alice, account, people=(real_cast.maya,))
    charge = announced()
    account.mandates.update(status="revoked", ended_at=timezone.now())
    charged(charge.charge_on)
    assert (charges(), stands(charge)) == ([], ("failed", "method_unusable"))


def test_without_valkey_the_run_goes_on_at_its_own_pace(charge: AutopayCharge, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAULTS E04: it falls back to less than its share, never to more."""
    monkeypatch.setattr(pace, "_ask", lambda script, *arguments: None)
    assert charged(in_days(20)).done == 1
    turns = [pace._turn(0.1) for _call in range(5)]
    assert turns[-1] >= 4 * 0.1 * pace.SHARE * 0.9
