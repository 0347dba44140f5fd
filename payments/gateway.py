"""The one module that speaks to Stripe (DESIGN section 9). What it returns is in our own words: payments/provider.py.

Every call that moves money carries an idempotency key that the caller has committed before. What is not known is said
as `Unknown` and never as a failure: time-outs, broken connections, 5xx, a key in use, rate limits (FAULTS B01 to B10).
Nothing about a person or a service is ever sent: ids of our own rows alone (FAULTS B32).
"""

import dataclasses
import datetime as dt
import functools
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import stripe
from django.conf import settings
from django.db import connection

from payments import answers, line
from payments.answers import BANK_ACCOUNT
from payments.provider import (
    BalanceRow,
    Busy,
    ChargeRequest,
    DisputeState,
    InsideTransaction,
    Intent,
    KeyReused,
    MethodSummary,
    RefundState,
    Refused,
    ServerError,
    Setup,
    SetupRequest,
    Unauthorized,
    Unknown,
)

API_VERSION = "2026-10-28.endive"
CONNECT_TIMEOUT_SECONDS = 3.0
PAGE_SIZE = 100
# As the Payment Element offers: a token confirms only an intent of its own types. Apple Pay is a wallet of a card.
METHOD_TYPES = ["card", "us_bank_account"]
R = TypeVar("R")


def _called(function: Callable[..., R]) -> Callable[..., R]:
    """Translate the errors of a call, and refuse to make it inside a transaction."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> R:
        if connection.in_atomic_block:
            raise InsideTransaction(f"{function.__name__} was called inside a database transaction")
        try:
            return function(*args, **kwargs)
        except stripe.IdempotencyError as error:
            raise KeyReused(error.code or "idempotency_error") from error
        except stripe.RateLimitError as error:  # too many calls, or an object that another call holds
            raise Busy(error.code or "rate_limit") from error
        except stripe.APIConnectionError as error:
            raise Unknown(type(error).__name__) from error
        except (stripe.AuthenticationError, stripe.PermissionError) as error:
            raise Unauthorized(error.code or type(error).__name__) from error
        except stripe.InvalidRequestError as error:
            raise Refused(error.code or "invalid_request", error.param or "") from error
        except stripe.CardError as error:
            raise Refused(error.code or "card_error") from error
        except stripe.StripeError as error:
            if error.http_status == 409:  # the first call with this key is still running (FAULTS B06)
                raise Unknown(error.code or "conflict") from error
            raise ServerError(f"{type(error).__name__} {error.http_status or ''}".strip()) from error

    return wrapper


@functools.lru_cache(maxsize=4)
def _client_for(key: str, base: str, timeout_seconds: float) -> stripe.StripeClient:
    timeout = (CONNECT_TIMEOUT_SECONDS, timeout_seconds)
    return stripe.StripeClient(
        key,
        stripe_version=API_VERSION,
        base_addresses={"api": base},
        max_network_retries=0,  # the caller decides on every retry, with the key it has committed
        http_client=stripe.RequestsClient(timeout=timeout, session=line.session(base)),
    )


def _client() -> stripe.StripeClient:
    return _client_for(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.STRIPE_TIMEOUT_SECONDS)


client, called = _client, _called  # payments.statement reads the provider's book with them

EXPANDED_INTENT = ["latest_charge", "payment_method"]
EXPANDED_SETUP = ["payment_method"]


@_called
def create_customer(*, user_id: int, key: str) -> str:
    """Create the customer of one of our users; its id. The same key gets the same answer, a 5xx too."""
    customer = _client().v1.customers.create({"metadata": {"user": str(user_id)}}, {"idempotency_key": key})
    return customer.id


@_called
def create_guest_customer(*, key: str) -> str:
    """Create the customer of one payment of somebody without a sign-in; its id. The same key gets the same answer."""
    customer = _client().v1.customers.create({}, {"idempotency_key": key})
    return customer.id


@_called
def charge(request: ChargeRequest) -> Intent:
    """Create and confirm a payment intent. A decline is an Intent with a failure code, not an error.

    Raises Unknown, ServerError, Refused, KeyReused, Unauthorized.
    """
    parameters: dict[str, Any] = {
        "amount": request.amount_cents,
        "currency": "usd",
        "customer": request.customer_id,
        "confirm": True,
        "payment_method_types": METHOD_TYPES,
        "metadata": {"payment": request.payment_number, "attempt": str(request.attempt)},
        "expand": EXPANDED_INTENT,
    }
    if request.confirmation_token:
        parameters["confirmation_token"] = request.confirmation_token
    else:
        parameters["payment_method"] = request.method_id
    if request.method_kind == BANK_ACCOUNT:
        # One payment does not wait two days for small deposits: an account not proved at once is added first.
        parameters["payment_method_options"] = {BANK_ACCOUNT: {"verification_method": "instant"}}
        if request.statement:
            parameters["statement_descriptor"] = request.statement
    else:
        parameters["statement_descriptor_suffix"] = request.descriptor_suffix  # it is a card's (docs.stripe.com)
    if request.accepted is not None:
        parameters["mandate_data"] = answers.mandate_data(request.accepted)
    if request.is_off_session:
        parameters["off_session"] = True
    else:
        parameters["return_url"] = request.return_url
    if request.saves_method:
        parameters["setup_future_usage"] = "off_session"
    try:
        # Read by ourselves: the SDK's own objects, of everything expanded, would cost a third of the call.
        made = _client().raw_request("post", "/v1/payment_intents", **parameters, idempotency_key=request.key)
        return answers.intent(answers.read(made.body))
    except stripe.CardError as error:
        return _declined(error)


@_called
def intent(intent_id: str) -> Intent:
    """A payment intent as it stands now."""
    return answers.intent(_client().v1.payment_intents.retrieve(intent_id, {"expand": EXPANDED_INTENT}))


@_called
def confirm(intent_id: str, *, method_id: str, return_url: str) -> Intent:
    """Confirm an intent that stands, with the payer there. A decline is an Intent with a failure code, not an error.

    It needs no key: an intent is charged once.
    """
    parameters: Any = {"payment_method": method_id, "return_url": return_url, "expand": EXPANDED_INTENT}
    try:
        return answers.intent(_client().v1.payment_intents.confirm(intent_id, parameters))
    except stripe.CardError as error:
        return _declined(error)


@_called
def find_intent(*, payment_number: str, customer_id: str, since: dt.datetime) -> Intent | None:
    """The payment intent made for one of our payments, if the provider has one: the latest attempt's.

    It reads the customer's own list, which is current, and not the search, which lags behind.
    """
    listed = _client().v1.payment_intents.list(
        {"customer": customer_id, "created": {"gte": int(since.timestamp()) - 300}, "limit": PAGE_SIZE}
    )
    for found in listed.auto_paging_iter():
        if found.metadata.to_dict().get("payment") == payment_number:
            return answers.intent(_client().v1.payment_intents.retrieve(found.id, {"expand": EXPANDED_INTENT}))
    return None


@_called
def cancel(intent_id: str) -> Intent:
    """Cancel a payment intent that has not succeeded. Raises Refused where it can no longer be canceled."""
    return answers.intent(_client().v1.payment_intents.cancel(intent_id, {"expand": EXPANDED_INTENT}))


@_called
def token_summary(confirmation_token: str) -> MethodSummary:
    """What the browser's confirmation token names: for the review step. Raises Refused for a token that is not ours."""
    token = _client().v1.confirmation_tokens.retrieve(confirmation_token)
    answers.refuse_wrong_mode(token.livemode)
    return answers.method(token.payment_method_preview)


@_called
def set_up(request: SetupRequest) -> Setup:
    """Create and confirm a setup intent: the method is saved, or asks for more. A decline has a failure code.

    Raises Unknown, ServerError, Refused, KeyReused, Unauthorized.
    """
    parameters: dict[str, Any] = {
        "customer": request.customer_id,
        "confirm": True,
        "payment_method_types": METHOD_TYPES,
        "confirmation_token": request.confirmation_token,
        "return_url": request.return_url,
        "usage": "off_session",
        "metadata": {"setup": str(request.setup_id)},
        "expand": EXPANDED_SETUP,
    }
    if request.accepted is not None:
        parameters["mandate_data"] = answers.mandate_data(request.accepted)
    try:
        return answers.setup(_client().v1.setup_intents.create(parameters, {"idempotency_key": request.key}))  # type: ignore[arg-type]
    except stripe.CardError as error:
        return _declined_setup(error)


@_called
def setup(setup_intent_id: str) -> Setup:
    """A setup intent as it stands now."""
    return answers.setup(_client().v1.setup_intents.retrieve(setup_intent_id, {"expand": EXPANDED_SETUP}))


@_called
def verify_deposits(setup_intent_id: str, *, amounts_cents: tuple[int, int] | None = None, code: str = "") -> Setup:
    """Prove a bank account by the two small deposits, or by the code in one's text. Raises Refused for wrong ones."""
    given: dict[str, Any] = {"descriptor_code": code} if amounts_cents is None else {"amounts": list(amounts_cents)}
    parameters: Any = {**given, "expand": EXPANDED_SETUP}
    return answers.setup(_client().v1.setup_intents.verify_microdeposits(setup_intent_id, parameters))


@_called
def cancel_setup(setup_intent_id: str) -> Setup:
    """Give up a setup that has not ended. Raises Refused where it has."""
    return answers.setup(_client().v1.setup_intents.cancel(setup_intent_id, {"expand": EXPANDED_SETUP}))


@_called
def is_mandate_in_force(mandate_id: str) -> bool:
    """Whether a bank account may still be debited under this mandate."""
    return _client().v1.mandates.retrieve(mandate_id).status != "inactive"


@_called
def refund(*, key: str, intent_id: str, amount_cents: int, refund_id: int) -> RefundState:
    """Refund part or all of a charge."""
    made = _client().v1.refunds.create(
        {"payment_intent": intent_id, "amount": amount_cents, "metadata": {"refund": str(refund_id)}},
        {"idempotency_key": key},
    )
    return answers.refund(made)


@_called
def refund_state(stripe_refund_id: str) -> RefundState:
    """A refund as it stands now."""
    return answers.refund(_client().v1.refunds.retrieve(stripe_refund_id))


@_called
def refunds_of(intent_id: str) -> list[RefundState]:
    """Every refund of a payment intent, wherever it was made."""
    listed = _client().v1.refunds.list({"payment_intent": intent_id, "limit": PAGE_SIZE})
    return [answers.refund(found) for found in listed.auto_paging_iter()]


@_called
def disputes_of(intent_id: str) -> list[DisputeState]:
    """Every dispute of a payment intent, a bank's return of its debit among them, the oldest first."""
    listed = _client().v1.disputes.list({"payment_intent": intent_id, "limit": PAGE_SIZE})
    return [answers.dispute(found) for found in listed.auto_paging_iter()][::-1]


@_called
def method_summary(method_id: str) -> MethodSummary:
    """A saved method as it stands now."""
    return answers.method(_client().v1.payment_methods.retrieve(method_id))


@_called
def detach(method_id: str) -> None:
    """Take a saved method off its customer."""
    _client().v1.payment_methods.detach(method_id)


@_called
def events_since(moment: dt.datetime) -> list[dict[str, Any]]:
    """Every event since a moment (the provider keeps 30 days), the oldest first (FAULTS C14)."""
    listed = _client().v1.events.list({"created": {"gte": int(moment.timestamp())}, "limit": PAGE_SIZE})
    return [event.to_dict() for event in listed.auto_paging_iter()][::-1]


def balance_rows(
    since: dt.datetime | None = None, until: dt.datetime | None = None, **only: str
) -> Iterator[BalanceRow]:
    """Every balance transaction, the newest first; a page is fetched as it is needed. `only`: of a payout, a source.

    A page begins after the last row of the one before: what is added meanwhile shifts nothing (FAULTS D25).
    """
    parameters: dict[str, Any] = {"limit": PAGE_SIZE, **only}
    created = {"gte": since and int(since.timestamp()), "lt": until and int(until.timestamp())}
    if given := {name: value for name, value in created.items() if value is not None}:
        parameters["created"] = given
    page = _balance_page(parameters)
    while page:
        yield from page
        page = _balance_page({**parameters, "starting_after": page[-1].id}) if len(page) == PAGE_SIZE else []


@_called
def _balance_page(parameters: dict[str, Any]) -> list[BalanceRow]:
    listed = _client().v1.balance_transactions.list(parameters)  # type: ignore[arg-type]
    return [
        BalanceRow(
            id=row.id,
            type=row.type,
            source_id=answers.id_of(row.source),
            amount_cents=row.amount,
            fee_cents=row.fee,
            net_cents=row.net,
            created_at=dt.datetime.fromtimestamp(row.created, dt.UTC),
            category=row.reporting_category,
        )
        for row in listed.data
    ]


@_called
def is_reachable() -> bool:
    """Whether the provider answers to our key; for the readiness check. Raises Unknown and Unauthorized."""
    _client().v1.balance.retrieve()
    return True


def verify_event(body: bytes, signature: str, *, now: dt.datetime) -> dict[str, Any]:
    """The event of a signed webhook. Raises Refused for a bad, old, future or foreign signature (FAULTS C01 to C06)."""
    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        try:
            stripe.WebhookSignature.verify_header(body, signature, secret)
            found = json.loads(body)  # as it was signed; the SDK's own objects would cost more than all else here
        except (stripe.SignatureVerificationError, ValueError):
            continue
        signed_at = dt.datetime.fromtimestamp(_signature_time(signature), dt.UTC)
        if signed_at < now - dt.timedelta(seconds=stripe.Webhook.DEFAULT_TOLERANCE):
            raise Refused("signed_long_ago")
        if signed_at > now + dt.timedelta(seconds=stripe.Webhook.DEFAULT_TOLERANCE):
            raise Refused("signed_in_the_future")
        if not isinstance(found, dict) or found.get("object") != "event":
            raise Refused("not_an_event")
        answers.refuse_wrong_mode(bool(found.get("livemode")))
        return found
    raise Refused("bad_signature")


def _signature_time(signature: str) -> int:
    return int(dict(part.split("=", 1) for part in signature.split(",") if "=" in part)["t"])


def _declined(error: stripe.CardError) -> Intent:
    """The intent that a decline leaves behind. Raises Refused where the provider made none."""
    found = getattr(error.error, "payment_intent", None)
    if found is None:
        raise Refused(error.code or "card_error") from error
    made = answers.intent(found)
    code = getattr(error.error, "decline_code", None) or error.code or "card_declined"
    return dataclasses.replace(made, failure_code=code)


def _declined_setup(error: stripe.CardError) -> Setup:
    """The setup that a decline leaves behind. Raises Refused where the provider made none."""
    found = getattr(error.error, "setup_intent", None)
    if found is None:
        raise Refused(error.code or "card_error") from error
    made = answers.setup(found)
    code = getattr(error.error, "decline_code", None) or error.code or "card_declined"
    return dataclasses.replace(made, failure_code=code)
