"""Confirming a payment intent, and what follows later: authentication done, bank debit decided
(docs.stripe.com/payments/paymentintents/lifecycle)."""

from stripe_sandbox import cards, charges, errors, forms, intents, mandates, payment_methods
from stripe_sandbox.errors import ApiError
from stripe_sandbox.forms import Obj
from stripe_sandbox.routing import Call
from stripe_sandbox.sandbox import Sandbox

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def confirm(sandbox: Sandbox, call: Call, intent: Obj) -> Obj:
    """Takes the money, or begins to; raises the refusal with the intent inside it."""
    params = call.params
    if intent["status"] not in CONFIRMABLE:
        if intent["status"] == "succeeded":
            message = (
                "You cannot confirm this PaymentIntent because it has already succeeded after being "
                "previously confirmed."
            )
            raise errors.refused(message, code="payment_intent_unexpected_state", intent=intent)
        raise intents.wrong_state(intent, "confirm", ", ".join(CONFIRMABLE[:2]))
    token = intents.token_for(sandbox, intent, params)
    return_url = forms.text(params, "return_url") or (token["return_url"] if token else None)
    if not call.public:
        intents.check_return_url(intent, return_url, token_used=bool(token and token["return_url"]))
    acceptance = intents.mandate_acceptance(sandbox, params, token)
    if token and token["setup_future_usage"] and not intent["setup_future_usage"]:
        intent["setup_future_usage"] = token["setup_future_usage"]
    if params.get("setup_future_usage"):
        intent["setup_future_usage"] = forms.choice(params, "setup_future_usage", ("on_session", "off_session"))
    method = intents.choose_method(sandbox, intent, params, token)
    intent |= {"payment_method": method["id"], "last_payment_error": None, "next_action": None}
    off_session = params.get("off_session") in ("true", "one_off", "recurring")
    sandbox.store.note(intent["id"], off_session=off_session)
    if method["type"] == "us_bank_account":
        return _confirm_bank(sandbox, call, intent, method, acceptance)
    if call.forced_decline or not _needs_authentication(sandbox, intent, method, off_session=off_session):
        return charge_card(sandbox, intent, method, forced_decline=call.forced_decline)
    if off_session or forms.flag(params, "error_on_requires_action"):
        return charge_card(sandbox, intent, method, forced_decline="authentication_required")
    use_sdk = token is not None or forms.flag(params, "use_stripe_sdk")
    intents.ask_for_authentication(sandbox, intent, return_url=return_url, use_sdk=use_sdk)
    sandbox.store.save(intent)
    sandbox.emit("payment_intent.requires_action", intent)
    return intent


def _needs_authentication(sandbox: Sandbox, intent: Obj, method: Obj, *, off_session: bool) -> bool:
    card = payment_methods.card_of(sandbox, method)
    asked = (intent["payment_method_options"].get("card") or {}).get("request_three_d_secure")
    if card.authenticate == cards.ALWAYS or (asked in ("any", "challenge") and not off_session):
        return True
    if card.authenticate == cards.UNLESS_SET_UP:
        return not (off_session and sandbox.store.fact(method["id"], "set_up"))
    return card.authenticate == cards.ON_SESSION_ONLY and not off_session


def charge_card(
    sandbox: Sandbox,
    intent: Obj,
    method: Obj,
    *,
    forced_decline: str | None = None,
    authenticated: bool = False,
) -> Obj:
    """Charges the card and moves the intent; raises the decline."""
    charge, refusal = charges.decide_card(
        sandbox, intent, method, forced_decline=forced_decline, authenticated=authenticated
    )
    intent["latest_charge"] = charge["id"]
    if refusal:
        raise fail(sandbox, intent, method, refusal)
    succeed(sandbox, intent, method)
    return intent


def succeed(sandbox: Sandbox, intent: Obj, method: Obj) -> None:
    """The money is there."""
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "next_action": None,
        "processing": None,
    }
    _keep_method(sandbox, intent, method)
    sandbox.store.save(intent)
    sandbox.emit("payment_intent.succeeded", intent)


def _keep_method(sandbox: Sandbox, intent: Obj, method: Obj) -> None:
    if intent["setup_future_usage"] and intent["customer"]:
        payment_methods.attach_to(sandbox, method, intent["customer"])
        sandbox.store.note(method["id"], set_up=intent["setup_future_usage"] == "off_session")
    elif not method["customer"]:
        sandbox.store.note(method["id"], used_by=intent["id"])


def fail(sandbox: Sandbox, intent: Obj, method: Obj, refusal: ApiError) -> ApiError:
    """The intent asks for another method; returns the refusal with the intent inside."""
    shown = {**refusal.error, "payment_method": method}
    intent |= {
        "status": "requires_payment_method", "payment_method": None, "next_action": None, "processing": None,
        "last_payment_error": shown,
    }  # fmt: skip
    sandbox.store.save(intent)
    sandbox.emit("payment_intent.payment_failed", intent)
    refusal.error = {**shown, "payment_intent": intent}
    return refusal


def _confirm_bank(sandbox: Sandbox, call: Call, intent: Obj, method: Obj, acceptance: Obj | None) -> Obj:
    mandate = mandates.standing(sandbox, method)
    if mandate is None and acceptance is None:
        raise intents.no_mandate(intent)
    if acceptance:
        multi_use = bool(intent["setup_future_usage"])
        mandate = mandates.grant(sandbox, method, acceptance, multi_use=multi_use, amount=intent["amount"])
    refusal = intents.unproved_account(sandbox, intent, method) or intents.refused_account(sandbox, method)
    if call.forced_decline:
        refusal = charges.refusal(call.forced_decline, charge_id=None)
    if refusal:
        raise fail(sandbox, intent, method, refusal)
    sandbox.store.note(intent["id"], mandate=mandate["id"] if mandate else None)
    if intents.needs_microdeposits(sandbox, intent, method):
        intents.ask_for_microdeposits(sandbox, intent)
        sandbox.store.save(intent)
        sandbox.emit("payment_intent.requires_action", intent)
        return intent
    return begin_bank_debit(sandbox, intent, method)


def begin_bank_debit(sandbox: Sandbox, intent: Obj, method: Obj) -> Obj:
    """`processing` until the bank has answered."""
    mandate_id = sandbox.store.fact(intent["id"], "mandate")
    charge = charges.begin_bank_debit(sandbox, intent, method, mandate_id=str(mandate_id) if mandate_id else None)
    intent |= {"status": "processing", "latest_charge": charge["id"], "next_action": None}
    intent["processing"] = None
    _keep_method(sandbox, intent, method)
    sandbox.store.save(intent)
    sandbox.emit("payment_intent.processing", intent)
    if payment_methods.bank_of(sandbox, method).outcome != "never_ends":
        sandbox.clock.after(sandbox.settings.bank_debit_delay_seconds, "settle_bank_debit", intent["id"])
    return intent


def settle_bank_debit(sandbox: Sandbox, intent_id: str, *, failure: str | None = None) -> None:
    """The bank's answer, as the account number decides or as told."""
    intent = sandbox.store.find("payment_intent", intent_id)
    if intent is None or intent["status"] != "processing":
        return
    method = payment_methods.find(sandbox, intent["payment_method"])
    charge = charges.find(sandbox, intent["latest_charge"])
    bank = payment_methods.bank_of(sandbox, method)
    failure = failure or (bank.failure if bank.outcome == "fails" else None)
    if failure:
        error = charges.fail_bank_debit(sandbox, charge, failure)
        fail(sandbox, intent, method, ApiError(402, error, executed=True))
        return
    charges.settle_bank_debit(sandbox, charge)
    succeed(sandbox, intent, method)
    if bank.outcome == "is_disputed":
        sandbox.clock.after(sandbox.settings.dispute_delay_seconds, "open_dispute", charge["id"])
