"""What leaves for the payment provider says nothing of a person or a service (FAULTS B32)."""

import json
from collections.abc import Callable

from bills.models import Bill
from payments import checkout, refunds
from payments.models import Payment
from tests.conftest import Cast
from tests.stripe_sandbox.conftest import Server


def test_no_canary_reaches_the_provider(
    real_cast: Cast, provider: Server, draft: Callable[..., Payment], bill: Bill
) -> None:
    """Names, addresses, member and bill numbers, providers and services: none in any call."""
    Bill.objects.filter(pk=bill.pk).update(title="CANARY-SERVICE", provider_name="CANARY-PROVIDER")
    payment = checkout.confirm(draft(5_000))
    refunds.issue(payment, amount_cents=100, reason="CANARY-REASON", requested_by=real_cast.dana)
    sent = json.dumps(provider.get("log")).lower()
    assert payment.number.lower() in sent  # the log is there, and holds what was sent
    canaries = [
        "canary", "rivera", "maya", "alice", "example.com", bill.number, real_cast.household.number,
        real_cast.maya.number, "oakridge", "outpatient",
    ]  # fmt: skip
    assert [canary for canary in canaries if canary.lower() in sent] == []
