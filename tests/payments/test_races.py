"""Payments racing each other: threads with connections of their own, real commits, the provider over HTTP."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from accounts.visibility import scope_of
from bills import issuing
from bills.models import Bill
from ledger.models import Account, Transfer
from payments import checkout, gateway, moving, settlement, sweeping
from payments.models import Payment, PaymentAllocation
from payments.provider import InsideTransaction
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.payments.paying import balance, charges, drifting_accounts, make_bill, token, trial_balance, wait_for_a_lock
from tests.stripe_sandbox.conftest import Server

Draft = Callable[..., Payment]
CREATE = ("POST", "/v1/payment_intents")


def at_once(calls: list[Callable[[], object]]) -> list[object]:
    """Run the calls in threads that start together; what each returned or raised."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        try:
            gate.wait()
            return call()
        except Exception as error:  # the test looks at what was raised
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def test_the_same_form_posted_ten_times_at_once_charges_once(provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS A01, I11: one attempt, one call, one charge, all answers the same payment."""
    payment = draft(5_000)
    answers = at_once([lambda: checkout.confirm(Payment.objects.get(pk=payment.pk))] * 10)
    assert {type(answer) for answer in answers} == {Payment}
    calls = [call for call in provider.get("log")["data"] if (call["method"], call["path"]) == CREATE]
    assert len(calls) == len(charges()) == 1
    assert balance(bill) == 13_500


def test_the_same_client_key_makes_one_payment(real_cast: Cast, bill: Bill) -> None:
    """FAULTS A01, A02: the same content returns the same payment; other content is refused."""
    scope, user = scope_of(real_cast.alice.user), real_cast.alice.user

    def begin(cents: int) -> Payment:
        return checkout.begin(scope, payer=user, amounts={bill.number: cents}, client_key="k1")

    answers = at_once([lambda: begin(5_000)] * 8)
    assert len({answer.pk for answer in answers if isinstance(answer, Payment)}) == 1
    assert all(isinstance(answer, Payment) for answer in answers)
    with pytest.raises(checkout.ClientKeyReused):
        begin(6_000)
    assert Payment.objects.count() == 1


def test_two_tabs_that_pay_the_whole_bill_charge_it_once(draft: Draft, bill: Bill) -> None:
    """FAULTS A03: the second is told that it is paid or being paid."""
    drafts = [draft(18_500), draft(18_500)]
    answers = at_once([lambda d=d: checkout.confirm(d) for d in drafts])
    assert sorted(type(answer).__name__ for answer in answers) == ["AmountExceedsPayable", "Payment"]
    assert len(charges()) == 1
    assert balance(bill) == 0


def test_fifty_payers_of_one_bill_pay_it_once(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    """FAULTS A04, A05: member, spouse, autopay and staff at once; exactly one success, 49 clean refusals."""
    channels = [Payment.Channel.WEB, Payment.Channel.AUTOPAY, Payment.Channel.STAFF, Payment.Channel.PLAN]
    drafts = [draft(18_500, channel=channels[number % 4]) for number in range(50)]
    answers = at_once([lambda d=d: checkout.confirm(d) for d in drafts])
    refused = [answer for answer in answers if isinstance(answer, checkout.AmountExceedsPayable)]
    assert len(refused) == 49
    assert len(charges()) == 1
    assert balance(bill) == 0
    assert PaymentAllocation.objects.filter(payment__status="succeeded").count() == 1
    assert drifting_accounts() == [] and trial_balance() == 0


def test_without_the_lock_the_same_race_charges_twice(
    draft: Draft, bill: Bill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race is real: with the check of what is payable taken away, the two tabs both charge."""
    monkeypatch.setattr(checkout, "_refuse_excess", lambda *args, **kwargs: None)
    drafts = [draft(18_500), draft(18_500)]
    at_once([lambda d=d: checkout.confirm(d) for d in drafts])
    assert len(charges()) == 2
    assert balance(bill) == 0


def test_part_payments_race_down_to_the_last_cent(draft: Draft, bill: Bill) -> None:
    """FAULTS A11: the open amount ends at 0.00 and is never negative."""
    drafts = [draft(3_700) for _ in range(8)]
    answers = at_once([lambda d=d: checkout.confirm(d) for d in drafts])
    assert sum(isinstance(answer, Payment) for answer in answers) == 5
    assert balance(bill) == 0
    assert sum(charge.amount for charge in charges()) == 18_500


def test_success_after_the_bill_was_voided_is_kept_as_credit(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS A10: booked as household credit, work item raised, never dropped."""
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")
    payment = checkout.confirm(draft(5_000))
    issuing.void(bill, on=bill.issued_on, reason="issued in error", actor="user:0")
    settled = sweeping.resolve(payment)
    assert settled.status == "succeeded"
    real_cast.household.credit.refresh_from_db()
    assert real_cast.household.credit.balance_cents == -5_000
    assert balance(bill) == 0


@pytest.mark.parametrize("seed", range(6))
def test_whoever_hears_first_the_end_is_the_same(seed: int, provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS A09, A16: return page, webhook, sweeper and reply at once, in every order."""
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")
    payment = checkout.confirm(draft(5_000))
    intent = gateway.find_intent(
        payment_number=payment.number,
        customer_id=payment.payer.stripe_customer.stripe_id,
        since=payment.created_at,
    )
    assert intent is not None
    callers: list[Callable[[], object]] = [
        lambda: settlement.apply(payment.pk, intent),
        lambda: sweeping.resolve(moving.current(payment.pk)),
        lambda: sweeping.adopt(payment, intent.id),
        lambda: checkout.send(moving.current(payment.pk)),
    ]
    answers = at_once((callers[seed % 4 :] + callers[: seed % 4]) * 4)
    assert {answer.status for answer in answers if isinstance(answer, Payment)} == {"succeeded"}
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert Transfer.objects.filter(key__startswith="payment:").count() == 1
    assert balance(bill) == 13_500
    assert len(charges()) == 1


def test_the_provider_is_never_called_inside_a_transaction(real_cast: Cast, provider: Server) -> None:
    """FAULTS A17: a call would hold its locks for as long as the provider likes."""
    with transaction.atomic(), pytest.raises(InsideTransaction):
        gateway.create_customer(user_id=real_cast.alice.user.pk, key="inside")
    assert not connection.in_atomic_block


def test_a_move_that_the_table_does_not_have_is_refused(draft: Draft) -> None:
    """M9: in code and, past the code, by the database."""
    payment = draft()
    with pytest.raises(moving.MoveNotAllowed):
        moving.move(payment.pk, PaymentStatus.REFUNDED, actor="test")
    from django.db import DatabaseError

    with pytest.raises(DatabaseError), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(status="refunded")
    assert Payment.objects.get(pk=payment.pk).status == "draft"


def test_other_members_bills_do_not_wait_for_each_other(real_cast: Cast, provider: Server) -> None:
    """Two households that pay at once both succeed."""
    drafts = []
    for member in (real_cast.alice, real_cast.charlie):
        bill = make_bill(member, 10_000)
        payment = checkout.begin(scope_of(member.user), payer=member.user, amounts={bill.number: 10_000})
        drafts.append(checkout.choose(payment, confirmation_token=token("pm_card_visa")))
    answers = at_once([lambda d=d: checkout.confirm(d) for d in drafts])
    assert [answer.status for answer in answers] == ["succeeded", "succeeded"]


def test_a_success_does_not_hold_its_bill_while_it_waits_for_the_control(draft: Draft, bill: Bill) -> None:
    """FAULTS A20: an import holds the control and is about to correct the bill: without one order, a deadlock."""
    payment = draft(5_000)
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            Account.objects.select_for_update().get(pk=bill.member.medical_control_id)
            paid = threads.submit(at_once, [lambda: checkout.confirm(payment)])
            wait_for_a_lock()
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
            issuing.correct(bill, by_cents=1_500, key="c", on=bill.issued_on, reason="claim corrected")
        [answer] = paid.result()
    assert isinstance(answer, Payment) and answer.status == "succeeded"
    assert balance(bill) == 15_000
