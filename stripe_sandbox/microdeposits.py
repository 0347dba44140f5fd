"""Micro-deposit verification of a bank account (docs.stripe.com/payments/ach-direct-debit/accept-a-payment):
amounts 32 and 45, or the code SM11AA; ten wrong tries end it."""

from stripe_sandbox import banks, confirming, errors, forms, intents, payment_methods, setup_intents
from stripe_sandbox.errors import ApiError
from stripe_sandbox.forms import Obj
from stripe_sandbox.routing import Call, route
from stripe_sandbox.sandbox import Sandbox


def verify(sandbox: Sandbox, intent: Obj, params: Obj) -> Obj:
    """Checks the amounts or the code and lets the intent go on."""
    action = intent["next_action"]
    if not action or action["type"] != "verify_with_microdeposits":
        raise intents.wrong_state(intent, "verify microdeposits of", "requires_action")
    method = payment_methods.find(sandbox, intent["payment_method"])
    outcome = _outcome(params)
    if not payment_methods.bank_of(sandbox, method).microdeposits_arrive:
        outcome = "late"
    if outcome == "good":
        sandbox.store.note(method["id"], verified=True)
        if intent["object"] == "setup_intent":
            return setup_intents.succeed(sandbox, intent, method)
        return confirming.begin_bank_debit(sandbox, intent, method)
    tries = int(str(sandbox.store.fact(intent["id"], "wrong_tries") or 0)) + 1
    sandbox.store.note(intent["id"], wrong_tries=tries)
    if outcome == "late":
        raise _end(sandbox, intent, method, "payment_method_microdeposit_verification_timeout",
                   "Microdeposit verification was not completed in time.")  # fmt: skip
    if outcome == "locked" or tries >= banks.MOST_ATTEMPTS:
        raise _end(sandbox, intent, method, "payment_method_microdeposit_verification_attempts_exceeded",
                   "You have exceeded the number of allowed verification attempts.")  # fmt: skip
    given = "amounts" if "amounts" in params else "descriptor_code"
    code = f"payment_method_microdeposit_verification_{given}_mismatch"
    left = banks.MOST_ATTEMPTS - tries
    raise errors.refused(
        f"The {given.replace('_', ' ')} provided does not match what was sent to the bank account. "
        f"You have {left} attempts remaining.", code=code, param=given,
    )  # fmt: skip


def _outcome(params: Obj) -> str:
    code = forms.text(params, "descriptor_code")
    given = forms.words(params, "amounts")
    if (code is None) == (given is None):
        raise errors.invalid("You must provide either amounts or descriptor_code.", code="parameter_missing")
    if code is not None:
        words = {banks.GOOD_CODE: "good", banks.LOCKING_CODE: "locked", banks.LATE_CODE: "late"}
        return words.get(code.upper(), "wrong")
    if len(given or []) != 2 or not all(item.isascii() and item.isdigit() for item in given or []):
        raise errors.invalid(
            "You must provide exactly two amounts.",
            code="payment_method_microdeposit_verification_amounts_invalid", param="amounts",
        )  # fmt: skip
    amounts = {int(item) for item in given or []}
    if amounts == banks.GOOD_AMOUNTS:
        return "good"
    if amounts == banks.LOCKING_AMOUNTS:
        return "locked"
    return "late" if amounts == banks.LATE_AMOUNTS else "wrong"


def _end(sandbox: Sandbox, intent: Obj, method: Obj, code: str, message: str) -> ApiError:
    error = errors.refused(message, code=code)
    failed = setup_intents.fail if intent["object"] == "setup_intent" else confirming.fail
    return failed(sandbox, intent, method, error)


@route(
    "POST",
    "/v1/payment_intents/{}/verify_microdeposits",
    "amounts descriptor_code client_secret",
    public=True,
)
def verify_payment(sandbox: Sandbox, call: Call) -> Obj:
    """For a payment: the debit begins."""
    return verify(sandbox, intents.find(sandbox, "payment_intent", call.path_ids[0], call), call.params)


@route("POST", "/v1/setup_intents/{}/verify_microdeposits", "amounts descriptor_code client_secret", public=True)
def verify_setup(sandbox: Sandbox, call: Call) -> Obj:
    """For a saved account: it is ready."""
    return verify(sandbox, intents.find(sandbox, "setup_intent", call.path_ids[0], call), call.params)
