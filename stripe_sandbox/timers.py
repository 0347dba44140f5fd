"""What happens by itself after a while: bank debits are decided, refunds settle, disputes are opened."""

from stripe_sandbox import confirming, disputes, refunds
from stripe_sandbox.errors import ApiError
from stripe_sandbox.sandbox import Sandbox


def register_timers(sandbox: Sandbox) -> None:
    """Names the actions that the clock's timers may ask for."""
    actions = sandbox.clock.actions
    actions["settle_bank_debit"] = lambda intent_id: confirming.settle_bank_debit(sandbox, intent_id)
    actions["settle_refund"] = lambda refund_id: refunds.settle(sandbox, refund_id)
    actions["fail_refund"] = lambda refund_id: refunds.fail(sandbox, refund_id)
    actions["open_dispute"] = lambda charge_id: _open_dispute(sandbox, charge_id)


def _open_dispute(sandbox: Sandbox, charge_id: str) -> None:
    try:
        disputes.open_by_test_card(sandbox, charge_id)
    except ApiError:
        return
