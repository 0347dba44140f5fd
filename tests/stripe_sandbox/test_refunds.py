"""Refunds: partial and whole, pending and failing, inside the portal and out of it."""

import threading

import pytest
import stripe

from .conftest import Server, pay


def test_refunds_never_exceed_the_charge(client: stripe.StripeClient) -> None:
    """Serves M6 and D13."""
    intent = pay(client, amount=1000)
    first = client.v1.refunds.create({"payment_intent": intent.id, "amount": 400, "metadata": {"refund": "r1"}})
    assert (first.status, first.amount) == ("succeeded", 400)
    with pytest.raises(stripe.InvalidRequestError, match=r"\$6.01.*\$6.00"):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 601})
    for amount in (0, -1):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.refunds.create({"payment_intent": intent.id, "amount": amount})
    rest = client.v1.refunds.create({"charge": str(intent.latest_charge)})
    assert rest.amount == 600
    charge = client.v1.charges.retrieve(str(intent.latest_charge))
    assert charge.refunded and charge.amount_refunded == 1000
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert refusal.value.code == "charge_already_refunded"
    assert len(client.v1.refunds.list({"payment_intent": intent.id}).data) == 2


def test_two_refunds_at_once_never_exceed_the_charge(sandbox: Server) -> None:
    """Serves A13: full and full, one wins."""
    intent = pay(sandbox.client(), amount=1000)
    outcomes: list[str] = []

    def refund() -> None:
        try:
            outcomes.append(sandbox.client().v1.refunds.create({"payment_intent": intent.id}).status or "")
        except stripe.InvalidRequestError as error:
            outcomes.append(str(error.code))

    threads = [threading.Thread(target=refund) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["charge_already_refunded"] * 7 + ["succeeded"]


def test_a_refund_fails_later_and_gives_the_money_back(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves D10 and D14: card 4000000000005126."""
    intent = pay(client, "pm_card_refundFail", amount=1000)
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert refund.status == "succeeded"
    sandbox.post("clock/advance", seconds=60)
    refund = client.v1.refunds.retrieve(refund.id)
    assert refund.status == "failed" and refund.failure_reason
    assert client.v1.charges.retrieve(str(intent.latest_charge)).amount_refunded == 0
    line = client.v1.balance_transactions.retrieve(str(refund.failure_balance_transaction))
    assert (line.type, line.amount, line.reporting_category) == ("refund_failure", 1000, "refund_failure")
    assert client.v1.events.list({"type": "refund.failed"}).data


def test_a_pending_refund_settles_later(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves D10: card 4000000000007726 and every bank refund."""
    intent = pay(client, "pm_card_pendingRefund", amount=1000)
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert refund.status == "pending"
    sandbox.post("clock/advance", seconds=60)
    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"


def test_a_debit_still_processing_or_disputed_is_not_refunded(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves D11: no double credit."""
    debit = pay(client, "pm_usBankAccount_success")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": debit.id})
    assert refusal.value.code == "charge_not_refundable"
    paid = pay(client)
    sandbox.post("disputes", payment_intent=paid.id)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": paid.id})
    assert refusal.value.code == "charge_disputed"


def test_a_refund_in_the_dashboard_makes_the_same_events(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves D08 and D09: `refund.created` and `charge.refunded`, with no key of ours."""
    intent = pay(client, amount=1000)
    sandbox.post("refunds", payment_intent=intent.id, amount=250)
    events = client.v1.events.list({"types": ["refund.created", "charge.refunded"]}).data
    assert {event.type for event in events} == {"refund.created", "charge.refunded"}
    assert all(event.request and event.request.idempotency_key is None for event in events)


def test_a_lost_refund_reply_is_one_refund(sandbox: Server) -> None:
    """Serves D07."""
    client = sandbox.client(timeout=0.5)
    intent = pay(client, amount=1000)
    sandbox.post("faults", match={"path": "/v1/refunds"}, effect="timeout_after")
    ask = {"payment_intent": intent.id, "amount": 300}
    with pytest.raises(stripe.APIConnectionError):
        client.v1.refunds.create(ask, {"idempotency_key": "refund-1"})  # type: ignore[arg-type]
    client.v1.refunds.create(ask, {"idempotency_key": "refund-1"})  # type: ignore[arg-type]
    assert sandbox.get("totals")["refunded_cents"] == 300
