"""The one module that speaks to Stripe (DESIGN section 9). What it returns is in our own words: payments/provider.py.

Every call that moves money carries an idempotency key that the caller has committed before. What is not known is said
as `Unknown` and never as a failure: time-outs, broken connections, 5xx, a key in use, rate limits (FAULTS B01 to B10).
Nothing about a person or a service is ever sent: ids of our own rows alone (FAULTS B32).
"""

import datetime as dt
import functools
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import requests
import stripe
from django.conf import settings
from django.db import connection

from payments.provider import (
    BalanceRow,
    ChargeRequest,
    InsideTransaction,
    Intent,
    KeyReused,
    MethodSummary,
    RefundState,
    Refused,
    ServerError,
    Unauthorized,
    Unknown,
    WrongMode,
)

API_VERSION = "2026-10-28.endive"
CONNECT_TIMEOUT_SECONDS = 3.0
PAGE_SIZE = 100
METHOD_TYPES = ["card"]  # the same as static/pay.js offers: a token confirms only an intent of its own types
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
        except (stripe.APIConnectionError, stripe.RateLimitError) as error:
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
    # One session for all threads, its pool as large as a worker's threads (DESIGN section 9: charges wait in threads).
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=64))
    session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=64))
    http_client = stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_SECONDS, timeout_seconds), session=session)
    return stripe.StripeClient(
        key,
        stripe_version=API_VERSION,
        base_addresses={"api": base},
        max_network_retries=0,  # the caller decides on every retry, with the key it has committed
        http_client=http_client,
    )


def _client() -> stripe.StripeClient:
    return _client_for(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.STRIPE_TIMEOUT_SECONDS)


EXPANDED_INTENT = ["latest_charge", "payment_method"]


@_called
def create_customer(*, user_id: int) -> str:
    """Create the customer of one of our users; its id. The same user gets the same customer."""
    customer = _client().v1.customers.create(
        {"metadata": {"user": str(user_id)}}, {"idempotency_key": f"customer-{user_id}"}
    )
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
        "statement_descriptor_suffix": request.descriptor_suffix,
        "metadata": {"payment": request.payment_number, "attempt": str(request.attempt)},
        "expand": EXPANDED_INTENT,
    }
    if request.confirmation_token:
        parameters["confirmation_token"] = request.confirmation_token
    else:
        parameters["payment_method"] = request.method_id
    if request.is_off_session:
        parameters["off_session"] = True
    else:
        parameters["return_url"] = request.return_url
    if request.saves_method:
        parameters["setup_future_usage"] = "off_session"
    try:
        return _intent(_client().v1.payment_intents.create(parameters, {"idempotency_key": request.key}))  # type: ignore[arg-type]
    except stripe.CardError as error:
        return _declined(error)


@_called
def intent(intent_id: str) -> Intent:
    """A payment intent as it stands now."""
    return _intent(_client().v1.payment_intents.retrieve(intent_id, {"expand": EXPANDED_INTENT}))


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
            return _intent(_client().v1.payment_intents.retrieve(found.id, {"expand": EXPANDED_INTENT}))
    return None


@_called
def cancel(intent_id: str) -> Intent:
    """Cancel a payment intent that has not succeeded. Raises Refused where it can no longer be canceled."""
    return _intent(_client().v1.payment_intents.cancel(intent_id, {"expand": EXPANDED_INTENT}))


@_called
def token_summary(confirmation_token: str) -> MethodSummary:
    """What the browser's confirmation token names: for the review step. Raises Refused for a token that is not ours."""
    token = _client().v1.confirmation_tokens.retrieve(confirmation_token)
    _refuse_wrong_mode(token.livemode)
    return _method(token.payment_method_preview)


@_called
def refund(*, key: str, intent_id: str, amount_cents: int, refund_id: int) -> RefundState:
    """Refund part or all of a charge."""
    made = _client().v1.refunds.create(
        {"payment_intent": intent_id, "amount": amount_cents, "metadata": {"refund": str(refund_id)}},
        {"idempotency_key": key},
    )
    return _refund(made)


@_called
def refund_state(stripe_refund_id: str) -> RefundState:
    """A refund as it stands now."""
    return _refund(_client().v1.refunds.retrieve(stripe_refund_id))


@_called
def refunds_of(intent_id: str) -> list[RefundState]:
    """Every refund of a payment intent, wherever it was made."""
    listed = _client().v1.refunds.list({"payment_intent": intent_id, "limit": PAGE_SIZE})
    return [_refund(found) for found in listed.auto_paging_iter()]


@_called
def method_summary(method_id: str) -> MethodSummary:
    """A saved method as it stands now."""
    return _method(_client().v1.payment_methods.retrieve(method_id))


@_called
def detach(method_id: str) -> None:
    """Take a saved method off its customer."""
    _client().v1.payment_methods.detach(method_id)


@_called
def events_since(moment: dt.datetime) -> list[dict[str, Any]]:
    """Every event since a moment (the provider keeps 30 days), the oldest first (FAULTS C14)."""
    listed = _client().v1.events.list({"created": {"gte": int(moment.timestamp())}, "limit": PAGE_SIZE})
    return [event.to_dict() for event in listed.auto_paging_iter()][::-1]


def balance_rows(since: dt.datetime | None = None) -> Iterator[BalanceRow]:
    """Every balance transaction, the newest first; a page is fetched as it is needed."""
    parameters: dict[str, Any] = {"limit": PAGE_SIZE}
    if since is not None:
        parameters["created"] = {"gte": int(since.timestamp())}
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
            source_id=_id(row.source),
            amount_cents=row.amount,
            fee_cents=row.fee,
            net_cents=row.net,
            created_at=dt.datetime.fromtimestamp(row.created, dt.UTC),
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
            stripe.WebhookSignature.verify_header(body, signature, secret, stripe.Webhook.DEFAULT_TOLERANCE)
            found = json.loads(body)  # as it was signed; the SDK's own objects would cost more than all else here
        except (stripe.SignatureVerificationError, ValueError):
            continue
        signed_at = dt.datetime.fromtimestamp(_signature_time(signature), dt.UTC)
        if signed_at > now + dt.timedelta(seconds=stripe.Webhook.DEFAULT_TOLERANCE):
            raise Refused("signed_in_the_future")
        if not isinstance(found, dict) or found.get("object") != "event":
            raise Refused("not_an_event")
        _refuse_wrong_mode(bool(found.get("livemode")))
        return found
    raise Refused("bad_signature")


def is_live() -> bool:
    """Whether this set-up moves real money."""
    return "_live_" in settings.STRIPE_SECRET_KEY


def _signature_time(signature: str) -> int:
    return int(dict(part.split("=", 1) for part in signature.split(",") if "=" in part)["t"])


def _refuse_wrong_mode(livemode: bool) -> None:
    if livemode != is_live():
        raise WrongMode("an object of the other mode: live and test are never mixed")


def _declined(error: stripe.CardError) -> Intent:
    """The intent that a decline leaves behind. Raises Refused where the provider made none."""
    found = getattr(error.error, "payment_intent", None)
    if found is None:
        raise Refused(error.code or "card_error") from error
    made = _intent(found)
    code = getattr(error.error, "decline_code", None) or error.code or "card_declined"
    return Intent(**{**{name: getattr(made, name) for name in Intent.__slots__}, "failure_code": code})


def _intent(found: Any) -> Intent:
    _refuse_wrong_mode(found.livemode)
    failure = getattr(found, "last_payment_error", None)
    latest_charge = getattr(found, "latest_charge", None)
    method = getattr(found, "payment_method", None) or getattr(failure, "payment_method", None)
    return Intent(
        id=found.id,
        status=found.status,
        amount_cents=found.amount,
        received_cents=getattr(found, "amount_received", 0) or 0,
        client_secret=getattr(found, "client_secret", "") or "",
        charge_id=_id(latest_charge),
        failure_code=(getattr(failure, "decline_code", None) or getattr(failure, "code", None) or "")
        if failure
        else "",
        payment_number=(found.metadata.to_dict() if found.metadata else {}).get("payment", ""),
        method=_method(method) if method is not None and not isinstance(method, str) else MethodSummary(_id(method)),
    )


def _method(found: Any) -> MethodSummary:
    kind = found.type
    details = getattr(found, kind, None)
    wallet = getattr(details, "wallet", None)
    return MethodSummary(
        stripe_id=getattr(found, "id", "") or "",
        kind=kind,
        brand=getattr(details, "brand", "") or "",
        last4=getattr(details, "last4", "") or "",
        wallet=(getattr(wallet, "type", "") or "") if wallet else "",
        bank_name=getattr(details, "bank_name", "") or "",
        expires_month=getattr(details, "exp_month", None),
        expires_year=getattr(details, "exp_year", None),
        fingerprint=getattr(details, "fingerprint", "") or "",
    )


def _refund(found: Any) -> RefundState:
    return RefundState(
        id=found.id,
        status=found.status or "pending",
        amount_cents=found.amount,
        charge_id=_id(found.charge),
        intent_id=_id(found.payment_intent),
        failure_code=getattr(found, "failure_reason", "") or "",
        refund_id=(found.metadata.to_dict() if found.metadata else {}).get("refund", ""),
    )


def _id(found: Any) -> str:
    if found is None:
        return ""
    return found if isinstance(found, str) else str(found.id)
