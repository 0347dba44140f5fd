"""Disputes: inquiries move no money, chargebacks do, and the decision gives it back or not."""

import pytest
import stripe

from .conftest import Server, pay


def amounts(client: stripe.StripeClient, dispute_id: str) -> list[tuple[int, int, str]]:
    lines = client.v1.balance_transactions.list({"source": dispute_id}).data
    return [(line.amount, line.fee, line.reporting_category) for line in reversed(lines)]


@pytest.mark.parametrize(
    ("status", "lines"),
    [
        ("won", [(-5000, 1500, "dispute"), (5000, 0, "dispute_reversal")]),
        ("prevented", [(-5000, 1500, "dispute"), (5000, 0, "dispute_reversal")]),
        ("lost", [(-5000, 1500, "dispute")]),
    ],
)
def test_a_dispute_withdraws_once_and_reinstates_when_due(
    sandbox: Server, client: stripe.StripeClient, status: str, lines: list[tuple[int, int, str]]
) -> None:
    """Serves D16, D18 and M7: one debit with its fee, at most one credit."""
    intent = pay(client, amount=5000)
    dispute = sandbox.post("disputes", payment_intent=intent.id, reason="fraudulent")
    assert dispute["status"] == "needs_response"
    sandbox.post("disputes/close", dispute=dispute["id"], status=status)
    assert client.v1.disputes.retrieve(dispute["id"]).status == status
    assert amounts(client, dispute["id"]) == lines
    with pytest.raises(OSError, match="400"):
        sandbox.post("disputes/close", dispute=dispute["id"], status="lost")


def test_an_inquiry_moves_no_money_until_it_is_escalated(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves D15: `warning_*` is a flag only."""
    intent = pay(client, amount=5000)
    inquiry = sandbox.post("disputes", payment_intent=intent.id, inquiry=True)
    assert inquiry["status"] == "warning_needs_response" and amounts(client, inquiry["id"]) == []
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 100})
    sandbox.post("disputes/escalate", dispute=inquiry["id"])
    assert amounts(client, inquiry["id"]) == [(-5000, 1500, "dispute")]
    other = sandbox.post("disputes", payment_intent=pay(client).id, inquiry=True)
    sandbox.post("disputes/close", dispute=other["id"], status="warning_closed")
    assert amounts(client, other["id"]) == []


@pytest.mark.parametrize(
    ("method", "status", "reason"),
    [
        ("pm_card_createDispute", "needs_response", "fraudulent"),
        ("pm_card_createDisputeProductNotReceived", "needs_response", "product_not_received"),
        ("pm_card_createDisputeInquiry", "warning_needs_response", "fraudulent"),
    ],
)
def test_the_disputed_test_cards_open_one_by_themselves(
    sandbox: Server, client: stripe.StripeClient, method: str, status: str, reason: str
) -> None:
    """Serves D15 and D16."""
    intent = pay(client, method)
    sandbox.post("clock/advance", seconds=5)
    dispute = client.v1.disputes.list({"charge": str(intent.latest_charge)}).data[0]
    assert (dispute.status, dispute.reason) == (status, reason)
    charge = client.v1.charges.retrieve(str(intent.latest_charge))
    assert charge.disputed


def test_winning_evidence_wins(sandbox: Server, client: stripe.StripeClient) -> None:
    """Stripe's test words."""
    intent = pay(client)
    dispute = sandbox.post("disputes", payment_intent=intent.id)
    won = client.v1.disputes.update(dispute["id"], {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert won.status == "won"
    types = {event.type for event in client.v1.events.list({"type": "charge.dispute.*"}).data}
    assert {"charge.dispute.funds_reinstated", "charge.dispute.closed"} <= types
