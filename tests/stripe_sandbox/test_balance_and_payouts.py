"""The balance, its lines, and payouts that add up."""

import pytest
import stripe

from .conftest import Server, pay


def test_a_payout_is_the_sum_of_its_lines(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves M17 and D23: charges, refund, dispute, fees; each line in one payout."""
    paid = [pay(client, amount=amount) for amount in (5000, 2000, 12_345)]
    client.v1.refunds.create({"payment_intent": paid[0].id, "amount": 700})
    sandbox.post("disputes", payment_intent=paid[1].id)
    payout = sandbox.post("payouts")
    lines = list(client.v1.balance_transactions.list({"payout": payout["id"], "limit": 2}).auto_paging_iter())
    others = [line for line in lines if line.type != "payout"]
    assert sum(line.net for line in others) == payout["amount"]
    assert [line.net for line in lines if line.type == "payout"] == [-payout["amount"]]
    assert {line.reporting_category for line in others} == {"charge", "refund", "dispute"}
    assert all(line.net == line.amount - line.fee for line in lines)
    pay(client, amount=3000)
    second = sandbox.post("payouts")
    assert second["amount"] == 3000 - 117
    balance = client.v1.balance.retrieve()
    assert balance.available[0].amount + balance.pending[0].amount == 0
    assert client.v1.payouts.retrieve(second["id"]).status == "paid"


def test_money_becomes_available_after_two_days(sandbox: Server, client: stripe.StripeClient) -> None:
    """Card money waits; card 4000000000000077 does not."""
    pay(client, amount=1000)
    pay(client, "pm_card_bypassPending", amount=2000)
    balance = client.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (2000 - 88, 1000 - 59)
    sandbox.post("clock/advance", seconds=2 * 86400 + 1)
    assert client.v1.balance.retrieve().pending[0].amount == 0


def test_a_manual_payout_cannot_be_broken_down(client: stripe.StripeClient) -> None:
    """Serves D24."""
    pay(client, "pm_card_bypassPending", amount=2000)
    payout = client.v1.payouts.create({"amount": 500, "currency": "usd"})
    assert payout.automatic is False
    with pytest.raises(stripe.InvalidRequestError, match="automatic"):
        client.v1.balance_transactions.list({"payout": payout.id})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payouts.create({"amount": 500_000, "currency": "usd"})
    assert refusal.value.code == "balance_insufficient"


def test_a_payout_may_come_back(sandbox: Server, client: stripe.StripeClient) -> None:
    """The plan's bank refuses it; the balance is whole again."""
    pay(client, amount=2000)
    payout = sandbox.post("payouts", paid=False)
    assert payout["status"] == "in_transit"
    sandbox.post("payouts/fail", payout=payout["id"])
    failed = client.v1.payouts.retrieve(payout["id"])
    assert failed.status == "failed" and failed.failure_balance_transaction
    assert sandbox.get("totals")["net_cents"] == 2000 - 88


def test_a_charge_made_elsewhere_shows_in_the_balance(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves D19: the reconciliation must find what the portal never asked for."""
    foreign = sandbox.post("charges", amount=4321, metadata={"order": "other-app"})
    line = client.v1.balance_transactions.list({"source": foreign["latest_charge"]}).data[0]
    assert line.amount == 4321


def test_an_amount_may_be_off_by_one_cent(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves D21 and B23: the stored object is changed behind the portal's back."""
    intent = pay(client, amount=4321)
    sandbox.post("objects/patch", object=intent.latest_charge, changes={"amount": 4322, "livemode": True})
    charge = client.v1.charges.retrieve(str(intent.latest_charge))
    assert (charge.amount, charge.livemode) == (4322, True)
