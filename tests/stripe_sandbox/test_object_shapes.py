"""Every object the sandbox emits carries the fields of Stripe's own fixtures, with values of their types."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import stripe

from .conftest import ACCEPTANCE, ROOT, Server, pay

SHARED = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))
FIXTURES = SHARED / "stripe" / "api-objects" / "fixtures3-2026-08.json"
pytestmark = pytest.mark.skipif(not FIXTURES.exists(), reason=f"Stripe's fixtures are not at {FIXTURES}")
KINDS = [
    "customer", "payment_method", "confirmation_token", "setup_intent", "setup_attempt", "payment_intent",
    "charge",
    "refund", "dispute", "balance_transaction", "payout", "balance", "mandate", "event",
]  # fmt: skip
FREE = {"metadata", "data", "payment_method_options", "shipping"}
VARIANTS = {"card", "us_bank_account", "sepa_debit", "online", "offline", "wallet", "multi_use", "single_use"}


def differences(ours: Any, theirs: Any, path: str) -> list[str]:
    """Fields that theirs has and ours lacks, and values whose types differ; null fits all."""
    if ours is None or theirs is None:
        return []
    if isinstance(theirs, bool) or isinstance(ours, bool):
        return [] if type(ours) is type(theirs) else [f"{path}: {type(ours).__name__}"]
    if type(ours) is not type(theirs):
        expanded = {type(ours), type(theirs)} == {str, dict}
        return [] if expanded else [f"{path}: {type(ours).__name__}, not {type(theirs).__name__}"]
    if not isinstance(theirs, dict) or path.rsplit(".", 1)[-1] in FREE:
        return []
    found = []
    for name, value in theirs.items():
        if name in ours:
            found += differences(ours[name], value, f"{path}.{name}")
        elif name not in VARIANTS:
            found.append(f"{path}.{name}: missing")
    return found


@pytest.fixture
def emitted(sandbox: Server, client: stripe.StripeClient) -> dict[str, list[dict[str, Any]]]:
    """One or more of each kind, by card and by bank."""
    customer = client.v1.customers.create({"name": "Alice"})
    token = client.v1.test_helpers.confirmation_tokens.create({"payment_method": "pm_card_visa"})
    card = pay(client, customer=customer.id, expand=["latest_charge.balance_transaction"])
    bank = pay(client, "pm_usBankAccount_success", setup_future_usage="off_session", customer=customer.id)
    sandbox.post("clock/advance", seconds=60)
    bank = client.v1.payment_intents.retrieve(bank.id, {"expand": ["latest_charge"]})
    setup = client.v1.setup_intents.create(
        {
            "customer": customer.id,
            "confirm": True,
            "payment_method": "pm_usBankAccount_success",
            "payment_method_types": ["us_bank_account"],
            "mandate_data": ACCEPTANCE,  # type: ignore[typeddict-item]
            "expand": ["mandate", "latest_attempt", "payment_method"],
        }
    )
    refund = client.v1.refunds.create({"payment_intent": card.id, "amount": 100})
    pay(client)
    objects: list[Any] = [
        customer, token, card, bank, card.latest_charge, bank.latest_charge, setup, setup.mandate,
        setup.latest_attempt, setup.payment_method, refund,
        client.v1.payment_methods.retrieve(card.payment_method),
        card.latest_charge.balance_transaction, client.v1.balance.retrieve(), client.v1.events.list().data[0],
    ]  # fmt: skip
    rows = [json.loads(str(item)) for item in objects]
    rows += [sandbox.post("payouts"), sandbox.post("disputes", charge=card.latest_charge.id, inquiry=True)]
    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        kinds.setdefault(row["object"], []).append(row)
    return kinds


def test_each_kind_carries_the_fields_of_stripes_fixture(emitted: dict[str, list[dict[str, Any]]]) -> None:
    """Serves B19: the portal meets here the fields it will meet at Stripe."""
    fixtures = json.loads(FIXTURES.read_text())["resources"]
    found = []
    for kind in KINDS:
        assert emitted.get(kind), f"no {kind} was emitted"
        for row in emitted[kind]:
            found += differences(row, fixtures[kind], kind)
    assert found == []


@pytest.mark.parametrize("kind", KINDS)
def test_extra_fields_are_only_those_stripe_documents(kind: str, emitted: dict[str, list[dict[str, Any]]]) -> None:
    """No field of the sandbox's own is shown."""
    known = {
        "dispute": {"network_reason_code"}, "refund": {"failure_reason", "failure_balance_transaction"},
        "payment_method": {"us_bank_account"}, "mandate": {"single_use"},
        "setup_intent": {"customer_account"},
    }  # fmt: skip
    theirs = set(json.loads(FIXTURES.read_text())["resources"][kind])
    for row in emitted[kind]:
        assert set(row) - theirs <= known.get(kind, set())
