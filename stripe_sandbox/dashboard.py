"""Commands for what happens outside the portal: refunds in the dashboard, disputes, bank returns, payouts,
new cards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stripe_sandbox import (
    authentication,
    charges,
    confirming,
    disputes,
    errors,
    intents,
    payment_intents,
    payment_methods,
    payouts,
    refunds,
)
from stripe_sandbox.forms import Obj
from stripe_sandbox.objects import methods as method_shapes
from stripe_sandbox.routing import Call
from stripe_sandbox.sandbox import Sandbox


def _charge(sandbox: Sandbox, body: Obj) -> Obj:
    charge_id = body.get("charge")
    if not charge_id:
        charge_id = intents.find(sandbox, "payment_intent", str(body.get("payment_intent")))["latest_charge"]
    return charges.find(sandbox, str(charge_id))


def refund(sandbox: Sandbox, body: Obj) -> Obj:
    """A refund outside the portal. `behaviour`: succeeded, pending, fails_later or pending_then_fails."""
    return refunds.issue(
        sandbox, _charge(sandbox, body), amount=body.get("amount"), reason=body.get("reason"),
        metadata=body.get("metadata"), behaviour=body.get("behaviour"),
    )  # fmt: skip


def refund_settle(sandbox: Sandbox, body: Obj) -> Obj:
    """A pending refund goes through now."""
    refunds.settle(sandbox, body["refund"])
    return sandbox.store.table("refund")[body["refund"]]


def refund_fail(sandbox: Sandbox, body: Obj) -> Obj:
    """A refund, pending or shown as succeeded, fails now."""
    refunds.fail(sandbox, body["refund"], reason=body.get("reason", "expired_or_canceled_card"))
    return sandbox.store.table("refund")[body["refund"]]


def dispute(sandbox: Sandbox, body: Obj) -> Obj:
    """A dispute, or with `inquiry` a `warning_needs_response`."""
    return disputes.open_dispute(
        sandbox, _charge(sandbox, body), reason=body.get("reason", "fraudulent"),
        inquiry=bool(body.get("inquiry")), amount=body.get("amount"),
    )  # fmt: skip


def dispute_close(sandbox: Sandbox, body: Obj) -> Obj:
    """Decides a dispute: `status` won, lost, prevented or warning_closed."""
    return disputes.close(sandbox, disputes.find(sandbox, body["dispute"]), status=body["status"])


def dispute_escalate(sandbox: Sandbox, body: Obj) -> Obj:
    """An inquiry becomes a dispute."""
    return disputes.escalate(sandbox, disputes.find(sandbox, body["dispute"]))


def bank_settle(sandbox: Sandbox, body: Obj) -> Obj:
    """A bank debit in `processing` is decided now; with `failure` it fails with that code."""
    confirming.settle_bank_debit(sandbox, body["payment_intent"], failure=body.get("failure"))
    return intents.find(sandbox, "payment_intent", body["payment_intent"])


def bank_return(sandbox: Sandbox, body: Obj) -> Obj:
    """A bank debit that had succeeded comes back, `code` R01 and so on."""
    return disputes.return_bank_debit(sandbox, _charge(sandbox, body), code=body.get("code", "R01"))


def authenticate(sandbox: Sandbox, body: Obj) -> Obj:
    """Presses a button of the 3-D Secure page: `outcome` complete or fail."""
    kind = "payment_intent" if body["intent"].startswith("pi_") else "setup_intent"
    if body.get("outcome", "complete") not in ("complete", "fail"):
        raise ValueError("outcome must be complete or fail")
    intent = intents.find(sandbox, kind, body["intent"])
    return authentication.finish(sandbox, intent, passed=body.get("outcome", "complete") == "complete")


def card_renewed(sandbox: Sandbox, body: Obj) -> Obj:
    """The network replaced a card: new `last4`, `exp_month`, `exp_year`."""
    method = payment_methods.find(sandbox, body["payment_method"])
    card = method["card"]
    names = ("last4", "exp_month", "exp_year", "fingerprint")
    previous = {name: card[name] for name in names}
    card |= {
        "last4": body.get("last4", "4444"), "exp_month": int(body.get("exp_month", 11)),
        "exp_year": int(body.get("exp_year", card["exp_year"] + 3)),
    }  # fmt: skip
    card["fingerprint"] = method_shapes.fingerprint(method["id"] + card["last4"])
    sandbox.store.save(method)
    sandbox.emit("payment_method.automatically_updated", method, previous={"card": previous})
    return method


def method_detach(sandbox: Sandbox, body: Obj) -> Obj:
    """Takes a method from its customer."""
    return payment_methods.detach_from_customer(sandbox, payment_methods.find(sandbox, body["payment_method"]))


def payout(sandbox: Sandbox, body: Obj) -> Obj:
    """An automatic payout of all that no payout has taken; `only_available`, and `paid: false` leaves it on
    its way."""
    return payouts.make_automatic(
        sandbox, only_available=bool(body.get("only_available")), paid=bool(body.get("paid", True))
    )


def payout_fail(sandbox: Sandbox, body: Obj) -> Obj:
    """The plan's bank sends a payout back."""
    return payouts.fail(sandbox, payouts.find(sandbox, body["payout"]))


def foreign_charge(sandbox: Sandbox, body: Obj) -> Obj:
    """A payment the portal knows nothing of."""
    params: Obj = {
        "amount": str(body.get("amount", 5000)), "currency": "usd", "confirm": "true",
        "payment_method": body.get("payment_method", "pm_card_visa"), "payment_method_types": ["card"],
        "metadata": body.get("metadata", {}),
    }  # fmt: skip
    if body.get("customer"):
        params["customer"] = body["customer"]
    return payment_intents.create(sandbox, Call("POST", "/v1/payment_intents", params))


def cancel_intent(sandbox: Sandbox, body: Obj) -> Obj:
    """Cancels a payment intent at Stripe, unasked by the portal."""
    call = Call("POST", "", {}, path_ids=(body["payment_intent"],))
    return payment_intents.cancel(sandbox, call)


def patch(sandbox: Sandbox, body: Obj) -> Obj:
    """Changes an object's fields without an event: an amount one cent off, `livemode`, an unknown status."""
    for rows in sandbox.store.tables.values():
        obj = rows.get(body["object"])
        if obj is not None:
            obj |= body["changes"]
            sandbox.store.save(obj, kind=obj.get("object"))
            return obj
    raise errors.missing("object", body["object"])


def event(sandbox: Sandbox, body: Obj) -> Obj:
    """An event of any `type` around an `object`, stored and sent as any other."""
    shown = body.get("object") or {"id": "obj_sandbox", "object": "sandbox_thing"}
    return sandbox.emit(body["type"], shown)


def keep_events(sandbox: Sandbox, body: Obj) -> Obj:
    """`keep: true` lifts the 30-day limit of the event list."""
    sandbox.events.keep_all = bool(body.get("keep", True))
    return {"keep_all": sandbox.events.keep_all}


def totals(sandbox: Sandbox, body: Obj) -> Obj:
    """Counts and cents for an oracle."""
    succeeded = [row for row in sandbox.store.table("charge").values() if row["status"] == "succeeded"]
    refunded = [row for row in sandbox.store.table("refund").values() if row["status"] in ("succeeded", "pending")]
    lines = sandbox.store.table("balance_transaction").values()
    return {
        "charges": len(succeeded), "charged_cents": sum(row["amount"] for row in succeeded),
        "refunds": len(refunded), "refunded_cents": sum(row["amount"] for row in refunded),
        "disputes": len(sandbox.store.table("dispute")), "fee_cents": sum(line["fee"] for line in lines),
        "net_cents": sum(line["net"] for line in lines), "events": len(sandbox.store.table("event")),
    }  # fmt: skip


COMMANDS: dict[tuple[str, str], Callable[[Sandbox, Obj], Any]] = {
    ("POST", "refunds"): refund,
    ("POST", "refunds/settle"): refund_settle,
    ("POST", "refunds/fail"): refund_fail,
    ("POST", "disputes"): dispute,
    ("POST", "disputes/close"): dispute_close,
    ("POST", "disputes/escalate"): dispute_escalate,
    ("POST", "bank_debits/settle"): bank_settle,
    ("POST", "bank_debits/return"): bank_return,
    ("POST", "authenticate"): authenticate,
    ("POST", "payment_methods/renew"): card_renewed,
    ("POST", "payment_methods/detach"): method_detach,
    ("POST", "payouts"): payout,
    ("POST", "payouts/fail"): payout_fail,
    ("POST", "charges"): foreign_charge,
    ("POST", "payment_intents/cancel"): cancel_intent,
    ("POST", "objects/patch"): patch,
    ("POST", "events"): event,
    ("POST", "events/keep_all"): keep_events,
    ("GET", "totals"): totals,
}
