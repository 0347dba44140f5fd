"""3-D Secure: what the challenge's two buttons do (docs.stripe.com/payments/3d-secure)."""

from stripe_sandbox import confirming, errors, intents, payment_methods, setup_intents
from stripe_sandbox.errors import ApiError
from stripe_sandbox.forms import Obj
from stripe_sandbox.sandbox import Sandbox


def find_intent(sandbox: Sandbox, intent_id: str, client_secret: str) -> Obj:
    """The intent a challenge page speaks of; raises unless the secret fits."""
    kind = "payment_intent" if intent_id.startswith("pi_") else "setup_intent"
    intent = intents.find(sandbox, kind, intent_id)
    if intent["client_secret"] != client_secret:
        raise errors.missing(kind, intent_id)
    return intent


def waits(intent: Obj) -> bool:
    """Whether the intent waits for a challenge."""
    action = intent["next_action"]
    return bool(action and action["type"] in ("use_stripe_sdk", "redirect_to_url"))


def finish(sandbox: Sandbox, intent: Obj, *, passed: bool) -> Obj:
    """Ends the challenge; the intent tells what became of it. A second click changes nothing."""
    if not waits(intent):
        return intent
    method = payment_methods.find(sandbox, intent["payment_method"])
    is_payment = intent["object"] == "payment_intent"
    module_fail = confirming.fail if is_payment else setup_intents.fail
    try:
        if not passed:
            raise module_fail(sandbox, intent, method, _failed(intent))
        if is_payment:
            confirming.charge_card(sandbox, intent, method, authenticated=True)
        else:
            setup_intents.succeed(sandbox, intent, method)
    except ApiError:
        return intent
    return intent


def _failed(intent: Obj) -> ApiError:
    message = (
        "We are unable to authenticate your payment method. Please choose a different payment method and try again."
    )
    code = f"{intent['object']}_authentication_failure"
    error = {
        "type": "invalid_request_error",
        "code": code,
        "doc_url": errors.doc_url(code),
        "message": message,
    }
    return ApiError(402, error, executed=True)
