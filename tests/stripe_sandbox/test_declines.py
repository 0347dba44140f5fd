"""Declines: each test card with the code Stripe documents, and any other code by the sandbox's own ids."""

import pytest
import stripe

from .conftest import Server, pay

CARDS = [
    ("4000000000000002", "card_declined", "generic_decline"),
    ("4000000000009995", "card_declined", "insufficient_funds"),
    ("4000000000009987", "card_declined", "lost_card"),
    ("4000000000009979", "card_declined", "stolen_card"),
    ("4000000000000069", "expired_card", "expired_card"),
    ("4000000000000127", "incorrect_cvc", "incorrect_cvc"),
    ("4000000000000119", "processing_error", "processing_error"),
    ("4000000000006975", "card_declined", "card_velocity_exceeded"),
    ("4100000000000019", "card_declined", "fraudulent"),
]


@pytest.mark.parametrize(("number", "code", "decline_code"), CARDS)
def test_a_declining_card_answers_402_and_leaves_the_intent_open(
    client: stripe.StripeClient, number: str, code: str, decline_code: str
) -> None:
    """Serves B12: the code, the decline code, and an intent that takes another card."""
    data = {"type": "card", "card": {"number": number, "exp_month": 1, "exp_year": 2035, "cvc": "123"}}
    method = client.v1.payment_methods.create(data)  # type: ignore[arg-type]
    with pytest.raises(stripe.CardError) as refusal:
        pay(client, method.id)
    error = refusal.value.error
    assert (error.code, error.decline_code) == (code, decline_code)
    intent = client.v1.payment_intents.retrieve(error.payment_intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.payment_method.id == method.id
    assert client.v1.charges.retrieve(error.charge).status == "failed"
    again = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert again.status == "succeeded"


@pytest.mark.parametrize(
    "decline_code",
    ["do_not_honor", "card_not_supported", "transaction_not_allowed", "pickup_card", "test_of_tomorrow"],
)
def test_any_decline_code_can_be_had(client: stripe.StripeClient, decline_code: str) -> None:
    """Serves B12, B13, B14, B19 and B30: codes no test card gives, HSA refusals and unknown ones too."""
    customer = client.v1.customers.create()
    method = client.v1.payment_methods.attach(f"pm_sandbox_decline_{decline_code}", {"customer": customer.id})
    with pytest.raises(stripe.CardError) as refusal:
        pay(client, method.id, customer=customer.id, off_session=True)
    assert refusal.value.error.decline_code == decline_code


def test_a_planned_decline_strikes_a_good_card_once(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves B14: a soft decline today, success at the next try."""
    sandbox.post("faults", match={"path": "/v1/payment_intents"}, effect={"decline": "insufficient_funds"})
    with pytest.raises(stripe.CardError):
        pay(client)
    assert pay(client).status == "succeeded"


def test_card_0341_is_saved_and_declines_only_when_charged(client: stripe.StripeClient) -> None:
    """Serves B13: the card looks good until autopay charges it."""
    customer = client.v1.customers.create()
    method = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    with pytest.raises(stripe.CardError):
        pay(client, method.id, customer=customer.id, off_session=True)
    with pytest.raises(stripe.CardError):
        client.v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer.id})


def test_a_wrong_number_or_date_is_told_when_the_method_is_made(client: stripe.StripeClient) -> None:
    """Stripe's own checks of what is typed."""
    for card, code in (
        ({"number": "4242424242424241", "exp_month": 1, "exp_year": 2035}, "incorrect_number"),
        ({"number": "4242424242424242", "exp_month": 13, "exp_year": 2035}, "invalid_expiry_month"),
        ({"number": "4242424242424242", "exp_month": 1, "exp_year": 2001}, "invalid_expiry_year"),
        ({"number": "4242424242424242", "exp_month": 1, "exp_year": 2035, "cvc": "12"}, "invalid_cvc"),
    ):
        with pytest.raises(stripe.CardError) as refusal:
            client.v1.payment_methods.create({"type": "card", "card": card})  # type: ignore[typeddict-item]
        assert refusal.value.code == code
