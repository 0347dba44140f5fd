"""What payment intents and setup intents share: choosing the method, asking for authentication, their
errors."""

import datetime

from stripe_sandbox import banks, confirmation_tokens, customers, errors, forms, mandates, payment_methods
from stripe_sandbox.forms import Obj
from stripe_sandbox.routing import Call
from stripe_sandbox.sandbox import Sandbox

AUTOMATIC_TYPES = ["card", "us_bank_account"]
NAMES = {"payment_intent": "PaymentIntent", "setup_intent": "SetupIntent"}


def find(sandbox: Sandbox, kind: str, intent_id: str, call: Call | None = None) -> Obj:
    """An intent; a publishable key needs its client secret."""
    intent = sandbox.store.find(kind, intent_id)
    if intent is None:
        raise errors.missing(kind, intent_id, param="intent")
    if call and call.public:
        given = forms.required_text(call.params, "client_secret")
        if given != intent["client_secret"]:
            message = f"The client_secret provided does not match the client_secret associated with this {NAMES[kind]}."
            raise errors.invalid(message, code=f"{kind}_invalid_parameter", param="client_secret")
    return intent


def wrong_state(intent: Obj, doing: str, allowed: str) -> errors.ApiError:
    """`payment_intent_unexpected_state` and its sister."""
    kind = intent["object"]
    message = (
        f"You cannot {doing} this {NAMES[kind]} because it has a status of {intent['status']}. "
        f"Only a {NAMES[kind]} with one of the following statuses may do so: {allowed}."
    )
    return errors.refused(message, code=f"{kind}_unexpected_state", intent=intent)


def set_types(intent: Obj, params: Obj) -> None:
    """`payment_method_types` or `automatic_payment_methods`; the latter is the default of the API."""
    listed = forms.words(params, "payment_method_types")
    automatic = forms.hash_of(params, "automatic_payment_methods")
    if listed and automatic.get("enabled") == "true":
        raise errors.invalid(
            "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.",
            param="payment_method_types",
        )
    if listed:
        for kind in listed:
            if kind not in (*AUTOMATIC_TYPES, "link"):
                message = f"The payment method type provided: {kind} is invalid or not activated."
                raise errors.invalid(message, code="payment_intent_invalid_parameter", param="payment_method_types")
        intent["payment_method_types"] = listed
    elif automatic.get("enabled") != "false":
        redirects = forms.choice(automatic, "allow_redirects", ("always", "never"), default="always")
        intent["automatic_payment_methods"] = {"allow_redirects": redirects, "enabled": True}
        intent["payment_method_types"] = list(AUTOMATIC_TYPES)


def check_return_url(intent: Obj, return_url: str | None, *, token_used: bool) -> None:
    """With automatic methods that may redirect, a server's confirm must say where to return to."""
    automatic = intent["automatic_payment_methods"]
    if automatic and automatic["allow_redirects"] == "always" and not return_url and not token_used:
        name = NAMES[intent["object"]]
        raise errors.invalid(
            f"This {name} is configured to accept payment methods enabled in your Dashboard. Because some "
            f"of these "
            "payment methods might redirect your customer off of your page, you must provide a "
            "`return_url`. If you "
            f"don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` "
            f"to `true` "
            f"and `automatic_payment_methods[allow_redirects]` to `never` when creating {name}s.",
            param="return_url",
        )


def token_for(sandbox: Sandbox, intent: Obj, params: Obj) -> Obj | None:
    """The confirmation token named, checked against the intent, not yet used up."""
    token_id = forms.text(params, "confirmation_token")
    if not token_id:
        return None
    if params.get("payment_method") or params.get("payment_method_data"):
        raise errors.invalid(
            "You may only specify one of these parameters: confirmation_token, payment_method.",
            param="confirmation_token",
        )
    token = confirmation_tokens.peek(sandbox, token_id)
    _check_type(intent, token["payment_method_preview"]["type"])
    usage, wanted = token["setup_future_usage"], intent.get("setup_future_usage")
    if intent["object"] == "payment_intent" and usage and wanted and usage != wanted:
        raise errors.invalid(
            f"The provided setup_future_usage ({wanted}) does not match the expected setup_future_usage "
            f"({usage}). "
            "Try confirming with a Payment Intent that is configured to use the same parameters as Stripe "
            "Elements.",
            param="setup_future_usage",
        )
    return token


def choose_method(sandbox: Sandbox, intent: Obj, params: Obj, token: Obj | None) -> Obj:
    """The method to use, checked against the intent's customer and types."""
    if token:
        method = confirmation_tokens.spend(sandbox, token, intent)
    elif params.get("payment_method_data"):
        method = payment_methods.from_data(sandbox, forms.hash_of(params, "payment_method_data"))
    else:
        method_id = forms.text(params, "payment_method") or intent["payment_method"]
        if not method_id:
            kind = intent["object"]
            raise errors.refused(
                f"You cannot confirm this {NAMES[kind]} because it's missing a payment method. You can "
                f"either update "
                f"the {NAMES[kind]} with a payment method and then confirm it again, or confirm it again "
                f"directly "
                "with a payment method or ConfirmationToken.",
                code=f"{kind}_unexpected_state", intent=intent,
            )  # fmt: skip
        method = payment_methods.find(sandbox, method_id)
    check_method(sandbox, intent, method)
    return method


def check_method(sandbox: Sandbox, intent: Obj, method: Obj) -> None:
    """Refuses a method of the wrong type, of another customer, or used up."""
    _check_type(intent, method["type"])
    owner, customer = method["customer"], intent["customer"]
    if owner and not customer:
        raise errors.invalid(
            f"The payment method supplied ({method['id']}) belongs to a Customer. Please include the "
            f"Customer in the "
            f"`customer` parameter on the {NAMES[intent['object']]}.",
            param="payment_method",
        )
    if owner and owner != customer:
        raise errors.invalid(
            f"The payment method supplied ({method['id']}) does not belong to the Customer {customer}.",
            code="payment_method_customer_mismatch", param="payment_method",
        )  # fmt: skip
    facts = sandbox.store.facts[method["id"]]
    if facts.get("detached") or (not owner and facts.get("used_by") not in (None, intent["id"])):
        raise errors.invalid(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
            "attachment, shared "
            "with a connected account without Customer attachment, or was detached from a Customer. It may "
            "not be "
            "used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.",
            param="payment_method",
        )


def _check_type(intent: Obj, kind: str) -> None:
    if kind not in intent["payment_method_types"]:
        wanted = ", ".join(intent["payment_method_types"])
        raise errors.invalid(
            f"The PaymentMethod provided ({kind}) is not allowed for this {NAMES[intent['object']]}. Please "
            f"attempt "
            f"again with one of these types: {wanted}.",
            code=f"{intent['object']}_incompatible_payment_method", param="payment_method",
        )  # fmt: skip


def customer_for(sandbox: Sandbox, params: Obj) -> str | None:
    """The customer named, checked."""
    customer_id = forms.text(params, "customer")
    return customers.find(sandbox, customer_id)["id"] if customer_id else None


def mandate_acceptance(sandbox: Sandbox, params: Obj, token: Obj | None) -> Obj | None:
    """The acceptance given with the call or gathered by the element, or None."""
    data = forms.hash_of(params, "mandate_data")
    if data:
        return mandates.acceptance_from(sandbox, data)
    if token and token["mandate_data"]:
        given = token["mandate_data"]["customer_acceptance"]
        return {"accepted_at": sandbox.now(), **given}
    return None


def no_mandate(intent: Obj) -> errors.ApiError:
    """A bank debit without the member's leave."""
    name = NAMES[intent["object"]]
    message = (
        f"This {name} requires a mandate, but no existing mandate was found. Collect mandate acceptance "
        f"from the "
        "customer and try again, providing acceptance data in the mandate_data parameter."
    )
    return errors.refused(message, code=f"{intent['object']}_mandate_invalid", param="mandate_data")


def ask_for_authentication(sandbox: Sandbox, intent: Obj, *, return_url: str | None, use_sdk: bool) -> None:
    """3-D Secure: Stripe.js handles `use_stripe_sdk`; `redirect_to_url` sends the browser there and back."""
    secret = intent["client_secret"]
    page = f"{sandbox.settings.base_url}/v3/three-d-secure/{intent['id']}?client_secret={secret}"
    intent["status"] = "requires_action"
    if return_url and not use_sdk:
        intent["next_action"] = {
            "redirect_to_url": {"return_url": return_url, "url": page}, "type": "redirect_to_url",
        }  # fmt: skip
    else:
        intent["next_action"] = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {
                "source": f"src_{intent['id']}",
                "stripe_js": page,
                "type": "three_d_secure_redirect",
            },
        }
    sandbox.store.note(intent["id"], return_url=return_url)


def ask_for_microdeposits(sandbox: Sandbox, intent: Obj) -> None:
    """Two small deposits, or one with a code, whose value the member reads off their statement."""
    arrival = datetime.datetime.fromtimestamp(sandbox.now() + 2 * 86400, datetime.UTC)
    arrival = arrival.replace(hour=8, minute=0, second=0, microsecond=0)
    secret = intent["client_secret"]
    intent["status"] = "requires_action"
    intent["next_action"] = {
        "type": "verify_with_microdeposits",
        "verify_with_microdeposits": {
            "arrival_date": int(arrival.timestamp()),
            "hosted_verification_url": f"{sandbox.settings.base_url}/v3/microdeposits/{intent['id']}"
            f"?client_secret={secret}",
            "microdeposit_type": "amounts",
        },
    }


def needs_microdeposits(sandbox: Sandbox, intent: Obj, method: Obj) -> bool:
    """Whether the account's owner is still to be proved."""
    if sandbox.store.fact(method["id"], "verified"):
        return False
    chosen = (intent["payment_method_options"].get("us_bank_account") or {}).get("verification_method", "automatic")
    return chosen in ("automatic", "microdeposits")


def unproved_account(sandbox: Sandbox, intent: Obj, method: Obj) -> errors.ApiError | None:
    """An account that was not proved at once, where the intent asks for that."""
    chosen = (intent["payment_method_options"].get("us_bank_account") or {}).get("verification_method")
    if chosen != "instant" or sandbox.store.fact(method["id"], "verified"):
        return None
    message = "The bank account must be verified instantly, as verification_method asks for."
    return errors.refused(message, code="payment_method_bank_account_not_verified")


def refused_account(sandbox: Sandbox, method: Obj) -> errors.ApiError | None:
    """A debit that Stripe refuses before it goes to the bank."""
    bank = payment_methods.bank_of(sandbox, method)
    if bank.outcome != "is_refused":
        return None
    code = "payment_intent_payment_attempt_failed" if bank.failure == "fraudulent" else str(bank.failure)
    return errors.declined(banks.message_of(str(bank.failure)), code=code)
