"""The three steps of paying, through their forms."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from pytest_django import Settings

from bills.models import Bill
from payments import declines
from payments.models import Payment, PaymentMethod
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.payments.pages import amounts, chosen, confirmed, drafted, make_premium, signed_in, text_of
from tests.payments.paying import balance, charges, make_bill, trial_balance
from tests.stripe_sandbox.conftest import Server


@pytest.fixture
def bill(real_cast: Cast, provider: Server, settings: Settings) -> Bill:
    """A medical bill of Maya's over $185.00, and patience with a provider that shares its machine with other tests."""
    settings.STRIPE_TIMEOUT_SECONDS = 8.0
    return make_bill(real_cast.maya, 18_500)


def test_alice_pays_a_part_of_mayas_bill_in_three_steps(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """The main job: the balance falls by what was paid, and the receipt says so."""
    alice = signed_in(real_cast.alice)
    first = alice.get(f"/pay/?bill={bill.number}")
    assert "185.00" in first.content.decode()
    payment = drafted(alice, {bill: "50.00"})
    second = alice.get(f"/pay/{payment.number}/method/")
    assert "How would you like to pay?" in text_of(second)
    assert chosen(alice, payment)["Location"] == f"/pay/{payment.number}/review/"
    third = text_of(alice.get(f"/pay/{payment.number}/review/"))
    assert "Visa ending in 4242" in third
    assert "Pay $50.00 now" in third
    assert confirmed(alice, payment)["Location"] == f"/payments/{payment.number}/"
    receipt = text_of(alice.get(f"/payments/{payment.number}/"))
    assert "Your payment was received" in receipt
    assert "$50.00" in receipt
    assert balance(bill) == 13_500
    assert trial_balance() == 0


@pytest.mark.parametrize(
    "typed",
    ["0", "0.00", "-0", "-5", "+5", "NaN", "sNaN", "Infinity", "1e5", "1E-2", "0x10", "12.345", "12.3", ".5", "5.",
     "1.000,00", "１２.００", "١٢", "1_000", "12\u00a0", "\u200b12", "\u200f12", "12\u200e", "$12.00", "", " ",
     "99999999", "10,00", "1 2", "9" * 20],
)  # fmt: skip
def test_it_refuses_what_is_no_amount_and_keeps_what_was_typed(cast: Cast, typed: str) -> None:
    """I01, I02, I03, I04: nothing is rounded or guessed, and no draft is made."""
    bill = make_bill(cast.maya, 18_500)
    response = amounts(signed_in(cast.alice), {bill: typed})
    assert response.status_code == 422
    shown = text_of(response)
    assert bill.number in shown
    assert "write the amount in dollars and cents" in shown or "write an amount above 0" in shown
    kept = re.search(rf'name="amount-{bill.number}" value="([^"]*)"', response.content.decode())
    assert kept is not None and kept[1] == typed
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("typed", "cents"), [("50", 5_000), ("50.00", 5_000), ("1,850.00", 185_000), (" 50.00 ", 5_000)]
)
def test_it_takes_the_stated_forms(cast: Cast, typed: str, cents: int) -> None:
    """I03: dollars, dollars and cents, thousands with commas; a space that a phone's keyboard adds."""
    bill = make_bill(cast.maya, 185_000)
    assert drafted(signed_in(cast.alice), {bill: typed}).amount_cents == cents


def test_it_refuses_more_than_is_owed(cast: Cast) -> None:
    """I07: it names the most that can be paid."""
    bill = make_bill(cast.maya, 18_500)
    response = amounts(signed_in(cast.alice), {bill: "185.01"})
    assert response.status_code == 422
    assert "at most $185.00 can be paid. Write a smaller amount." in text_of(response)
    assert 'aria-invalid="true"' in response.content.decode()


def test_it_refuses_less_than_the_provider_takes(cast: Cast) -> None:
    """I08: before any call."""
    bill = make_bill(cast.maya, 18_500)
    response = amounts(signed_in(cast.alice), {bill: "0.49"})
    assert "The least you can pay is $0.50." in text_of(response)
    assert not Payment.objects.exists()


def test_only_the_checked_bills_are_paid_and_amounts_of_others_are_not_looked_at(cast: Cast) -> None:
    """A bill that is unchecked is left out, whatever stands beside it."""
    paid, left = make_bill(cast.maya, 18_500), make_bill(cast.alice, 9_900)
    data = {"group": f"medical-{cast.household.pk}", f"pay-{paid.number}": "on", f"amount-{paid.number}": "20.00"}
    signed_in(cast.alice).post("/pay/", data | {f"amount-{left.number}": "nonsense"})
    payment = Payment.objects.get()
    assert list(payment.allocations.values_list("bill_id", "amount_cents")) == [(paid.pk, 2_000)]


def test_the_amount_and_the_currency_come_from_the_draft_alone(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """B21: what the browser adds to the later steps changes nothing."""
    alice = signed_in(real_cast.alice)
    payment = drafted(alice, {bill: "50.00"})
    chosen(alice, payment, amount="1", amount_cents="1", currency="eur")
    alice.post(f"/pay/{payment.number}/review/", {"amount": "1", "amount_cents": "1", "currency": "eur"})
    assert [(charge.amount, charge.currency) for charge in charges()] == [(5_000, "usd")]


def test_medical_bills_and_premiums_have_a_button_each(cast: Cast) -> None:
    """One payment is one kind (RULES section 2)."""
    make_bill(cast.maya, 18_500)
    make_premium(cast)
    page = signed_in(cast.alice).get("/pay/").content.decode()
    assert page.count("data-amounts") == 2
    assert page.count("Continue to payment method") == 2


def test_confirming_twice_at_once_charges_once(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """A01, I11: a double click and Enter beside it."""
    alice = signed_in(real_cast.alice)
    payment = drafted(alice, {bill: "50.00"})
    chosen(alice, payment)

    def press(_number: int) -> str:
        try:
            browser = signed_in(real_cast.alice)
            return browser.post(f"/pay/{payment.number}/review/")["Location"]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(press, range(4)))
    assert answers == {f"/payments/{payment.number}/"}
    assert len(charges()) == 1
    assert balance(bill) == 13_500


def test_every_step_leads_to_the_receipt_after_success(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """A08: the back button, and the form sent again."""
    alice = signed_in(real_cast.alice)
    payment = drafted(alice, {bill: "50.00"})
    chosen(alice, payment)
    confirmed(alice, payment)
    for step in ("method", "review", "authenticate"):
        for ask in (alice.get, alice.post):
            assert ask(f"/pay/{payment.number}/{step}/")["Location"] == f"/payments/{payment.number}/"
    assert len(charges()) == 1


def test_steps_cannot_be_skipped(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """I20: no review without a method, no answer of the bank without a payment."""
    alice = signed_in(real_cast.alice)
    payment = drafted(alice, {bill: "50.00"})
    assert confirmed(alice, payment)["Location"] == f"/pay/{payment.number}/method/"
    assert alice.get(f"/pay/{payment.number}/authenticate/")["Location"] == f"/pay/{payment.number}/method/"
    assert alice.get(f"/payments/{payment.number}/return/")["Location"] == f"/pay/{payment.number}/method/"
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.DRAFT
    assert charges() == []


def test_a_second_tab_is_told_that_the_bill_is_being_paid(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """A03: two drafts of the whole bill; the second stays a draft."""
    alice = signed_in(real_cast.alice)
    first, second = drafted(alice, {bill: "185.00"}), drafted(alice, {bill: "185.00"})
    chosen(alice, first)
    chosen(alice, second)
    confirmed(alice, first)
    refused = confirmed(alice, second)
    assert refused.status_code == 422
    assert "is paid already, or a payment of it is on its way" in text_of(refused)
    assert len(charges()) == 1


def test_a_decline_leads_to_the_method_step_of_the_same_amounts(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """B12: the reason in plain words, and a way on that works."""
    alice = signed_in(real_cast.alice)
    payment = drafted(alice, {bill: "50.00"})
    chosen(alice, payment, "pm_card_visa_chargeDeclinedInsufficientFunds")
    address = confirmed(alice, payment)["Location"]
    page = text_of(alice.get(address))
    assert str(declines.text_of("insufficient_funds")) in page
    assert "You have not been charged" in page
    again = Payment.objects.exclude(pk=payment.pk).get()
    assert again.number in address
    assert again.amount_cents == 5_000
    assert confirmed(alice, payment)["Location"] == f"/payments/{payment.number}/"
    chosen(alice, again)
    confirmed(alice, again)
    assert balance(bill) == 13_500


def test_a_bank_that_asks_is_answered_and_the_payment_posts(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """3-D Secure: the secret stands in the page and in no address; 20 parallel reloads are harmless (A09)."""
    alice = signed_in(real_cast.alice)
    payment = drafted(alice, {bill: "50.00"})
    chosen(alice, payment, "pm_card_authenticationRequired")
    address = confirmed(alice, payment)["Location"]
    assert address == f"/pay/{payment.number}/authenticate/"
    page = alice.get(address)
    payment.refresh_from_db()
    assert f'data-secret="{payment.stripe_payment_intent_id}_secret_' in page.content.decode()
    assert "secret" not in address
    provider.post("authenticate", intent=payment.stripe_payment_intent_id, outcome="complete")

    def come_back(_number: int) -> str:
        try:
            return signed_in(real_cast.alice).get(f"/payments/{payment.number}/return/")["Location"]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(come_back, range(20))) == {f"/payments/{payment.number}/"}
    assert balance(bill) == 13_500
    assert trial_balance() == 0


def test_a_bank_that_says_no_leads_to_another_method(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """B16: not charged, and the same draft however often the return page is loaded."""
    alice = signed_in(real_cast.alice)
    payment = drafted(alice, {bill: "50.00"})
    chosen(alice, payment, "pm_card_authenticationRequired")
    confirmed(alice, payment)
    payment.refresh_from_db()
    provider.post("authenticate", intent=payment.stripe_payment_intent_id, outcome="fail")
    addresses = {alice.get(f"/payments/{payment.number}/return/")["Location"] for _ in range(3)}
    assert len(addresses) == 1
    assert "could not confirm that it was you" in text_of(alice.get(addresses.pop()))
    assert Payment.objects.count() == 2


def test_a_payment_that_waits_for_the_bank_can_be_canceled(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """B16: the bill can be paid again at once."""
    alice = signed_in(real_cast.alice)
    payment = drafted(alice, {bill: "185.00"})
    chosen(alice, payment, "pm_card_authenticationRequired")
    confirmed(alice, payment)
    assert amounts(alice, {bill: "185.00"}).status_code == 422
    alice.post(f"/pay/{payment.number}/authenticate/")
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.CANCELED
    assert "Pay again" in text_of(alice.get(f"/payments/{payment.number}/"))
    assert amounts(alice, {bill: "185.00"}).status_code == 302


def test_an_intent_of_another_payment_is_refused_on_return(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """B22: the intent is bound to the payment and its owner."""
    alice, charlie = signed_in(real_cast.alice), signed_in(real_cast.charlie)
    payment = drafted(alice, {bill: "50.00"})
    chosen(alice, payment)
    confirmed(alice, payment)
    payment.refresh_from_db()
    others = make_bill(real_cast.charlie, 5_000)
    his = drafted(charlie, {others: "50.00"})
    chosen(charlie, his, "pm_card_authenticationRequired")
    confirmed(charlie, his)
    stolen = payment.stripe_payment_intent_id
    assert charlie.get(f"/payments/{his.number}/return/?payment_intent={stolen}").status_code == 404
    assert charlie.get(f"/payments/{payment.number}/return/").status_code == 404
    assert balance(others) == 5_000


def test_a_lost_reply_reads_as_being_confirmed_and_locks_the_bill(
    real_cast: Cast, provider: Server, bill: Bill
) -> None:
    """B02, B03: never "failed", and the same bill cannot be paid meanwhile."""
    alice = signed_in(real_cast.alice)
    payment = drafted(alice, {bill: "185.00"})
    chosen(alice, payment)
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after", times=1)
    address = confirmed(alice, payment)["Location"]
    page = alice.get(address)
    assert "We are confirming your payment" in text_of(page)
    assert "failed" not in text_of(page).lower()
    assert f'hx-get="/payments/{payment.number}/status/"' in page.content.decode()
    assert "Paid, or a payment is on its way" in text_of(alice.get(f"/pay/?bill={bill.number}"))
    assert amounts(alice, {bill: "185.00"}).status_code == 422
    alice.get(f"/payments/{payment.number}/return/")
    settled = alice.get(f"/payments/{payment.number}/status/")
    assert settled["HX-Refresh"] == "true"
    assert "Your payment was received" in settled.content.decode()
    assert balance(bill) == 0
    assert len(charges()) == 1


def test_a_card_is_kept_only_with_consent_and_is_used_again(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """Saved cards with consent: the words agreed to are recorded, the card is offered, and one click pays."""
    alice = signed_in(real_cast.alice)
    chosen(alice, first := drafted(alice, {bill: "50.00"}))
    confirmed(alice, first)
    assert not PaymentMethod.objects.exists()
    chosen(alice, second := drafted(alice, {bill: "50.00"}), saves_method="1")
    confirmed(alice, second)
    kept = PaymentMethod.objects.get()
    assert (kept.user_id, kept.last4, kept.consent_version) == (real_cast.alice.user_id, "4242", "2026-11")
    third = drafted(alice, {bill: "50.00"})
    assert "Visa ending in 4242" in text_of(alice.get(f"/pay/{third.number}/method/"))
    alice.post(f"/pay/{third.number}/method/", {"method": str(kept.pk)})
    confirmed(alice, third)
    assert balance(bill) == 3_500


def test_a_saved_card_of_another_is_not_offered_and_not_taken(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """F11: Bob cannot choose Alice's card by its id."""
    alice, bob = signed_in(real_cast.alice), signed_in(real_cast.bob)
    chosen(alice, first := drafted(alice, {bill: "50.00"}), saves_method="1")
    confirmed(alice, first)
    kept = PaymentMethod.objects.get()
    own = drafted(bob, {make_bill(real_cast.bob, 5_000): "50.00"})
    assert "4242" not in text_of(bob.get(f"/pay/{own.number}/method/"))
    refused = bob.post(f"/pay/{own.number}/method/", {"method": str(kept.pk)})
    assert refused.status_code == 422
    assert "Choose one of the ways to pay" in text_of(refused)


def test_a_provider_that_is_down_is_told_and_nothing_is_lost(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """B01, B20: the method step and the review say it in words; the draft stays."""
    alice = signed_in(real_cast.alice)
    payment = drafted(alice, {bill: "50.00"})
    provider.post("faults", match={"path": "/v1/confirmation_tokens"}, effect="status_500_before", times=5)
    refused = alice.post(f"/pay/{payment.number}/method/", {"method": "new", "confirmation_token": "ctoken_1abc"})
    assert refused.status_code == 422
    assert "We could not take this payment right now" in text_of(refused)
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.DRAFT
