"""Balance transactions, the balance and payouts."""

from stripe_sandbox import ids
from stripe_sandbox.forms import Obj


def transaction(
    kind: str, *, amount: int, fee: int, source: str | None, created: int, available_on: int, category: str
) -> Obj:
    """One line of the balance: `net = amount - fee`, all in cents."""
    details = []
    if fee:
        description = "Dispute fee" if category == "dispute" else "Stripe processing fees"
        details.append(
            {
                "amount": fee,
                "application": None,
                "currency": "usd",
                "description": description,
                "type": "stripe_fee",
            }
        )
    return {
        "id": ids.new("txn"), "object": "balance_transaction", "amount": amount, "available_on": available_on,
        "balance_type": "payments", "created": created, "currency": "usd", "description": None,
        "exchange_rate": None, "fee": fee, "fee_details": details, "net": amount - fee,
        "reporting_category": category, "source": source,
        "status": "available" if available_on <= created else "pending", "type": kind,
    }  # fmt: skip


def payout(*, amount: int, created: int, automatic: bool, arrival_date: int) -> Obj:
    """A transfer of the balance to the plan's bank."""
    return {
        "id": ids.new("po"), "object": "payout", "amount": amount, "application_fee": None,
        "application_fee_amount": None, "arrival_date": arrival_date, "automatic": automatic,
        "balance_transaction": None, "created": created, "currency": "usd",
        "description": "STRIPE PAYOUT", "destination": "ba_1SandboxPlanAccount00000",
        "failure_balance_transaction": None,
        "failure_code": None, "failure_message": None, "livemode": False, "metadata": {},
        "method": "standard",
        "original_payout": None, "payout_method": None,
        "reconciliation_status": "completed" if automatic else "not_applicable", "reversed_by": None,
        "source_type": "card", "statement_descriptor": None, "status": "in_transit",
        "trace_id": {"status": "pending", "value": None}, "type": "bank_account",
    }  # fmt: skip


def balance(available: int, pending: int) -> Obj:
    """What the account holds, in cents."""
    return {
        "object": "balance", "available": [_sum(available)],
        "connect_reserved": [{"amount": 0, "currency": "usd"}], "livemode": False, "pending": [_sum(pending)],
    }  # fmt: skip


def _sum(amount: int) -> Obj:
    return {"amount": amount, "currency": "usd", "source_types": {"card": amount}}
