"""Faults on command: what was done, what was answered, and whether the answer arrived."""

import time

import pytest
import stripe

from .conftest import Server, pay

CREATE = {"method": "POST", "path": "/v1/payment_intents$"}


def attempt(client: stripe.StripeClient, key: str = "k") -> object:
    return pay(client, options={"idempotency_key": key})


@pytest.mark.parametrize(
    ("effect", "charges"),
    [("timeout_before", 0), ("timeout_after", 1), ("drop_before", 0), ("drop_after", 1)],
)
def test_a_lost_reply_leaves_zero_or_one_charge(sandbox: Server, effect: str, charges: int) -> None:
    """Serves B01, B02 and P4: the caller cannot tell, the same key finds out, one charge in the end."""
    sandbox.post("faults", match=CREATE, effect=effect)
    client = sandbox.client(timeout=0.5)
    with pytest.raises(stripe.APIConnectionError):
        attempt(client)
    assert sandbox.get("totals")["charges"] == charges
    lost = sandbox.get("log?path=/v1/payment_intents")["data"][-1]
    assert lost["outcome"] == effect.replace("drop_before", "drop_connection_before")
    attempt(client)
    assert sandbox.get("totals")["charges"] == 1


@pytest.mark.parametrize(("effect", "charges"), [("status_500_before", 0), ("status_500_after", 1)])
def test_a_500_is_stored_under_its_key(sandbox: Server, effect: str, charges: int) -> None:
    """Serves B04: with or without a charge, the same 500 comes back for the key; only a lookup tells."""
    sandbox.post("faults", match=CREATE, effect=effect)
    client = sandbox.client(retries=2)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failure:
            attempt(client)
        assert failure.value.http_status == 500
    assert failure.value.headers["Idempotent-Replayed"] == "true"
    assert sandbox.get("totals")["charges"] == charges


@pytest.mark.parametrize(
    ("effect", "error", "code"),
    [
        ({"effect": "status_429"}, stripe.RateLimitError, "rate_limit"),
        ({"effect": "status_429", "value": "lock_timeout"}, stripe.RateLimitError, "lock_timeout"),
        ({"effect": "status_409"}, stripe.StripeError, "idempotency_key_in_use"),
        ({"effect": "status_401"}, stripe.AuthenticationError, None),
        ({"effect": "status_403"}, stripe.PermissionError, None),
        (
            {"effect": "parameter_invalid", "value": "parameter_unknown"},
            stripe.InvalidRequestError,
            "parameter_unknown",
        ),
    ],
)
def test_a_refusal_before_the_effect(
    sandbox: Server, effect: dict[str, str], error: type[stripe.StripeError], code: str | None
) -> None:
    """Serves B06, B08, B09, B10 and B11: nothing was done, and the key stays free."""
    sandbox.post("faults", match=CREATE, **effect)
    client = sandbox.client()
    with pytest.raises(error) as failure:
        attempt(client)
    assert failure.value.error.code == code
    attempt(client)
    assert sandbox.get("totals")["charges"] == 1


def test_an_unknown_status_is_answered_and_not_stored(sandbox: Server) -> None:
    """Serves B19: a status and a field nobody knows."""
    sandbox.post("faults", match=CREATE, effect="unknown_status", value="requires_moon")
    client = sandbox.client()
    intent = pay(client)
    assert intent.status == "requires_moon" and intent["sandbox_new_field"]
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"


def test_a_fault_strikes_the_nth_match_of_its_metadata(sandbox: Server) -> None:
    """A plan that picks one call out of many."""
    match = {**CREATE, "nth": 2, "metadata": {"member": "m-7"}}
    sandbox.post("faults", match=match, effect="status_500_before", times=1)
    client = sandbox.client()
    assert pay(client, metadata={"member": "m-7"}).status == "succeeded"
    assert pay(client, metadata={"member": "m-8"}).status == "succeeded"
    with pytest.raises(stripe.APIError):
        pay(client, metadata={"member": "m-7"})
    assert pay(client, metadata={"member": "m-7"}).status == "succeeded"
    plan = sandbox.get("faults")["data"]
    assert [(fault["seen"], fault["fired"]) for fault in plan] == [(2, 1)]
    sandbox.control("DELETE", "faults")
    assert sandbox.get("faults")["data"] == []


def test_latency_is_added_to_one_call_or_to_all(sandbox: Server) -> None:
    """Serves B25: slow, yet done."""
    sandbox.post("settings", latency_ms=300)
    started = time.monotonic()
    assert pay(sandbox.client()).status == "succeeded"
    assert time.monotonic() - started >= 0.3
    with pytest.raises(stripe.APIConnectionError):
        pay(sandbox.client(timeout=0.1))
    time.sleep(0.4)
    assert sandbox.get("totals")["charges"] == 2


def test_the_rate_limiter_answers_429_beyond_its_limit(sandbox: Server) -> None:
    """Serves B08: so many calls a second to one endpoint."""
    sandbox.post("settings", rate_limit_per_second=5)
    client = sandbox.client()
    refused = 0
    for _ in range(30):
        try:
            client.v1.customers.list({"limit": 1})
        except stripe.RateLimitError as error:
            refused += 1
            assert error.error.code == "rate_limit"
    assert refused >= 10


def test_the_sdk_retries_a_dropped_call_with_its_own_key(sandbox: Server) -> None:
    """Serves B01: the client library's retry, seen from here as one payment."""
    sandbox.post("faults", match=CREATE, effect="drop_after")
    assert pay(sandbox.client(retries=2)).status == "succeeded"
    assert sandbox.get("totals")["charges"] == 1
    keys = {row["idempotency_key"] for row in sandbox.get("log?path=/v1/payment_intents")["data"]}
    assert len(keys) == 1


def test_a_nonsense_fault_is_refused(sandbox: Server) -> None:
    """A plan with a typing error must not pass silently."""
    with pytest.raises(OSError, match="400"):
        sandbox.post("faults", effect="time_out_before")
