"""Charges (docs.stripe.com/api/charges): one for each try to take money; made by payment intents only."""

import datetime

from stripe_sandbox import balance, banks, cards, errors, listing, payment_methods
from stripe_sandbox.cards import Card
from stripe_sandbox.errors import ApiError
from stripe_sandbox.forms import Obj, merged_metadata
from stripe_sandbox.objects import charges as shapes
from stripe_sandbox.routing import Call, route
from stripe_sandbox.sandbox import Sandbox


def decide_card(
    sandbox: Sandbox, intent: Obj, method: Obj, *, forced_decline: str | None, authenticated: bool
) -> tuple[Obj, ApiError | None]:
    """Charges a card: the charge, and the refusal when there is one."""
    card = payment_methods.card_of(sandbox, method)
    decline = forced_decline or card.decline
    charge = _new(sandbox, intent, method)
    charge["payment_method_details"] = shapes.card_details(
        method, amount=intent["amount"], authenticated=authenticated, succeeded=decline is None
    )
    if decline is None:
        _succeed(sandbox, charge, card)
        return charge, None
    error = refusal(decline, charge_id=charge["id"])
    _fail_card(sandbox, charge, card, decline, error)
    return charge, error


def begin_bank_debit(sandbox: Sandbox, intent: Obj, method: Obj, *, mandate_id: str | None) -> Obj:
    """A pending bank debit."""
    charge = _new(sandbox, intent, method)
    date = datetime.datetime.fromtimestamp(sandbox.now() + 86400, datetime.UTC).date().isoformat()
    charge["payment_method_details"] = shapes.bank_details(method, mandate_id=mandate_id, expected_debit_date=date)
    charge["paid"] = True
    charge["outcome"] = shapes.approved(risk="not_assessed", score=0)
    del charge["outcome"]["risk_score"]
    sandbox.store.save(charge)
    sandbox.emit("charge.pending", charge)
    return charge


def settle_bank_debit(sandbox: Sandbox, charge: Obj) -> None:
    """The bank paid."""
    charge |= {"status": "succeeded", "paid": True, "captured": True, "amount_captured": charge["amount"]}
    line = balance.record(
        sandbox, "payment", amount=charge["amount"], fee=balance.bank_debit_fee(charge["amount"]),
        source=charge["id"], category="charge", wait=sandbox.settings.bank_available_after_seconds,
    )  # fmt: skip
    charge["balance_transaction"] = line["id"]
    sandbox.store.save(charge)
    sandbox.emit("charge.succeeded", charge)


def fail_bank_debit(sandbox: Sandbox, charge: Obj, failure: str) -> Obj:
    """The bank refused; returns the error for the intent."""
    message = banks.message_of(failure)
    charge |= {"status": "failed", "paid": False, "failure_code": failure, "failure_message": message}
    charge["outcome"] = None
    sandbox.store.save(charge)
    sandbox.emit("charge.failed", charge)
    return {"type": "card_error", "charge": charge["id"], "code": failure, "doc_url": errors.doc_url(failure),
            "message": message, "network_decline_code": banks.RETURN_CODES.get(failure)}  # fmt: skip


def refusal(decline: str, *, charge_id: str | None) -> ApiError:
    """The 402 for a decline code."""
    return errors.declined(
        cards.message_of(decline), code=cards.code_of(decline), decline_code=decline, charge=charge_id,
        advice_code=cards.advice_of(decline),
    )  # fmt: skip


def _new(sandbox: Sandbox, intent: Obj, method: Obj) -> Obj:
    settings = sandbox.settings
    return shapes.charge(
        intent,
        method,
        created=sandbox.now(),
        descriptor=settings.statement_descriptor,
        base_url=settings.base_url,
    )


def _succeed(sandbox: Sandbox, charge: Obj, card: Card) -> None:
    amount = charge["amount"]
    charge |= {"status": "succeeded", "paid": True, "captured": True, "amount_captured": amount}
    charge["outcome"] = shapes.approved(risk=card.risk, score=card.risk_score)
    wait = 0 if card.available_at_once else sandbox.settings.card_available_after_seconds
    line = balance.record(
        sandbox,
        "charge",
        amount=amount,
        fee=balance.card_fee(amount),
        source=charge["id"],
        category="charge",
        wait=wait,
    )
    line["description"] = charge["description"]
    charge["balance_transaction"] = line["id"]
    sandbox.store.save(charge)
    sandbox.emit("charge.succeeded", charge)
    if card.dispute:
        sandbox.clock.after(sandbox.settings.dispute_delay_seconds, "open_dispute", charge["id"])


def _fail_card(sandbox: Sandbox, charge: Obj, card: Card, decline: str, error: ApiError) -> None:
    charge |= {
        "status": "failed",
        "failure_code": error.error["code"],
        "failure_message": error.error["message"],
    }
    blocked = card.risk == "highest" and decline == "fraudulent"
    charge["outcome"] = shapes.refused(
        decline, risk=card.risk, score=card.risk_score, advice=cards.advice_of(decline), blocked=blocked
    )
    sandbox.store.save(charge)
    sandbox.emit("charge.failed", charge)


def find(sandbox: Sandbox, charge_id: str, *, param: str = "charge", status: int = 404) -> Obj:
    """A charge, or `resource_missing`."""
    charge = sandbox.store.find("charge", charge_id)
    if charge is None:
        raise errors.missing("charge", charge_id, param=param, status=status)
    return charge


@route("GET", "/v1/charges/{}")
def retrieve(sandbox: Sandbox, call: Call) -> Obj:
    """One charge."""
    return find(sandbox, call.path_ids[0])


@route("POST", "/v1/charges/{}", "description metadata receipt_email fraud_details")
def update(sandbox: Sandbox, call: Call) -> Obj:
    """Changes what may be changed."""
    charge = find(sandbox, call.path_ids[0])
    if "description" in call.params:
        charge["description"] = call.params["description"] or None
    charge["metadata"] = merged_metadata(charge["metadata"], call.params)
    sandbox.store.save(charge)
    sandbox.emit("charge.updated", charge)
    return charge


@route("GET", "/v1/charges", "limit starting_after ending_before created customer payment_intent transfer_group")
def list_all(sandbox: Sandbox, call: Call) -> Obj:
    """Charges, newest first."""
    tests = [listing.created_test(call.params), *listing.equals(call.params, "customer", "payment_intent")]
    return listing.page(sandbox.store.newest_first("charge"), call.params, url="/v1/charges", tests=tests)
