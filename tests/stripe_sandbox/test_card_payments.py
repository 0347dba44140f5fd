"""Taking a payment by card: the intent, its charge, its fee, and what is refused before anything happens."""

import pytest
import stripe

from .conftest import KEY, Server, pay


def test_a_confirmed_card_payment_succeeds_with_its_charge_and_fee(client: stripe.StripeClient) -> None:
    """Serves M5: one succeeded charge, to the cent, with 2.9 % and 30 cents."""
    intent = pay(client, amount=1234, expand=["latest_charge.balance_transaction"], metadata={"attempt": "7"})
    line = intent.latest_charge.balance_transaction
    assert intent.status == "succeeded" and intent.amount_received == 1234
    assert (line.amount, line.fee, line.net) == (1234, 66, 1168)
    assert line.reporting_category == "charge" and intent.latest_charge.metadata["attempt"] == "7"


@pytest.mark.parametrize(("amount", "fee"), [(50, 31), (100, 33), (1050, 60), (10_000, 320), (999_99, 2930)])
def test_the_fee_is_rounded_half_up(client: stripe.StripeClient, amount: int, fee: int) -> None:
    """Serves M17: the fee that a reconciliation must find."""
    intent = pay(client, amount=amount, expand=["latest_charge.balance_transaction"])
    assert intent.latest_charge.balance_transaction.fee == fee


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"amount": 49}, "amount_too_small"),
        ({"amount": 0}, "parameter_invalid_integer"),
        ({"amount": -5}, "parameter_invalid_integer"),
        ({"amount": "12.5"}, "parameter_invalid_integer"),
        ({"amount": "NaN"}, "parameter_invalid_integer"),
        ({"amount": 100_000_000}, "amount_too_large"),
        ({"currency": "eur"}, "sandbox_unsupported"),
        ({"colour": "red"}, "parameter_unknown"),
        ({"customer": "cus_nobody"}, "resource_missing"),
    ],
)
def test_bad_parameters_are_refused_with_stripes_codes(
    client: stripe.StripeClient, params: dict[str, object], code: str
) -> None:
    """Serves B11, I08 and I09: 400 with a code, and nothing made."""
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_intents.create({"amount": 500, "currency": "usd", **params})  # type: ignore[typeddict-item]
    assert refusal.value.code == code
    assert client.v1.payment_intents.list().data == []


@pytest.mark.parametrize("key", ["sk_test_other", "sk_live_sandbox", "pk_test_sandbox"])
def test_a_wrong_key_is_refused(sandbox: Server, key: str) -> None:
    """Serves B10: 401, and nothing made."""
    with pytest.raises(stripe.AuthenticationError):
        sandbox.client(key=key).v1.payment_intents.create({"amount": 500, "currency": "usd"})


def test_an_intent_is_confirmed_later_updated_and_cancelled(client: stripe.StripeClient) -> None:
    """The life of an intent in steps; a finished one refuses more."""
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    assert intent.status == "requires_payment_method"
    assert intent.client_secret.startswith(f"{intent.id}_secret_")
    intent = client.v1.payment_intents.update(
        intent.id, {"amount": 700, "payment_method": "pm_card_amex", "metadata": {"a": "1", "b": "2"}}
    )
    assert (intent.status, intent.amount) == ("requires_confirmation", 700)
    intent = client.v1.payment_intents.update(intent.id, {"metadata": {"a": ""}})
    assert intent.metadata.to_dict() == {"b": "2"}
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        client.v1.payment_intents.confirm(intent.id)
    intent = client.v1.payment_intents.confirm(intent.id, {"return_url": "https://plan.example/back"})
    assert intent.status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_intents.cancel(intent.id)
    assert refusal.value.code == "payment_intent_unexpected_state"
    assert refusal.value.error.payment_intent.id == intent.id
    other = client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    other = client.v1.payment_intents.cancel(other.id, {"cancellation_reason": "abandoned"})
    assert (other.status, other.cancellation_reason) == ("canceled", "abandoned")


def test_an_intent_is_found_by_its_metadata(client: stripe.StripeClient) -> None:
    """Serves B02: a lookup by our own row's id after a lost reply."""
    wanted = pay(client, metadata={"attempt": "a-1"})
    pay(client, metadata={"attempt": "a-2"})
    found = client.v1.payment_intents.search({"query": "metadata['attempt']:'a-1' AND status:'succeeded'"})
    assert [row.id for row in found.data] == [wanted.id]


def test_the_answer_carries_a_request_id_and_the_pinned_version(sandbox: Server) -> None:
    """What an alarm names to find a call again."""
    intent = pay(sandbox.client())
    assert intent.last_response.headers["Request-Id"].startswith("req_")
    assert intent.last_response.headers["Stripe-Version"] == stripe.api_version
    row = sandbox.get("log?path=/v1/payment_intents")["data"][-1]
    assert row["request_id"] == intent.last_response.headers["Request-Id"]
    assert row["object"] == intent.id and KEY not in str(row)


def test_the_statement_descriptor_carries_its_suffix(client: stripe.StripeClient) -> None:
    """What the member reads on the card's statement."""
    intent = pay(client, statement_descriptor_suffix="PREMIUM", expand=["latest_charge"])
    assert intent.latest_charge.calculated_statement_descriptor == "HEALTH PLAN* PREMIUM"


def test_a_real_card_number_is_refused_and_kept_nowhere(sandbox: Server) -> None:
    """Serves M01: only Stripe's test numbers are taken, as in its test mode."""
    with pytest.raises(stripe.CardError) as refusal:
        sandbox.client().v1.payment_methods.create(
            {
                "type": "card",
                "card": {"number": "4539578763621486", "exp_month": 1, "exp_year": 2035, "cvc": "123"},
            }
        )
    assert refusal.value.error.decline_code == "test_mode_live_card"
    assert "4539578763621486" not in str(sandbox.get("log"))


@pytest.mark.parametrize(
    ("number", "brand"),
    [("5555555555554444", "mastercard"), ("378282246310005", "amex"), ("6011111111111117", "discover")],
)
def test_other_brands_pay_too(client: stripe.StripeClient, number: str, brand: str) -> None:
    """Brand and last digits are shown, the number never."""
    cvc = "1234" if brand == "amex" else "123"
    data = {"type": "card", "card": {"number": number, "exp_month": 1, "exp_year": 2035, "cvc": cvc}}
    method = client.v1.payment_methods.create(data)  # type: ignore[arg-type]
    assert method.card is not None
    assert (method.card.brand, method.card.last4) == (brand, number[-4:])
    assert pay(client, method.id).status == "succeeded"
