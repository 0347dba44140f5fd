"""Disputes (docs.stripe.com/disputes/how-disputes-work). An inquiry (`warning_*`) moves no money. A late
bank return comes as a dispute that is lost from the start (docs.stripe.com/payments/ach-direct-
debit/disputed-payments)."""

from stripe_sandbox import balance, charges, errors, forms, listing, mandates, payment_methods
from stripe_sandbox.forms import Obj
from stripe_sandbox.objects import charges as shapes
from stripe_sandbox.routing import Call, route
from stripe_sandbox.sandbox import Sandbox

DAYS_TO_ANSWER = 7
CLOSED = ("won", "lost", "warning_closed", "prevented")
RETURN_REASONS = {
    "R01": "insufficient_funds", "R02": "bank_cannot_process", "R03": "incorrect_account_details",
    "R04": "incorrect_account_details", "R05": "debit_not_authorized", "R07": "debit_not_authorized",
    "R08": "debit_not_authorized", "R09": "insufficient_funds", "R10": "debit_not_authorized",
    "R11": "debit_not_authorized", "R16": "bank_cannot_process", "R29": "debit_not_authorized",
}  # fmt: skip


def open_dispute(
    sandbox: Sandbox,
    charge: Obj,
    *,
    reason: str = "fraudulent",
    inquiry: bool = False,
    amount: int | None = None,
) -> Obj:
    """The cardholder's bank asks, or takes the money back."""
    status = "warning_needs_response" if inquiry else "needs_response"
    dispute = _new(sandbox, charge, reason=reason, status=status, amount=amount)
    sandbox.store.note(charge["id"], refundable_in_dispute=inquiry)
    sandbox.emit("charge.dispute.created", dispute)
    if not inquiry:
        _withdraw(sandbox, dispute)
    return dispute


def return_bank_debit(sandbox: Sandbox, charge: Obj, *, code: str = "R01") -> Obj:
    """A debit that had succeeded is returned; R05, R07, R10 and their kin end the mandate too."""
    if charge["payment_method_details"]["type"] != "us_bank_account" or charge["status"] != "succeeded":
        raise errors.refused("Only a succeeded bank debit can be returned.")
    reason = RETURN_REASONS.get(code, "bank_cannot_process")
    dispute = _new(sandbox, charge, reason=reason, status="lost", amount=None)
    dispute["network_reason_code"] = code
    sandbox.emit("charge.dispute.created", dispute)
    _withdraw(sandbox, dispute)
    sandbox.emit("charge.dispute.closed", dispute)
    mandate_id = charge["payment_method_details"]["us_bank_account"]["mandate"]
    if reason == "debit_not_authorized" and mandate_id:
        mandates.revoke(sandbox, mandate_id)
    return dispute


def escalate(sandbox: Sandbox, dispute: Obj) -> Obj:
    """An inquiry becomes a dispute and takes the money."""
    if not dispute["status"].startswith("warning"):
        raise errors.refused("Only an inquiry can become a dispute.")
    previous = {"status": dispute["status"]}
    dispute |= {"status": "needs_response", "is_charge_refundable": False}
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    sandbox.store.note(dispute["charge"], refundable_in_dispute=False)
    sandbox.store.save(dispute)
    sandbox.emit("charge.dispute.updated", dispute, previous=previous)
    _withdraw(sandbox, dispute)
    return dispute


def close(sandbox: Sandbox, dispute: Obj, *, status: str) -> Obj:
    """The decision: `won` and `prevented` give the money back, `lost` keeps it, `warning_closed` ends an
    inquiry."""
    if dispute["status"] in CLOSED:
        raise errors.refused("This dispute is already closed.", code="dispute_unexpected_state")
    if status not in CLOSED or (status == "warning_closed") != dispute["status"].startswith("warning"):
        raise errors.refused(f"A dispute in {dispute['status']} cannot become {status}.")
    dispute["status"] = status
    withdrawn = -sum(line["amount"] for line in dispute["balance_transactions"])
    if status in ("won", "prevented") and withdrawn:
        line = balance.record(
            sandbox, "adjustment", amount=withdrawn, source=dispute["id"], category="dispute_reversal"
        )
        dispute["balance_transactions"].append(line)
    sandbox.store.save(dispute)
    if status in ("won", "prevented") and withdrawn:
        sandbox.emit("charge.dispute.funds_reinstated", dispute)
    sandbox.emit("charge.dispute.closed", dispute)
    return dispute


def open_by_test_card(sandbox: Sandbox, charge_id: str) -> None:
    """What the disputed test cards and account 000555555559 do a moment after the charge."""
    charge = charges.find(sandbox, charge_id)
    method = payment_methods.find(sandbox, charge["payment_method"])
    if method["type"] == "us_bank_account":
        return_bank_debit(sandbox, charge, code="R10")
        return
    kind = payment_methods.card_of(sandbox, method).dispute
    if kind == "fraud_warning":
        return
    inquiry = kind == "inquiry"
    open_dispute(sandbox, charge, reason="fraudulent" if inquiry or not kind else kind, inquiry=inquiry)


def _new(sandbox: Sandbox, charge: Obj, *, reason: str, status: str, amount: int | None) -> Obj:
    if charge["status"] != "succeeded" or charge["disputed"]:
        raise errors.refused("Only a succeeded charge that is not disputed can be disputed.")
    now = sandbox.now()
    dispute = shapes.dispute(
        charge, amount=amount or charge["amount"], created=now, reason=reason, status=status,
        due_by=now + DAYS_TO_ANSWER * 86400,
    )  # fmt: skip
    charge["disputed"] = True
    sandbox.store.save(charge)
    return sandbox.store.save(dispute)


def _withdraw(sandbox: Sandbox, dispute: Obj) -> None:
    line = balance.record(
        sandbox, "adjustment", amount=-dispute["amount"], fee=sandbox.settings.dispute_fee_cents,
        source=dispute["id"], category="dispute",
    )  # fmt: skip
    line["description"] = f"Chargeback withdrawal for {dispute['charge']}"
    dispute["balance_transactions"].append(line)
    sandbox.store.save(dispute)
    sandbox.emit("charge.dispute.funds_withdrawn", dispute)


def find(sandbox: Sandbox, dispute_id: str) -> Obj:
    """A dispute, or 404."""
    dispute = sandbox.store.find("dispute", dispute_id)
    if dispute is None:
        raise errors.missing("dispute", dispute_id)
    return dispute


@route("GET", "/v1/disputes/{}")
def retrieve(sandbox: Sandbox, call: Call) -> Obj:
    """One dispute."""
    return find(sandbox, call.path_ids[0])


@route("POST", "/v1/disputes/{}", "evidence metadata submit")
def update(sandbox: Sandbox, call: Call) -> Obj:
    """Evidence; `winning_evidence` and `losing_evidence` decide, as in Stripe's tests."""
    dispute = find(sandbox, call.path_ids[0])
    given = forms.hash_of(call.params, "evidence")
    dispute["metadata"] = forms.merged_metadata(dispute["metadata"], call.params)
    dispute["evidence"].update({name: value for name, value in given.items() if name in dispute["evidence"]})
    dispute["evidence_details"]["has_evidence"] = bool(given) or dispute["evidence_details"]["has_evidence"]
    if given and forms.flag(call.params, "submit", default=True):
        inquiry = dispute["status"].startswith("warning")
        dispute["status"] = "warning_under_review" if inquiry else "under_review"
        dispute["evidence_details"]["submission_count"] += 1
    sandbox.store.save(dispute)
    sandbox.emit("charge.dispute.updated", dispute)
    decisive = {"winning_evidence": "won", "losing_evidence": "lost"}.get(given.get("uncategorized_text", ""))
    return close(sandbox, dispute, status=decisive) if decisive else dispute


@route("POST", "/v1/disputes/{}/close")
def accept(sandbox: Sandbox, call: Call) -> Obj:
    """The plan accepts the loss."""
    return close(sandbox, find(sandbox, call.path_ids[0]), status="lost")


@route("GET", "/v1/disputes", "limit starting_after ending_before created charge payment_intent")
def list_all(sandbox: Sandbox, call: Call) -> Obj:
    """Disputes, newest first."""
    tests = [listing.created_test(call.params), *listing.equals(call.params, "charge", "payment_intent")]
    return listing.page(sandbox.store.newest_first("dispute"), call.params, url="/v1/disputes", tests=tests)
