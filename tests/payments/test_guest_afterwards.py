"""What follows a guest's payment: who is told, what is found again, refunded, returned, cleared."""

import datetime as dt
import json
import threading

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from bills.models import Bill
from ledger.models import Account
from notifications.models import Notification
from notifications.notices import make
from payments import gateway, guest_limits, guests, refunds, sweeping, webhooks
from payments.models import GuestPayment, Payment, PaymentAllocation
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.payments.guest_pages import chosen, confirmed, drafted, named, paid
from tests.payments.pages import signed_in, text_of
from tests.payments.paying import balance, charges, make_bill, stripe_client, trial_balance, wait_for_a_lock
from tests.stripe_sandbox.conftest import Server

pytestmark = pytest.mark.usefixtures("provider")


def test_the_member_sees_that_a_guest_paid_and_nothing_of_the_guest(bill: Bill, real_cast: Cast) -> None:
    """On the bill, in the history and on the payment's page: the amount and that it was a guest."""
    payment = paid(bill, "50.00", email="uncle@example.org")
    alice = signed_in(real_cast.alice)
    for address in (f"/bills/{bill.number}/", "/payments/", f"/payments/{payment.number}/"):
        text = alice.get(address).content.decode()
        assert "guest" in text, address
        assert "50.00" in text, address
        for secret in ("4242", "Visa", "uncle", "10.0.0"):
            assert secret not in text, address
    assert "Paid by a guest" in text_of(alice.get(f"/bills/{bill.number}/"))


def test_what_a_guest_tried_in_vain_is_not_shown_to_the_member(bill: Bill, real_cast: Cast) -> None:
    client = named(bill)
    payment = drafted(client, "50.00")
    chosen(client, payment, "pm_card_chargeDeclined")
    confirmed(client, payment)
    alice = signed_in(real_cast.alice)
    assert payment.number not in alice.get("/payments/").content.decode()
    assert alice.get(f"/payments/{payment.number}/").status_code == 404


def test_the_bills_own_people_are_told_and_nobody_else(bill: Bill, real_cast: Cast) -> None:
    """L02: who is told of the bill; of a confidential member's bill that member alone."""
    paid(bill, "50.00")
    make()
    assert [notice.user for notice in Notification.objects.filter(kind="guest_paid")] == [real_cast.alice.user]
    Notification.objects.all().delete()
    real_cast.bob.confidential_since = timezone.now()
    real_cast.bob.save()
    paid(make_bill(real_cast.bob, 4_000))
    make()
    assert [notice.user for notice in Notification.objects.filter(kind="guest_paid")] == [real_cast.bob.user]


def test_a_lost_reply_of_a_guests_charge_is_found_again(bill: Bill, provider: Server) -> None:
    """B02: the sweeper finds it by the guest's own customer; one charge."""
    client = named(bill)
    payment = drafted(client, "50.00")
    chosen(client, payment)
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after", times=1)
    response = confirmed(client, payment)
    assert "We are confirming your payment" in text_of(client.get(response["Location"]))
    Payment.objects.filter(pk=payment.pk).update(
        asked_at=timezone.now() - dt.timedelta(hours=1), submitted_at=timezone.now() - dt.timedelta(minutes=5)
    )
    sweeping.run()
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED
    assert len(charges()) == 1
    assert balance(bill) == 13_500


def test_the_provider_is_told_nothing_that_names_a_person(bill: Bill, provider: Server) -> None:
    """B32: no name, mail address, bill number or birth date; no receipt_email; the customer is a bare number."""
    paid(bill, "50.00", email="uncle@example.org")
    sent = json.dumps(provider.get("log")["data"])
    assert "payment_intents" in sent
    for secret in ("Maya", "Rivera", "uncle", "receipt_email", bill.number, bill.household.number, "2015-11-02"):
        assert secret not in sent


def test_a_guests_drafts_are_cleared_after_a_day_and_nothing_else(bill: Bill, real_cast: Cast) -> None:
    """G14: what was sent stays, and so do a member's drafts."""
    kept = paid(bill, "50.00")
    client = named(bill)
    stale, fresh = drafted(client, "20.00"), drafted(client, "30.00")
    Payment.objects.filter(pk__in=[stale.pk, kept.pk]).update(created_at=timezone.now() - dt.timedelta(days=2))
    assert guests.clear() == 1
    assert set(Payment.objects.values_list("number", flat=True)) == {kept.number, fresh.number}
    assert GuestPayment.objects.count() == PaymentAllocation.objects.count() == 2


def test_webhooks_of_a_guests_payment_are_worked_off(bill: Bill, provider: Server) -> None:
    """C09: the payment is found by its number, payer or none."""
    client = named(bill)
    payment = drafted(client, "50.00")
    chosen(client, payment, "pm_usBankAccount_success")
    confirmed(client, payment)
    payment.refresh_from_db()
    provider.post("clock/advance", seconds=5 * 86_400)
    webhooks.catch_up()
    webhooks.work_off()
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED
    assert gateway.intent(payment.stripe_payment_intent_id or "").payment_number == payment.number
    assert balance(bill) == 13_500


def test_a_bank_that_takes_a_guests_debit_back_reopens_the_bill_and_its_people_are_told(
    bill: Bill, real_cast: Cast, provider: Server
) -> None:
    """D03: days after the success; no payer has to be there for it."""
    client = named(bill)
    payment = drafted(client, "50.00")
    chosen(client, payment, "pm_usBankAccount_success")
    confirmed(client, payment)
    provider.post("clock/advance", seconds=5 * 86_400)
    payment.refresh_from_db()
    sweeping.refresh(payment)
    assert balance(bill) == 13_500
    provider.post("bank_debits/return", payment_intent=payment.stripe_payment_intent_id, code="R01")
    webhooks.catch_up()
    webhooks.work_off()
    assert balance(bill) == 18_500
    make()
    notice = Notification.objects.get(kind="guest_payment_returned")
    assert notice.user == real_cast.alice.user
    assert trial_balance() == 0


def test_a_guests_payment_is_refunded_as_any(bill: Bill, real_cast: Cast) -> None:
    """To the method it came from; the guest's receipt stays what it was."""
    payment = paid(bill, "50.00")
    refunds.issue(payment, amount_cents=2_000, reason="Paid twice", requested_by=real_cast.dana)
    assert balance(bill) == 15_500
    assert stripe_client().v1.refunds.list({"limit": 5}).data[0].amount == 2_000


def test_two_tabs_that_send_one_form_at_once_make_one_payment(bill: Bill) -> None:
    """A01: the database decides, not the look before."""
    session = SessionStore()
    guests.admit(session, bill.pk)
    barrier = threading.Barrier(8)
    numbers: list[str] = []

    def send() -> None:
        try:
            barrier.wait()
            numbers.append(guests.begin(session, cents=5_000, form_key="one-form-one-payment").number)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 8
    assert len(set(numbers)) == Payment.objects.count() == 1


def test_a_banks_question_left_open_holds_the_bill_for_an_hour_at_most(bill: Bill) -> None:
    """G11, B17: nobody can lock a payer out for longer by beginning and not ending."""
    client = named(bill)
    payment = drafted(client)
    chosen(client, payment, "pm_card_threeDSecure2Required")
    confirmed(client, payment)
    now = timezone.now()
    payment.refresh_from_db()
    sweeping.resolve(payment, now=now + dt.timedelta(minutes=50))
    assert guests.seen(bill).payable_cents == 0
    sweeping.resolve(payment, now=now + dt.timedelta(minutes=61))
    assert guests.seen(bill).payable_cents == 18_500


def test_a_decline_after_another_bill_was_named_leads_to_no_payment_of_that_one(
    bill: Bill, real_cast: Cast, provider: Server
) -> None:
    """Two tabs: the bank refuses the first bill's payment when the second bill is the one that this session sees."""
    client = named(bill)
    payment = drafted(client, "50.00")
    chosen(client, payment, "pm_card_threeDSecure2Required")
    confirmed(client, payment)
    named(make_bill(real_cast.alice, 9_900), client)
    payment.refresh_from_db()
    provider.post("authenticate", intent=payment.stripe_payment_intent_id, outcome="fail")
    back = client.get(f"/guest-pay/{payment.number}/return/?payment_intent={payment.stripe_payment_intent_id}")
    assert back["Location"] == f"/guest-pay/{payment.number}/receipt/"
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.FAILED
    assert not Payment.objects.filter(status=PaymentStatus.DRAFT).exists()


def test_a_refused_try_uses_up_no_receipt_of_a_mailbox(bill: Bill, real_cast: Cast) -> None:
    """G16: else somebody's mailbox could be closed for a day without a single charge."""
    client = Client()
    for turn in range(3):  # the third is asked for a proof of work first
        client = named(make_bill(real_cast.maya, 5_000), client)
        payment = drafted(client)
        chosen(client, payment)
        response = confirmed(client, payment, email="uncle@example.org")
        assert response.status_code == (302 if turn < 2 else 422)
    assert [guest_limits.takes_receipt("uncle@example.org") for _turn in range(4)] == [True, True, True, False]


def test_a_bill_that_is_held_while_a_guest_presses_the_button_is_not_charged(bill: Bill) -> None:
    """F31: asked again in the transaction that submits."""
    client = named(bill)
    payment = drafted(client, "50.00")
    chosen(client, payment)
    answers = []

    def press() -> None:
        answers.append(confirmed(client, payment).status_code)
        connection.close()

    thread = threading.Thread(target=press)
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=bill.receivable_id)
        thread.start()
        wait_for_a_lock()
        Bill.objects.filter(pk=bill.pk).update(held_since=timezone.now())
    thread.join(30)
    payment.refresh_from_db()
    assert (answers, payment.status) == ([422], PaymentStatus.DRAFT)
    assert charges() == []
