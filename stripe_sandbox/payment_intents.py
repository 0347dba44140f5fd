"""Payment intents (docs.stripe.com/api/payment_intents)."""

import re
from collections.abc import Callable

from stripe_sandbox import confirming, errors, forms, intents, listing, payment_methods
from stripe_sandbox.forms import Obj
from stripe_sandbox.objects import intents as shapes
from stripe_sandbox.objects import people
from stripe_sandbox.routing import Call, route
from stripe_sandbox.sandbox import Sandbox

SMALLEST, LARGEST = 50, 99_999_999
CONFIRM = (
    "payment_method payment_method_data payment_method_options payment_method_types confirmation_token "
    "off_session "
    "setup_future_usage return_url mandate mandate_data error_on_requires_action use_stripe_sdk "
    "receipt_email shipping "
    "capture_method client_secret expected_payment_method_type amount_to_confirm"
)
UPDATE = (
    "amount currency customer description metadata payment_method payment_method_data payment_method_options "
    "payment_method_types receipt_email setup_future_usage shipping statement_descriptor "
    "statement_descriptor_suffix "
    "capture_method transfer_group amount_details"
)
CREATE = f"{UPDATE} {CONFIRM} automatic_payment_methods confirm confirmation_method excluded_payment_method_types"
CANCELABLE = (
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "requires_capture",
    "processing",
)
REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")


def _amount(params: Obj) -> int:
    amount = forms.integer(params, "amount")
    if amount is None:
        raise errors.parameter_missing("amount")
    if amount < 1:
        raise errors.invalid(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    if amount < SMALLEST:
        raise errors.invalid("Amount must be at least $0.50 usd", code="amount_too_small", param="amount")
    if amount > LARGEST:
        raise errors.invalid("Amount must be no more than $999,999.99", code="amount_too_large", param="amount")
    return amount


def _currency(params: Obj) -> str:
    currency = forms.required_text(params, "currency").lower()
    if not re.fullmatch("[a-z]{3}", currency):
        raise errors.invalid(f"Invalid currency: {currency}.", param="currency")
    if currency != "usd":
        raise errors.invalid(
            f"stripe_sandbox takes usd only, not {currency}.", code="sandbox_unsupported", param="currency"
        )
    return currency


def _descriptor_suffix(params: Obj) -> str | None:
    suffix = forms.text(params, "statement_descriptor_suffix", longest=22)
    if suffix and (set(suffix) & set("<>\\'\"*") or not re.search("[A-Za-z]", suffix)):
        raise errors.invalid(
            "The statement descriptor suffix must contain a letter and none of < > \\ ' \" *.",
            param="statement_descriptor_suffix",
        )
    return suffix


def _apply(sandbox: Sandbox, intent: Obj, params: Obj) -> None:
    for name in ("description", "receipt_email", "transfer_group"):
        if name in params:
            intent[name] = forms.text(params, name, longest=1000)
    if params.get("statement_descriptor"):
        raise errors.invalid(
            "The statement_descriptor parameter is not supported for card payments; use statement_descriptor_suffix.",
            param="statement_descriptor",
        )
    if "statement_descriptor_suffix" in params:
        intent["statement_descriptor_suffix"] = _descriptor_suffix(params)
    if "setup_future_usage" in params:
        intent["setup_future_usage"] = forms.choice(params, "setup_future_usage", ("on_session", "off_session"))
    if "shipping" in params:
        intent["shipping"] = people.shipping(forms.hash_of(params, "shipping"))
    if "payment_method_options" in params:
        given = forms.hash_of(params, "payment_method_options")
        intent["payment_method_options"] = {**intent["payment_method_options"], **given}
    if forms.choice(params, "capture_method", ("automatic", "automatic_async", "manual")) == "manual":
        errors.unsupported("capture_method=manual")
    if params.get("capture_method"):
        intent["capture_method"] = params["capture_method"]
    if params.get("customer"):
        intent["customer"] = intents.customer_for(sandbox, params)
    intent["metadata"] = forms.merged_metadata(intent["metadata"], params)


def _set_method(sandbox: Sandbox, intent: Obj, params: Obj) -> None:
    method_id = forms.text(params, "payment_method")
    if method_id:
        method = payment_methods.find(sandbox, method_id)
    elif params.get("payment_method_data"):
        method = payment_methods.from_data(sandbox, forms.hash_of(params, "payment_method_data"))
    else:
        return
    intents.check_method(sandbox, intent, method)
    intent["payment_method"] = method["id"]
    if intent["status"] == "requires_payment_method":
        intent["status"] = "requires_confirmation"


@route("POST", "/v1/payment_intents", CREATE)
def create(sandbox: Sandbox, call: Call) -> Obj:
    """A new intent, confirmed at once with `confirm=true`."""
    params = call.params
    intent = shapes.payment_intent(amount=_amount(params), currency=_currency(params), created=sandbox.now())
    intents.set_types(intent, params)
    _apply(sandbox, intent, params)
    confirm_now = forms.flag(params, "confirm")
    for name in (
        "off_session",
        "confirmation_token",
        "return_url",
        "mandate_data",
        "error_on_requires_action",
    ):
        if params.get(name) and not confirm_now:
            raise errors.invalid(
                f"The parameter `{name}` cannot be passed when creating a PaymentIntent unless `confirm` is "
                f"set to true.",
                code="payment_intent_invalid_parameter", param=name,
            )  # fmt: skip
    _set_method(sandbox, intent, params)
    if confirm_now:
        _check_before_saving(sandbox, call, intent)
    sandbox.store.save(intent)
    sandbox.emit("payment_intent.created", intent)
    if not confirm_now:
        return intent
    call.params = {**params, "payment_method": intent["payment_method"] or "", "payment_method_data": ""}
    return confirming.confirm(sandbox, call, intent)


def _check_before_saving(sandbox: Sandbox, call: Call, intent: Obj) -> None:
    token = intents.token_for(sandbox, intent, call.params)
    return_url = forms.text(call.params, "return_url") or (token["return_url"] if token else None)
    intents.check_return_url(intent, return_url, token_used=False)
    if not token and not intent["payment_method"]:
        raise errors.invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state", param="payment_method",
        )  # fmt: skip


@route("POST", "/v1/payment_intents/{}/confirm", CONFIRM, public=True)
def confirm(sandbox: Sandbox, call: Call) -> Obj:
    """Confirms, from the server or (with the client secret) from Stripe.js."""
    intent = intents.find(sandbox, "payment_intent", call.path_ids[0], call)
    params = call.params
    if "payment_method_options" in params:
        given = forms.hash_of(params, "payment_method_options")
        intent["payment_method_options"] = {**intent["payment_method_options"], **given}
    if "receipt_email" in params:
        intent["receipt_email"] = forms.text(params, "receipt_email")
    return confirming.confirm(sandbox, call, intent)


@route("GET", "/v1/payment_intents/search", "query limit page")
def search(sandbox: Sandbox, call: Call) -> Obj:
    """Of Stripe's search language: `metadata['k']:'v'`, `status:'…'`, `customer:'…'`, joined by AND."""
    query = forms.required_text(call.params, "query")
    tests = [_clause(clause.strip()) for clause in re.split(r"\s+AND\s+", query)]
    skip = int(call.params.get("page") or 0)
    limit = listing.limit_of(call.params)
    rows = sandbox.store.newest_first("payment_intent")
    found = [row for row in rows if all(test(row) for test in tests)]
    more = len(found) > skip + limit
    return {
        "object": "search_result", "data": found[skip : skip + limit], "has_more": more,
        "next_page": str(skip + limit) if more else None, "url": "/v1/payment_intents/search",
    }  # fmt: skip


def _clause(clause: str) -> Callable[[Obj], bool]:
    match = re.fullmatch(r"""(-?)(?:metadata\[["']([^"']+)["']\]|(\w+))\s*:\s*(null|["'](.*)["']|\d+)""", clause)
    if not match or (match[3] and match[3] not in ("status", "customer", "currency", "amount")):
        raise errors.invalid(f"Invalid search query: {clause}", code="search_query_invalid", param="query")
    wanted = None if match[4] == "null" else match[5] if match[5] is not None else match[4]
    negated = match[1] == "-"

    def test(row: Obj) -> bool:
        value = row["metadata"].get(match[2]) if match[2] else row[match[3]]
        return ((None if value is None else str(value)) == wanted) != negated

    return test


@route("GET", "/v1/payment_intents/{}", "client_secret is_stripe_sdk", public=True)
def retrieve(sandbox: Sandbox, call: Call) -> Obj:
    """One intent; Stripe.js shows its client secret."""
    return intents.find(sandbox, "payment_intent", call.path_ids[0], call)


@route("POST", "/v1/payment_intents/{}", UPDATE)
def update(sandbox: Sandbox, call: Call) -> Obj:
    """Changes an intent not yet under way."""
    intent = intents.find(sandbox, "payment_intent", call.path_ids[0])
    params = call.params
    if intent["status"] in ("succeeded", "canceled", "processing") and set(params) - {
        "metadata",
        "description",
    }:
        message = f"This PaymentIntent could not be updated because it has a status of {intent['status']}."
        raise errors.refused(message, code="payment_intent_unexpected_state", intent=intent)
    if "amount" in params:
        intent["amount"] = _amount(params)
    if params.get("payment_method_types"):
        intent["automatic_payment_methods"] = None
        intents.set_types(intent, params)
    _apply(sandbox, intent, params)
    _set_method(sandbox, intent, params)
    return sandbox.store.save(intent)


@route("POST", "/v1/payment_intents/{}/cancel", "cancellation_reason client_secret")
def cancel(sandbox: Sandbox, call: Call) -> Obj:
    """Ends an intent that has not succeeded; one in `processing` only while its debit is stuck or just
    begun."""
    intent = intents.find(sandbox, "payment_intent", call.path_ids[0])
    reason = forms.choice(call.params, "cancellation_reason", REASONS)
    if intent["status"] not in CANCELABLE:
        raise intents.wrong_state(intent, "cancel", ", ".join(CANCELABLE))
    if intent["status"] == "processing":
        charge = sandbox.store.find("charge", intent["latest_charge"])
        if charge:
            charge |= {"status": "failed", "paid": False, "failure_code": "canceled"}
            sandbox.store.save(charge)
    intent |= {
        "status": "canceled", "canceled_at": sandbox.now(), "cancellation_reason": reason,
        "next_action": None,
        "processing": None,
    }  # fmt: skip
    sandbox.store.save(intent)
    sandbox.emit("payment_intent.canceled", intent)
    return intent


@route("POST", "/v1/payment_intents/{}/capture", "amount_to_capture metadata")
def capture(sandbox: Sandbox, call: Call) -> Obj:
    """Nothing here waits for capture."""
    intent = intents.find(sandbox, "payment_intent", call.path_ids[0])
    raise intents.wrong_state(intent, "capture", "requires_capture")


@route("GET", "/v1/payment_intents", "limit starting_after ending_before created customer")
def list_all(sandbox: Sandbox, call: Call) -> Obj:
    """Intents, newest first."""
    rows = sandbox.store.newest_first("payment_intent")
    tests = [listing.created_test(call.params), *listing.equals(call.params, "customer")]
    return listing.page(rows, call.params, url="/v1/payment_intents", tests=tests)
