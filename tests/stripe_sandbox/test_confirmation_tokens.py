"""Confirmation tokens: made by the browser, shown at review, used once within twelve hours."""

import pytest
import stripe

from .conftest import Server


def confirm(client: stripe.StripeClient, token: str, **more: object) -> stripe.PaymentIntent:
    params = {"amount": 2500, "currency": "usd", "confirm": True, "confirmation_token": token, **more}
    return client.v1.payment_intents.create(params)  # type: ignore[arg-type]


def make(client: stripe.StripeClient, method: str = "pm_card_visa", **more: object) -> stripe.ConfirmationToken:
    params = {"payment_method": method, "return_url": "https://plan.example/back", **more}
    return client.v1.test_helpers.confirmation_tokens.create(params)  # type: ignore[arg-type]


def test_a_token_is_used_once(client: stripe.StripeClient) -> None:
    """Serves A01 and A08: the second use is refused."""
    token = make(client)
    assert token.payment_method_preview.card.last4 == "4242"
    intent = confirm(client, token.id)
    assert intent.status == "succeeded"
    assert client.v1.confirmation_tokens.retrieve(token.id).payment_intent == intent.id
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        confirm(client, token.id)
    assert refusal.value.code == "confirmation_token_already_used"
    assert len(client.v1.payment_intents.list().data) == 1


def test_a_token_expires_after_twelve_hours(sandbox: Server, client: stripe.StripeClient) -> None:
    """A review page left open overnight."""
    token = make(client)
    sandbox.post("clock/advance", seconds=12 * 3600 - 5)
    late = make(client)
    sandbox.post("clock/advance", seconds=10)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        confirm(client, token.id)
    assert refusal.value.code == "confirmation_token_expired"
    assert confirm(client, late.id).status == "succeeded"


def test_a_token_asks_for_authentication_through_the_script(client: stripe.StripeClient) -> None:
    """Serves B16: with a token the script handles the challenge, not a redirect."""
    intent = confirm(client, make(client, "pm_card_authenticationRequired").id)
    assert intent.next_action is not None and intent.next_action.type == "use_stripe_sdk"


def test_a_token_of_another_type_or_usage_is_refused(client: stripe.StripeClient) -> None:
    """Serves B21: what the browser chose must fit what the server asks."""
    bank = make(client, "pm_usBankAccount_success")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        confirm(client, bank.id, payment_method_types=["card"])
    assert refusal.value.code == "payment_intent_incompatible_payment_method"
    saved = make(client, setup_future_usage="off_session")
    with pytest.raises(stripe.InvalidRequestError):
        confirm(client, saved.id, setup_future_usage="on_session")


def test_a_token_made_from_details_saves_the_method(client: stripe.StripeClient) -> None:
    """Pay and keep the card for autopay."""
    customer = client.v1.customers.create()
    token = client.v1.test_helpers.confirmation_tokens.create(
        {
            "payment_method_data": {
                "type": "card",
                "card": {"number": "5555555555554444", "exp_month": 4, "exp_year": 2034, "cvc": "123"},
            },
            "return_url": "https://plan.example/back",
            "setup_future_usage": "off_session",
        }  # type: ignore[typeddict-unknown-key]
    )
    confirm(client, token.id, customer=customer.id)
    methods = client.v1.customers.payment_methods.list(customer.id).data
    assert [method.card.brand for method in methods if method.card] == ["mastercard"]
