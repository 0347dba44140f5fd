"""Setup intents (docs.stripe.com/api/setup_intents): a method is saved with its owner's leave, nothing is
charged."""

from stripe_sandbox import cards, charges, errors, forms, intents, listing, mandates, payment_methods
from stripe_sandbox.errors import ApiError
from stripe_sandbox.forms import Obj
from stripe_sandbox.objects import intents as shapes
from stripe_sandbox.routing import Call, route
from stripe_sandbox.sandbox import Sandbox

CONFIRM = (
    "payment_method payment_method_data payment_method_options confirmation_token return_url mandate_data "
    "use_stripe_sdk client_secret expected_payment_method_type"
)
UPDATE = "customer description metadata payment_method payment_method_data payment_method_options payment_method_types"
CREATE = (
    f"{CONFIRM} {UPDATE} automatic_payment_methods confirm usage single_use attach_to_self flow_directions "
    "excluded_payment_method_types"
)
CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
REASONS = ("abandoned", "duplicate", "requested_by_customer")


def _apply(sandbox: Sandbox, intent: Obj, params: Obj) -> None:
    if "description" in params:
        intent["description"] = forms.text(params, "description")
    if params.get("customer"):
        intent["customer"] = intents.customer_for(sandbox, params)
    if "payment_method_options" in params:
        given = forms.hash_of(params, "payment_method_options")
        intent["payment_method_options"] = {**intent["payment_method_options"], **given}
    intent["metadata"] = forms.merged_metadata(intent["metadata"], params)
    method_id = forms.text(params, "payment_method")
    if method_id:
        method = payment_methods.find(sandbox, method_id)
        intents.check_method(sandbox, intent, method)
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}


@route("POST", "/v1/setup_intents", CREATE)
def create(sandbox: Sandbox, call: Call) -> Obj:
    """A new intent, confirmed at once with `confirm=true`."""
    params = call.params
    intent = shapes.setup_intent(created=sandbox.now())
    intents.set_types(intent, params)
    intent["usage"] = forms.choice(params, "usage", ("on_session", "off_session"), default="off_session")
    confirm_now = forms.flag(params, "confirm")
    for name in ("confirmation_token", "return_url", "mandate_data"):
        if params.get(name) and not confirm_now:
            raise errors.invalid(
                f"The parameter `{name}` cannot be passed when creating a SetupIntent unless `confirm` is "
                f"set to true.",
                code="setup_intent_invalid_parameter", param=name,
            )  # fmt: skip
    _apply(sandbox, intent, params)
    if confirm_now:
        token = intents.token_for(sandbox, intent, params)
        return_url = forms.text(params, "return_url") or (token["return_url"] if token else None)
        intents.check_return_url(intent, return_url, token_used=False)
    sandbox.store.save(intent)
    sandbox.emit("setup_intent.created", intent)
    if not confirm_now:
        return intent
    call.params = {**params, "payment_method": intent["payment_method"] or ""}
    return _confirm(sandbox, call, intent)


@route("POST", "/v1/setup_intents/{}/confirm", CONFIRM, public=True)
def confirm(sandbox: Sandbox, call: Call) -> Obj:
    """Confirms, from the server or from Stripe.js."""
    return _confirm(sandbox, call, intents.find(sandbox, "setup_intent", call.path_ids[0], call))


def _confirm(sandbox: Sandbox, call: Call, intent: Obj) -> Obj:
    if intent["status"] not in CONFIRMABLE:
        raise intents.wrong_state(intent, "confirm", ", ".join(CONFIRMABLE[:2]))
    params = call.params
    token = intents.token_for(sandbox, intent, params)
    return_url = forms.text(params, "return_url") or (token["return_url"] if token else None)
    if not call.public:
        intents.check_return_url(intent, return_url, token_used=bool(token and token["return_url"]))
    acceptance = intents.mandate_acceptance(sandbox, params, token)
    method = intents.choose_method(sandbox, intent, params, token)
    intent |= {"payment_method": method["id"], "last_setup_error": None, "next_action": None}
    if method["type"] == "us_bank_account":
        return _confirm_bank(sandbox, intent, method, acceptance)
    card = payment_methods.card_of(sandbox, method)
    decline = call.forced_decline or (card.decline if card.declines_on_attach else None)
    if decline:
        raise fail(sandbox, intent, method, charges.refusal(decline, charge_id=None))
    if card.authenticate != cards.NEVER and card.authenticate != cards.ON_SESSION_ONLY:
        use_sdk = token is not None or call.public or forms.flag(params, "use_stripe_sdk")
        intents.ask_for_authentication(sandbox, intent, return_url=return_url, use_sdk=use_sdk)
        sandbox.store.save(intent)
        sandbox.emit("setup_intent.requires_action", intent)
        return intent
    return succeed(sandbox, intent, method)


def _confirm_bank(sandbox: Sandbox, intent: Obj, method: Obj, acceptance: Obj | None) -> Obj:
    if acceptance is None and mandates.standing(sandbox, method) is None:
        raise intents.no_mandate(intent)
    if acceptance:
        mandate = mandates.grant(sandbox, method, acceptance, multi_use=True)
        intent["mandate"] = mandate["id"]
    if intents.needs_microdeposits(sandbox, intent, method):
        mandate_id = intent["mandate"]
        if mandate_id:
            sandbox.store.table("mandate")[mandate_id]["status"] = "pending"
        intents.ask_for_microdeposits(sandbox, intent)
        sandbox.store.save(intent)
        sandbox.emit("setup_intent.requires_action", intent)
        return intent
    return succeed(sandbox, intent, method)


def succeed(sandbox: Sandbox, intent: Obj, method: Obj) -> Obj:
    """The method is set up and, with a customer, attached."""
    _attempt(sandbox, intent, method, "succeeded", None)
    intent |= {"status": "succeeded", "next_action": None}
    sandbox.store.note(method["id"], set_up=intent["usage"] == "off_session", verified=True)
    if intent["mandate"]:
        mandate = sandbox.store.table("mandate")[intent["mandate"]]
        mandate["status"] = "active"
        sandbox.store.save(mandate)
    if intent["customer"]:
        payment_methods.attach_to(sandbox, method, intent["customer"])
    sandbox.store.save(intent)
    sandbox.emit("setup_intent.succeeded", intent)
    return intent


def fail(sandbox: Sandbox, intent: Obj, method: Obj, refusal: ApiError) -> ApiError:
    """The intent asks for another method; returns the refusal with the intent inside."""
    shown = {**refusal.error, "payment_method": method}
    _attempt(sandbox, intent, method, "failed", shown)
    intent |= {
        "status": "requires_payment_method", "payment_method": None, "next_action": None,
        "last_setup_error": shown,
    }  # fmt: skip
    sandbox.store.save(intent)
    sandbox.emit("setup_intent.setup_failed", intent)
    refusal.error = {**shown, "setup_intent": intent}
    return refusal


def _attempt(sandbox: Sandbox, intent: Obj, method: Obj, status: str, error: Obj | None) -> None:
    attempt = shapes.setup_attempt(intent, method, created=sandbox.now(), status=status, error=error)
    sandbox.store.save(attempt)
    intent["latest_attempt"] = attempt["id"]


@route("GET", "/v1/setup_intents/{}", "client_secret is_stripe_sdk", public=True)
def retrieve(sandbox: Sandbox, call: Call) -> Obj:
    """One intent."""
    return intents.find(sandbox, "setup_intent", call.path_ids[0], call)


@route("POST", "/v1/setup_intents/{}", UPDATE)
def update(sandbox: Sandbox, call: Call) -> Obj:
    """Changes an intent not yet under way."""
    intent = intents.find(sandbox, "setup_intent", call.path_ids[0])
    if intent["status"] not in CONFIRMABLE and set(call.params) - {"metadata", "description"}:
        raise intents.wrong_state(intent, "update", ", ".join(CONFIRMABLE))
    _apply(sandbox, intent, call.params)
    return sandbox.store.save(intent)


@route("POST", "/v1/setup_intents/{}/cancel", "cancellation_reason")
def cancel(sandbox: Sandbox, call: Call) -> Obj:
    """Ends an intent that has not succeeded."""
    intent = intents.find(sandbox, "setup_intent", call.path_ids[0])
    if intent["status"] not in CONFIRMABLE:
        raise intents.wrong_state(intent, "cancel", ", ".join(CONFIRMABLE))
    reason = forms.choice(call.params, "cancellation_reason", REASONS)
    intent |= {"status": "canceled", "cancellation_reason": reason, "next_action": None}
    sandbox.store.save(intent)
    sandbox.emit("setup_intent.canceled", intent)
    return intent


@route("GET", "/v1/setup_intents", "limit starting_after ending_before created customer payment_method")
def list_all(sandbox: Sandbox, call: Call) -> Obj:
    """Intents, newest first."""
    rows = sandbox.store.newest_first("setup_intent")
    tests = [listing.created_test(call.params), *listing.equals(call.params, "customer", "payment_method")]
    return listing.page(rows, call.params, url="/v1/setup_intents", tests=tests)


@route("GET", "/v1/setup_attempts", "limit starting_after ending_before created setup_intent")
def list_attempts(sandbox: Sandbox, call: Call) -> Obj:
    """The tries of one intent."""
    forms.required_text(call.params, "setup_intent")
    tests = [listing.created_test(call.params), *listing.equals(call.params, "setup_intent")]
    rows = sandbox.store.newest_first("setup_attempt")
    return listing.page(rows, call.params, url="/v1/setup_attempts", tests=tests)
