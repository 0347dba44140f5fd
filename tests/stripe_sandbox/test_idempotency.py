"""Idempotency keys: the same call, the same answer, one effect."""

import threading
import time

import pytest
import stripe

from .conftest import Server, pay


def test_the_same_call_with_the_same_key_gets_the_stored_answer(client: stripe.StripeClient) -> None:
    """Serves A01 and B02: one charge, two equal answers, the second marked as replayed."""
    first = pay(client, options={"idempotency_key": "attempt-1"})
    second = pay(client, options={"idempotency_key": "attempt-1"})
    assert first.id == second.id
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(client.v1.charges.list().data) == 1


def test_the_same_key_with_another_body_is_our_bug(client: stripe.StripeClient) -> None:
    """Serves A02 and B07: `idempotency_error`, and no second charge."""
    pay(client, options={"idempotency_key": "attempt-1"})
    with pytest.raises(stripe.IdempotencyError):
        pay(client, amount=777, options={"idempotency_key": "attempt-1"})
    assert len(client.v1.charges.list().data) == 1


def test_a_decline_is_stored_under_its_key(client: stripe.StripeClient) -> None:
    """Serves B04: execution had begun, so the key keeps the refusal."""
    intents = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refusal:
            pay(client, "pm_card_chargeDeclined", options={"idempotency_key": "attempt-1"})
        intents.append(refusal.value.error.payment_intent.id)
    assert intents[0] == intents[1]


def test_a_refused_validation_frees_its_key(client: stripe.StripeClient) -> None:
    """Stripe stores nothing when validation refused the call."""
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, amount=1, options={"idempotency_key": "attempt-1"})
    assert pay(client, options={"idempotency_key": "attempt-1"}).status == "succeeded"


def test_a_key_in_use_is_a_conflict(sandbox: Server) -> None:
    """Serves B06: while the first call runs the second gets 409; afterwards the stored answer."""
    sandbox.post("faults", match={"path": "/v1/payment_intents"}, effect={"latency_ms": 700}, times=1)
    answers: list[object] = []
    slow = threading.Thread(target=lambda: answers.append(pay(sandbox.client(), options={"idempotency_key": "k"})))
    slow.start()
    time.sleep(0.3)
    client = sandbox.client()
    with pytest.raises(stripe.StripeError) as conflict:
        pay(client, options={"idempotency_key": "k"})
    assert conflict.value.http_status == 409
    assert conflict.value.error.code == "idempotency_key_in_use"
    slow.join()
    assert pay(client, options={"idempotency_key": "k"}).id == answers[0].id  # type: ignore[attr-defined]
    assert len(client.v1.charges.list().data) == 1


def test_a_key_lives_for_a_day(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves B02: after 24 hours the key would charge again, so the portal must look before."""
    first = pay(client, options={"idempotency_key": "attempt-1"})
    sandbox.post("clock/advance", seconds=24 * 3600 - 10)
    assert pay(client, options={"idempotency_key": "attempt-1"}).id == first.id
    sandbox.post("clock/advance", seconds=20)
    assert pay(client, options={"idempotency_key": "attempt-1"}).id != first.id


def test_fifty_calls_at_once_with_one_key_charge_once(sandbox: Server) -> None:
    """Serves A04 and E16: one effect however many ask."""
    done: list[str] = []

    def attempt() -> None:
        try:
            done.append(pay(sandbox.client(), options={"idempotency_key": "one"}).id)
        except stripe.StripeError as error:
            assert error.http_status == 409

    threads = [threading.Thread(target=attempt) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(done)) == 1
    assert sandbox.get("totals")["charges"] == 1
