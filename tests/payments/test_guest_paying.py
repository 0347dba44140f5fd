"""Paying somebody's bill without a sign-in, page by page, against the sandbox."""

import io
import json
import secrets
import threading
from urllib.parse import unquote

import pypdf
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Mail
from bills.models import Bill
from payments import guest_limits, guests, sweeping
from payments.models import Mandate, Payment
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.payments.guest_pages import chosen, confirmed, drafted, named, paid, post_amount
from tests.payments.pages import make_premium, text_of
from tests.payments.paying import balance, charges, make_bill, token, trial_balance
from tests.stripe_sandbox.conftest import Server

pytestmark = pytest.mark.usefixtures("provider")


def test_a_guest_pays_a_part_and_has_a_receipt_that_discloses_nothing(bill: Bill) -> None:
    """G03, G07: the page and the PDF name the bill and the money, and nothing of the person or the service."""
    client = named(bill)
    payment = drafted(client, "50.00")
    chosen(client, payment)
    response = confirmed(client, payment)
    assert response["Location"] == f"/guest-pay/{payment.number}/receipt/"
    page = client.get(response["Location"])
    assert "Your payment was received" in text_of(page)
    assert balance(bill) == 13_500
    pdf = client.get(f"/guest-pay/{payment.number}/pdf/")
    told = "".join(part.extract_text() for part in pypdf.PdfReader(io.BytesIO(pdf.content)).pages)
    for text in (text_of(page), told):
        assert "$50.00" in text
        assert bill.number in text
        assert "4242" in text
        for secret in ("Maya", "Rivera", "Oakridge", "Outpatient", "Medical", bill.household.number, "M-MAYA"):
            assert secret not in text


def test_what_a_guest_sees_of_a_bill_is_number_initial_amount_and_due_date(bill: Bill) -> None:
    """G03: also in the source of the page."""
    page = named(bill).get("/guest-pay/bill/").content.decode()
    assert all(part in page for part in (bill.number, "<dd>M.</dd>", "$185.00", "December 1, 2026"))
    for secret in ("Maya", "Rivera", "Oakridge", "Outpatient", "edical", "remium", bill.household.number, "2015"):
        assert secret not in page.partition("<main")[2]


def test_a_premium_is_paid_as_a_bill_is(real_cast: Cast) -> None:
    premium = make_premium(real_cast)
    payment = paid(premium)
    assert (payment.status, payment.kind, payment.amount_cents) == ("succeeded", "premium", 53_076)
    assert balance(premium) == 0


def test_a_bank_account_pays_with_its_mandate(bill: Bill, provider: Server) -> None:
    """D01, D28: "check" in guest pay. The words are shown, kept without a user, and stand on the receipt."""
    client = named(bill)
    payment = drafted(client, "50.00")
    chosen(client, payment, "pm_usBankAccount_success")
    review = client.get(f"/guest-pay/{payment.number}/review/")
    assert "you authorize" in text_of(review)
    confirmed(client, payment)
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.PROCESSING
    mandate = Mandate.objects.get(payment=payment)
    assert mandate.user_id is None
    receipt = text_of(client.get(f"/guest-pay/{payment.number}/receipt/"))
    assert "you authorize" in receipt
    assert "on its way" in receipt
    assert "$135.00" in text_of(client.get("/guest-pay/bill/"))


def test_the_bank_asks_a_guest_and_the_guest_comes_back(bill: Bill, provider: Server) -> None:
    """B16: 3-D Secure, and its return page, which is the guest's own."""
    client = named(bill)
    payment = drafted(client, "50.00")
    chosen(client, payment, "pm_card_threeDSecure2Required")
    response = confirmed(client, payment)
    assert response["Location"] == f"/guest-pay/{payment.number}/authenticate/"
    page = client.get(response["Location"])
    assert f"/guest-pay/{payment.number}/return/" in page.content.decode()
    payment.refresh_from_db()
    assert f"/guest-pay/{payment.number}/return/" in unquote(json.dumps(provider.get("log")["data"]))
    foreign = client.get(f"/guest-pay/{payment.number}/return/?payment_intent=pi_other")
    assert foreign.status_code == 404
    provider.post("authenticate", intent=payment.stripe_payment_intent_id, outcome="complete")
    back = client.get(f"/guest-pay/{payment.number}/return/?payment_intent={payment.stripe_payment_intent_id}")
    assert back["Location"] == f"/guest-pay/{payment.number}/receipt/"
    assert balance(bill) == 13_500


def test_a_guest_gives_up_at_the_banks_question(bill: Bill) -> None:
    client = named(bill)
    payment = drafted(client, "50.00")
    chosen(client, payment, "pm_card_threeDSecure2Required")
    confirmed(client, payment)
    client.post(f"/guest-pay/{payment.number}/authenticate/")
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.CANCELED
    assert "$185.00" in text_of(client.get("/guest-pay/bill/"))


def test_after_a_decline_the_same_amount_can_be_paid_another_way(bill: Bill) -> None:
    """G12: the words are the same for a wrong number, code or ZIP."""
    client = named(bill)
    payment = drafted(client, "50.00")
    chosen(client, payment, "pm_card_chargeDeclinedIncorrectCvc")
    response = confirmed(client, payment)
    page = client.get(response["Location"])
    assert "Check the number, the expiration date and the code" in text_of(page)
    again = Payment.objects.get(status=PaymentStatus.DRAFT)
    chosen(client, again)
    confirmed(client, again)
    assert balance(bill) == 13_500
    assert len(charges()) == 1


def test_relatives_who_pay_at_once_cannot_overpay(bill: Bill) -> None:
    """A04, A11: ten guests at one moment, each wanting a third: three get through, and the cents stay right."""
    drafts = []
    for _number in range(10):
        client = Client(REMOTE_ADDR=f"10.1.{_number}.1")
        guests.admit(session := client.session, bill.pk)
        session.save()
        payment = guests.begin(session, cents=6_000, form_key=secrets.token_urlsafe(18))
        drafts.append(guests.checkout.choose(payment, confirmation_token=token("pm_card_visa")))
    barrier = threading.Barrier(len(drafts))
    outcomes: list[str] = []

    def pay(payment: Payment) -> None:
        try:
            barrier.wait()
            outcomes.append(guests.checkout.confirm(payment).status)
        except guests.checkout.CheckoutError as refusal:
            outcomes.append(type(refusal).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=pay, args=[payment]) for payment in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["AmountExceedsPayable"] * 7 + ["succeeded"] * 3
    assert balance(bill) == 500
    assert sum(charge.amount for charge in charges()) == 18_000
    assert trial_balance() == 0


def test_a_form_sent_twice_is_one_payment(bill: Bill) -> None:
    """A01, A02, I11: double click, reload and two tabs of one form; and another amount under its key is refused."""
    client = named(bill)
    key = secrets.token_urlsafe(18)
    assert drafted(client, "50.00", form_key=key) == drafted(client, "50.00", form_key=key)
    other = post_amount(client, "60.00", form_key=key)
    assert other.status_code == 422
    assert "already used" in text_of(other)
    payment = Payment.objects.get()
    chosen(client, payment)
    first, second = confirmed(client, payment), confirmed(client, payment)
    assert first["Location"] == second["Location"]
    assert len(charges()) == 1


@pytest.mark.parametrize("amount", ["0", "-5", "+5", "1e3", "NaN", "4.99", "185.01", "12.345", "１２", "0x10", ".5"])
def test_an_amount_beyond_the_bounds_is_refused(bill: Bill, amount: str) -> None:
    """G15, I01 to I04, I07, I08: below the least a guest pays, above what is owed, or no amount."""
    response = post_amount(named(bill), amount)
    assert response.status_code == 422
    assert not Payment.objects.exists()


def test_a_small_rest_is_paid_whole(real_cast: Cast, settings: Settings) -> None:
    """The least a guest pays is no more than what is left."""
    small = make_bill(real_cast.maya, 300)
    assert drafted(named(small)).amount_cents == 300
    assert post_amount(named(small), "2.00").status_code == 422


def test_a_held_bill_cannot_be_paid_and_a_void_one_is_not_found(bill: Bill) -> None:
    client = named(bill)
    payment = drafted(client, "50.00")
    chosen(client, payment)
    Bill.objects.filter(pk=bill.pk).update(held_since=timezone.now())
    page = text_of(client.get("/guest-pay/bill/"))
    assert "cannot be paid right now" in page
    refused = confirmed(client, payment)
    assert refused.status_code == 422
    assert "can no longer be paid" in text_of(refused)
    Bill.objects.filter(pk=bill.pk).update(held_since=None, voided_at=timezone.now())
    assert client.get("/guest-pay/bill/")["Location"] == "/guest-pay/"
    assert confirmed(client, payment).status_code == 404
    assert not charges()


def test_a_paid_bill_says_so_to_who_knows_its_facts(bill: Bill) -> None:
    paid(bill)
    assert "Nothing left to pay" in text_of(named(bill).get("/guest-pay/bill/"))


def test_the_receipt_goes_to_the_address_that_the_guest_gives_once(bill: Bill) -> None:
    """G16: amount, date, last four digits and bill number; nothing of the person or the service."""
    payment = paid(bill, "50.00", email="uncle@example.org")
    sweeping.refresh(payment)
    mail = Mail.objects.get()
    assert mail.address == "uncle@example.org"
    for text in (mail.subject, mail.text, mail.html):
        for secret in ("Maya", "Rivera", "Oakridge", "Outpatient", "Medical", bill.household.number):
            assert secret not in text
    assert all(part in mail.text for part in ("$50.00", "4242", bill.number, payment.number))


def test_no_more_than_five_receipts_a_day_go_to_one_mailbox(bill: Bill) -> None:
    """G16: whoever's address it is, it cannot be filled; spelling it otherwise is the same address."""
    tries = [guest_limits.takes_receipt(f"u.n.c.l.e+{number}@example.org") for number in range(8)]
    assert tries == [True] * 5 + [False] * 3
