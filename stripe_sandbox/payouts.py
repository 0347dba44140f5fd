"""Payouts (docs.stripe.com/api/payouts). An automatic one takes every line not yet paid out; a manual one
cannot be broken down, at Stripe and here."""

from stripe_sandbox import balance, errors, forms, listing
from stripe_sandbox.forms import Obj
from stripe_sandbox.objects import money
from stripe_sandbox.routing import Call, route
from stripe_sandbox.sandbox import Sandbox


def make_automatic(sandbox: Sandbox, *, only_available: bool = False, paid: bool = True) -> Obj:
    """Pays out all lines no payout has taken; raises when they come to nothing."""
    lines = [
        line
        for line in sandbox.store.table("balance_transaction").values()
        if not sandbox.store.fact(line["id"], "payout")
        and (not only_available or balance.refresh(sandbox, line)["status"] == "available")
    ]
    total = sum(line["net"] for line in lines)
    if total <= 0:
        raise errors.refused("You have insufficient funds in your Stripe account.", code="balance_insufficient")
    payout = _save(sandbox, amount=total, automatic=True)
    for line in lines:
        sandbox.store.note(line["id"], payout=payout["id"])
    sandbox.emit("payout.reconciliation_completed", payout)
    return settle(sandbox, payout) if paid else payout


def settle(sandbox: Sandbox, payout: Obj) -> Obj:
    """The bank has it."""
    payout["status"] = "paid"
    payout["trace_id"] = {"status": "supported", "value": payout["id"][-12:].upper()}
    sandbox.store.save(payout)
    sandbox.emit("payout.paid", payout)
    return payout


def fail(sandbox: Sandbox, payout: Obj, *, code: str = "account_closed") -> Obj:
    """The bank sent it back; the lines stay with the payout and a `payout_failure` line restores the
    balance."""
    line = balance.record(
        sandbox, "payout_failure", amount=payout["amount"], source=payout["id"], category="payout_reversal"
    )
    payout |= {"status": "failed", "failure_code": code, "failure_balance_transaction": line["id"]}
    payout["failure_message"] = "The bank account has been closed."
    sandbox.store.save(payout)
    sandbox.emit("payout.failed", payout)
    return payout


def _save(sandbox: Sandbox, *, amount: int, automatic: bool) -> Obj:
    now = sandbox.now()
    payout = money.payout(amount=amount, created=now, automatic=automatic, arrival_date=now + 2 * 86400)
    line = balance.record(sandbox, "payout", amount=-amount, source=payout["id"], category="payout")
    sandbox.store.note(line["id"], payout=payout["id"])
    payout["balance_transaction"] = line["id"]
    sandbox.store.save(payout)
    sandbox.emit("payout.created", payout)
    return payout


@route("POST", "/v1/payouts", "amount currency description metadata method statement_descriptor destination")
def create(sandbox: Sandbox, call: Call) -> Obj:
    """A manual payout, out of the available balance."""
    amount = forms.integer(call.params, "amount")
    if amount is None:
        raise errors.parameter_missing("amount")
    available = balance.retrieve_balance(sandbox, call)["available"][0]["amount"]
    if amount <= 0 or amount > available:
        raise errors.refused(
            "You have insufficient funds in your Stripe account.", code="balance_insufficient", param="amount"
        )
    payout = _save(sandbox, amount=amount, automatic=False)
    payout["metadata"] = forms.merged_metadata({}, call.params)
    return payout


def find(sandbox: Sandbox, payout_id: str) -> Obj:
    """A payout, or 404."""
    payout = sandbox.store.find("payout", payout_id)
    if payout is None:
        raise errors.missing("payout", payout_id)
    return payout


@route("GET", "/v1/payouts/{}")
def retrieve(sandbox: Sandbox, call: Call) -> Obj:
    """One payout."""
    return find(sandbox, call.path_ids[0])


@route("GET", "/v1/payouts", "limit starting_after ending_before created arrival_date status destination")
def list_all(sandbox: Sandbox, call: Call) -> Obj:
    """Payouts, newest first."""
    tests = [
        listing.created_test(call.params), listing.created_test(call.params, "arrival_date"),
        *listing.equals(call.params, "status", "destination"),
    ]  # fmt: skip
    return listing.page(sandbox.store.newest_first("payout"), call.params, url="/v1/payouts", tests=tests)
