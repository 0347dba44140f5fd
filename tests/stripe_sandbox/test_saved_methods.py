"""Customers and the methods they keep."""

import pytest
import stripe

from .conftest import Server, pay


def test_a_method_is_attached_listed_updated_and_detached(client: stripe.StripeClient) -> None:
    """Serves A07: once detached it is never charged again."""
    customer = client.v1.customers.create({"metadata": {"household": "h1"}})
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    listed = client.v1.payment_methods.list({"customer": customer.id, "type": "card"}).data
    assert [row.id for row in listed] == [method.id]
    method = client.v1.payment_methods.update(
        method.id, {"card": {"exp_month": 3, "exp_year": 2033}, "billing_details": {"name": "Alice"}}
    )
    assert method.card is not None and method.card.exp_year == 2033
    client.v1.payment_methods.detach(method.id)
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, method.id)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_methods.attach(method.id, {"customer": customer.id})


def test_a_method_of_another_customer_is_refused(client: stripe.StripeClient) -> None:
    """Serves B22: a method belongs to one customer."""
    alice, charlie = client.v1.customers.create(), client.v1.customers.create()
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": alice.id})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        pay(client, method.id, customer=charlie.id)
    assert refusal.value.code == "payment_method_customer_mismatch"
    with pytest.raises(stripe.InvalidRequestError, match="belongs to a Customer"):
        pay(client, method.id)


def test_a_method_used_without_a_customer_cannot_be_used_again(client: stripe.StripeClient) -> None:
    """A guest's card is not a saved card."""
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    assert pay(client, method.id).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        pay(client, method.id)


def test_setting_up_a_card_attaches_it(client: stripe.StripeClient) -> None:
    """A setup intent confirmed by token."""
    customer = client.v1.customers.create()
    token = client.v1.test_helpers.confirmation_tokens.create(
        {"payment_method": "pm_card_amex", "return_url": "https://plan.example/back"}
    )
    setup = client.v1.setup_intents.create(
        {"customer": customer.id, "confirm": True, "confirmation_token": token.id, "usage": "off_session"}
    )
    assert setup.status == "succeeded"
    attempts = client.v1.setup_attempts.list({"setup_intent": setup.id}).data
    assert [attempt.status for attempt in attempts] == ["succeeded"]
    assert client.v1.payment_methods.retrieve(str(setup.payment_method)).customer == customer.id


def test_a_declining_card_cannot_be_set_up(client: stripe.StripeClient) -> None:
    """The setup says so, with the setup intent inside the error."""
    with pytest.raises(stripe.CardError) as refusal:
        client.v1.setup_intents.create(
            {"confirm": True, "payment_method": "pm_card_chargeDeclined", "payment_method_types": ["card"]}
        )
    assert refusal.value.error.setup_intent.status == "requires_payment_method"


def test_the_networks_new_card_is_told_by_an_event(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves B28: last digits and expiry change under the same id."""
    customer = client.v1.customers.create()
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    sandbox.post("payment_methods/renew", payment_method=method.id, last4="9999", exp_year=2039)
    renewed = client.v1.payment_methods.retrieve(method.id)
    assert renewed.card is not None and (renewed.card.last4, renewed.card.exp_year) == ("9999", 2039)
    event = client.v1.events.list({"type": "payment_method.automatically_updated"}).data[0]
    assert event.data.object["id"] == method.id
    assert pay(client, method.id, customer=customer.id, off_session=True).status == "succeeded"


def test_a_deleted_customer_is_gone(client: stripe.StripeClient) -> None:
    """Deleted customers take no payment."""
    customer = client.v1.customers.create()
    assert client.v1.customers.delete(customer.id).deleted
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, customer=customer.id)


def test_an_apple_pay_card_carries_its_wallet(client: stripe.StripeClient) -> None:
    """Serves B31: the wallet shows on the method and on the charge."""
    intent = pay(client, "pm_card_applePay", expand=["latest_charge"])
    assert intent.latest_charge.payment_method_details.card.wallet.type == "apple_pay"
