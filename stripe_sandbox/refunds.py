"""Refunds (docs.stripe.com/api/refunds, docs.stripe.com/refunds): never more in sum than the charge; a
failed one gives the money back to the balance and to the charge's open part."""

from stripe_sandbox import balance, charges, errors, forms, listing, payment_methods
from stripe_sandbox.forms import Obj
from stripe_sandbox.objects import charges as shapes
from stripe_sandbox.routing import Call, route
from stripe_sandbox.sandbox import Sandbox

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def issue(
    sandbox: Sandbox, charge: Obj, *, amount: int | None = None, reason: str | None = None,
    metadata: Obj | None = None, behaviour: str | None = None,
) -> Obj:  # fmt: skip
    """Refunds part or all (no amount) of a charge; raises when the charge does not allow it."""
    left = charge["amount"] - charge["amount_refunded"]
    _check(sandbox, charge, amount, left)
    sent = left if amount is None else amount
    refund = shapes.refund(charge, amount=sent, created=sandbox.now(), reason=reason, metadata=metadata or {})
    is_card = charge["payment_method_details"]["type"] == "card"
    behaviour = behaviour or (_behaviour(sandbox, charge) if is_card else "pending")
    line = balance.record(
        sandbox,
        "refund" if is_card else "payment_refund",
        amount=-sent,
        source=refund["id"],
        category="refund",
    )
    refund["balance_transaction"] = line["id"]
    refund["status"] = "pending" if behaviour in ("pending", "pending_then_fails") else "succeeded"
    if behaviour != "succeeded":
        refund_later = "fail_refund" if "fails" in behaviour else "settle_refund"
        sandbox.clock.after(sandbox.settings.refund_delay_seconds, refund_later, refund["id"])
    sandbox.store.save(refund)
    _add_to_charge(sandbox, charge, sent)
    sandbox.emit("refund.created", refund)
    sandbox.emit("charge.refunded", charge)
    if refund["status"] == "succeeded":
        sandbox.emit("refund.updated", refund)
    return refund


def _check(sandbox: Sandbox, charge: Obj, amount: int | None, left: int) -> None:
    name = charge["id"]
    if charge["status"] != "succeeded":
        raise errors.refused(f"This charge ({name}) is not refundable in status {charge['status']}.",
                             code="charge_not_refundable")  # fmt: skip
    if charge["disputed"] and not sandbox.store.fact(name, "refundable_in_dispute"):
        raise errors.refused(f"Charge {name} has been charged back; cannot issue a refund.", code="charge_disputed")
    if left == 0:
        raise errors.refused(f"Charge {name} has already been refunded.", code="charge_already_refunded")
    if amount is not None and amount <= 0:
        raise errors.invalid("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount is not None and amount > left:
        message = f"Refund amount (${amount / 100:.2f}) is greater than unrefunded amount on charge (${left / 100:.2f})"
        raise errors.refused(message, param="amount")


def _behaviour(sandbox: Sandbox, charge: Obj) -> str:
    method = payment_methods.find(sandbox, charge["payment_method"])
    return payment_methods.card_of(sandbox, method).refund


def _add_to_charge(sandbox: Sandbox, charge: Obj, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    sandbox.store.save(charge)


def settle(sandbox: Sandbox, refund_id: str) -> None:
    """A pending refund went through."""
    refund = sandbox.store.find("refund", refund_id)
    if refund and refund["status"] == "pending":
        refund["status"] = "succeeded"
        sandbox.store.save(refund)
        sandbox.emit("refund.updated", refund, previous={"status": "pending"})
        sandbox.emit("charge.refund.updated", refund, previous={"status": "pending"})


def fail(sandbox: Sandbox, refund_id: str, *, reason: str = "expired_or_canceled_card") -> None:
    """The refund could not be delivered, though it may have been shown as succeeded."""
    refund = sandbox.store.find("refund", refund_id)
    if refund is None or refund["status"] not in ("pending", "succeeded"):
        return
    previous = {"status": refund["status"]}
    charge = charges.find(sandbox, refund["charge"])
    kind = "refund_failure" if charge["payment_method_details"]["type"] == "card" else "payment_failure_refund"
    line = balance.record(sandbox, kind, amount=refund["amount"], source=refund["id"], category="refund_failure")
    refund |= {"status": "failed", "failure_reason": reason, "failure_balance_transaction": line["id"]}
    sandbox.store.save(refund)
    _add_to_charge(sandbox, charge, -refund["amount"])
    sandbox.emit("refund.failed", refund, previous=previous)
    sandbox.emit("refund.updated", refund, previous=previous)
    sandbox.emit("charge.refund.updated", refund, previous=previous)


@route("POST", "/v1/refunds", "charge payment_intent amount reason metadata currency instructions_email")
def create(sandbox: Sandbox, call: Call) -> Obj:
    """A refund of a charge, or of a payment intent's charge."""
    params = call.params
    charge_id, intent_id = forms.text(params, "charge"), forms.text(params, "payment_intent")
    if intent_id:
        intent = sandbox.store.find("payment_intent", intent_id)
        if intent is None:
            raise errors.missing("payment_intent", intent_id, param="payment_intent", status=400)
        charge_id = intent["latest_charge"]
        if not charge_id or charges.find(sandbox, charge_id)["status"] == "failed":
            message = f"This PaymentIntent ({intent_id}) does not have a successful charge to refund."
            raise errors.refused(message, code="payment_intent_unexpected_state", param="payment_intent")
    if not charge_id:
        raise errors.invalid("One of the following params should be provided for this request: "
                             "payment_intent or charge.", code="parameter_missing")  # fmt: skip
    currency = forms.text(params, "currency")
    if currency and currency != "usd":
        raise errors.invalid("The currency of the refund must match the charge's.", param="currency")
    charge = charges.find(sandbox, charge_id, status=400)
    return issue(
        sandbox, charge, amount=forms.integer(params, "amount"),
        reason=forms.choice(params, "reason", REASONS),
        metadata=forms.merged_metadata({}, params),
    )  # fmt: skip


def _find(sandbox: Sandbox, call: Call) -> Obj:
    refund = sandbox.store.find("refund", call.path_ids[0])
    if refund is None:
        raise errors.missing("refund", call.path_ids[0])
    return refund


@route("GET", "/v1/refunds/{}")
def retrieve(sandbox: Sandbox, call: Call) -> Obj:
    """One refund."""
    return _find(sandbox, call)


@route("POST", "/v1/refunds/{}", "metadata")
def update(sandbox: Sandbox, call: Call) -> Obj:
    """Changes the metadata."""
    refund = _find(sandbox, call)
    refund["metadata"] = forms.merged_metadata(refund["metadata"], call.params)
    sandbox.store.save(refund)
    sandbox.emit("refund.updated", refund)
    return refund


@route("POST", "/v1/refunds/{}/cancel")
def cancel(sandbox: Sandbox, call: Call) -> Obj:
    """Only refunds in `requires_action` can be cancelled, and none here ever is."""
    refund = _find(sandbox, call)
    raise errors.refused(f"You cannot cancel a refund in status {refund['status']}.", code="refund_unexpected_state")


@route("GET", "/v1/refunds", "limit starting_after ending_before created charge payment_intent")
def list_all(sandbox: Sandbox, call: Call) -> Obj:
    """Refunds, newest first."""
    tests = [listing.created_test(call.params), *listing.equals(call.params, "charge", "payment_intent")]
    return listing.page(sandbox.store.newest_first("refund"), call.params, url="/v1/refunds", tests=tests)


@route("GET", "/v1/charges/{}/refunds", "limit starting_after ending_before")
def list_of_charge(sandbox: Sandbox, call: Call) -> Obj:
    """A charge's refunds."""
    charge_id = call.path_ids[0]
    rows = (row for row in sandbox.store.newest_first("refund") if row["charge"] == charge_id)
    return listing.page(rows, call.params, url=f"/v1/charges/{charge_id}/refunds")
