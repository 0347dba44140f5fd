"""Answers that come together are settled together: as each by itself, and none held up by another."""

import dataclasses

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activity.models import Event, WorkItem
from bills import issuing
from bills.models import Bill
from ledger.models import Transfer
from payments import gateway, settlement_batches
from payments.autopay import announcing, planning, submitting
from payments.models import AutopayCharge, AutopayEnrollment, Payment, PaymentAllocation
from payments.provider import Intent
from tests.conftest import Cast
from tests.factories import make_bill
from tests.payments.autopay.scene import in_days
from tests.payments.paying import balance, drifting_accounts, trial_balance
from tests.payments.test_races import at_once

CENTS = 4_200


@pytest.fixture
def bills(real_cast: Cast, enrollment: AutopayEnrollment) -> list[Bill]:
    """Three bills of Maya's that autopay pays."""
    return [make_bill(real_cast.maya, due_on=in_days(20), amount_cents=CENTS) for _ in range(3)]


def answered(bills: list[Bill]) -> list[tuple[int, Intent]]:
    """Their payments, committed, sent and answered, and nothing written of the answers."""
    announcing.run()
    planning.run(today=in_days(20))
    batch = submitting.submit(limit=len(bills), today=in_days(20))
    assert len(batch.submitted) == len(bills)
    return [(each.payment_id, gateway.charge(each.request)) for each in batch.submitted]


def states() -> list[tuple[str, str]]:
    """Of every payment its state and that of its charge."""
    return list(Payment.objects.order_by("pk").values_list("status", "autopay_charge__status"))


def posted() -> list[int]:
    """What was posted of the payments, US cents."""
    return sorted(Transfer.objects.filter(key__startswith="payment:").values_list("amount_cents", flat=True))


def test_status_charge_event_and_transfer_are_those_of_one_settled_by_itself(bills: list[Bill]) -> None:
    answers = answered(bills)
    assert settlement_batches.apply_many(answers) == ["succeeded"] * 3
    assert states() == [("succeeded", "done")] * 3
    assert [balance(bill) for bill in bills] == [0, 0, 0] and posted() == [CENTS] * 3
    assert drifting_accounts() == [] and trial_balance() == 0
    for payment_id, intent in answers:
        payment = Payment.objects.get(pk=payment_id)
        assert (payment.stripe_payment_intent_id, payment.stripe_charge_id) == (intent.id, intent.charge_id)
        assert (payment.method_kind, payment.method_last4) == ("card", "4242")
        assert payment.settled_at is not None and payment.failure_code == ""
        told = Event.objects.get(subject=f"payment:{payment.number}", kind="payment.succeeded")
        assert (told.from_status, told.to_status, told.actor) == ("submitted", "succeeded", "stripe")
        assert told.owner_id == payment.household_id and told.data == {"payment_id": payment_id, "code": ""}


def test_many_take_no_more_statements_than_a_few(bills: list[Bill], real_cast: Cast) -> None:
    counts = []
    for more in ([], [make_bill(real_cast.maya, due_on=in_days(20), amount_cents=CENTS) for _ in range(9)]):
        answers = answered(more or bills)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            settlement_batches.apply_many(answers)
        counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "change", [{"amount_cents": 99}, {"received_cents": 99}, {"payment_number": "another"}, {"status": "unheard of"}]
)
def test_an_answer_that_does_not_fit_is_work_and_holds_up_no_other(
    bills: list[Bill], change: dict[str, object]
) -> None:
    answers = answered(bills)
    answers[1] = (answers[1][0], dataclasses.replace(answers[1][1], **change))
    assert settlement_batches.apply_many(answers) == ["succeeded", "submitted", "succeeded"]
    assert states() == [("succeeded", "done"), ("submitted", "sent"), ("succeeded", "done")]
    assert WorkItem.objects.get().kind == "payment_conflict" and posted() == [CENTS] * 2


def test_what_a_bill_no_longer_owes_becomes_credit(bills: list[Bill]) -> None:
    """FAULTS A10."""
    answers = answered(bills)
    issuing.correct(bills[1], by_cents=-1_000, key="down", on=in_days(0), reason="corrected")
    assert settlement_batches.apply_many(answers) == ["succeeded"] * 3
    assert posted() == [1_000, CENTS - 1_000, CENTS, CENTS]
    assert [balance(bill) for bill in bills] == [0, 0, 0]
    assert WorkItem.objects.get().kind == "unexpected_money" and drifting_accounts() == []


def test_two_payments_of_one_bill_take_from_one_balance(bills: list[Bill]) -> None:
    answers = answered(bills)
    PaymentAllocation.objects.filter(payment_id=answers[1][0]).update(bill=bills[0])
    assert settlement_batches.settle(dict(answers)) == {answers[0][0], answers[2][0]}
    assert settlement_batches.apply_many(answers) == ["succeeded"] * 3
    assert [balance(bill) for bill in bills] == [0, CENTS, 0]
    assert Event.objects.filter(kind="payment.overpaid").count() == 1 and drifting_accounts() == []


def test_an_answer_that_was_heard_before_changes_nothing(bills: list[Bill]) -> None:
    answers = answered(bills)
    results = at_once([lambda: settlement_batches.apply_many(answers)] * 3)
    assert results == [["succeeded"] * 3] * 3
    assert settlement_batches.apply_many(answers) == ["succeeded"] * 3
    assert posted() == [CENTS] * 3 and Event.objects.filter(kind="payment.succeeded").count() == 3


def test_where_one_is_not_as_expected_none_is_half_settled(bills: list[Bill]) -> None:
    """A charge that was called failed meanwhile: the batch takes all back, and each is settled by itself."""
    answers = answered(bills)
    AutopayCharge.objects.filter(payment_id=answers[2][0]).update(status="failed", code="card_declined")
    with pytest.raises(settlement_batches.LostRace):
        settlement_batches.settle(dict(answers))
    assert {status for status, _charge in states()} == {"submitted"} and posted() == []
    assert settlement_batches.apply_many(answers) == ["succeeded"] * 3
    assert states() == [("succeeded", "done")] * 3 and posted() == [CENTS] * 3
