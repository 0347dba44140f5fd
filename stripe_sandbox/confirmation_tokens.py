"""Confirmation tokens (docs.stripe.com/api/confirmation_tokens): made in the browser, used once, good for 12
hours."""

from stripe_sandbox import errors, forms, payment_methods
from stripe_sandbox.forms import Obj
from stripe_sandbox.objects import methods, people
from stripe_sandbox.routing import Call, route
from stripe_sandbox.sandbox import Sandbox

LIFETIME_SECONDS = 12 * 3600
FIELDS = "payment_method payment_method_data payment_method_options return_url setup_future_usage shipping mandate_data"


def _create(sandbox: Sandbox, call: Call) -> Obj:
    params = call.params
    given = forms.text(params, "payment_method")
    if given:
        method = payment_methods.find(sandbox, given)
    elif "payment_method_data" in params:
        method = payment_methods.from_data(sandbox, forms.hash_of(params, "payment_method_data"))
    else:
        raise errors.parameter_missing("payment_method_data")
    token = methods.confirmation_token(method, created=sandbox.now(), lifetime=LIFETIME_SECONDS)
    token["return_url"] = forms.text(params, "return_url")
    usages = ("on_session", "off_session")
    token["setup_future_usage"] = forms.choice(params, "setup_future_usage", usages)
    token["shipping"] = people.shipping(forms.hash_of(params, "shipping"))
    if method["type"] == "us_bank_account" or "mandate_data" in params:
        online = {"ip_address": "127.0.0.1", "user_agent": call.headers.get("user-agent")}
        token["mandate_data"] = {"customer_acceptance": {"online": online, "type": "online"}}
    sandbox.store.note(token["id"], method=method["id"])
    return sandbox.store.save(token)


@route("POST", "/v1/confirmation_tokens", FIELDS, public=True)
def create(sandbox: Sandbox, call: Call) -> Obj:
    """What Stripe.js calls; a publishable key is enough."""
    return _create(sandbox, call)


@route("POST", "/v1/test_helpers/confirmation_tokens", FIELDS)
def create_in_test(sandbox: Sandbox, call: Call) -> Obj:
    """Stripe's helper for tests without a browser."""
    return _create(sandbox, call)


@route("GET", "/v1/confirmation_tokens/{}", "client_secret", public=True)
def retrieve(sandbox: Sandbox, call: Call) -> Obj:
    """A token."""
    token = sandbox.store.find("confirmation_token", call.path_ids[0])
    if token is None:
        raise errors.missing("confirmation_token", call.path_ids[0], param="confirmation_token")
    return token


def peek(sandbox: Sandbox, token_id: str) -> Obj:
    """A token that may still be used; raises for an unknown, used or expired one."""
    token = sandbox.store.find("confirmation_token", token_id)
    if token is None:
        raise errors.missing("confirmation_token", token_id, param="confirmation_token", status=400)
    used_by = token["payment_intent"] or token["setup_intent"]
    if used_by:
        raise errors.invalid(
            f"The ConfirmationToken {token_id} has already been used to confirm {used_by}.",
            code="confirmation_token_already_used", param="confirmation_token",
        )  # fmt: skip
    if token["expires_at"] <= sandbox.now():
        raise errors.invalid(
            f"The ConfirmationToken {token_id} has expired.",
            code="confirmation_token_expired",
            param="confirmation_token",
        )
    return token


def spend(sandbox: Sandbox, token: Obj, intent: Obj) -> Obj:
    """Uses a token up for an intent and returns its method."""
    token[intent["object"]] = intent["id"]
    sandbox.store.save(token)
    return payment_methods.find(sandbox, str(sandbox.store.fact(token["id"], "method")))
