"""The provider in our own words: what its answers say, and how a call can end. No names of Stripe's cross this line."""

import datetime as dt
from dataclasses import dataclass


class GatewayError(Exception):
    """A call to the provider that did not end in an answer we can act on."""


class Unknown(GatewayError):
    """Whether it happened is not known, or not now: ask again with the same key."""


class ServerError(Unknown):
    """The provider answered 5xx. It answers the same to the same key, so ask for the object itself (FAULTS B04)."""


class Refused(GatewayError):
    """The provider did not take the request as such: a fault of ours or of its set-up, never a decline (FAULTS B11)."""

    def __init__(self, code: str, parameter: str = "") -> None:
        super().__init__(f"{code} {parameter}".strip())
        self.code = code
        self.parameter = parameter


class KeyReused(Refused):
    """The idempotency key stands with other parameters: our bug, never cured by another key (FAULTS B07)."""


class Unauthorized(GatewayError):
    """The key is wrong or revoked: every call will fail, stop at once (FAULTS B10)."""


class WrongMode(GatewayError):
    """A live object in a test set-up, or the reverse (FAULTS B23)."""


class InsideTransaction(AssertionError):
    """The provider was called with a database transaction open (FAULTS A17)."""


@dataclass(frozen=True, slots=True)
class MethodSummary:
    """What names a method to its owner. No digits beyond the last four."""

    stripe_id: str = ""
    kind: str = ""
    brand: str = ""
    last4: str = ""
    wallet: str = ""
    bank_name: str = ""
    expires_month: int | None = None
    expires_year: int | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment intent as it stands at the provider. Amounts in US cents."""

    id: str
    status: str
    amount_cents: int
    received_cents: int
    client_secret: str
    charge_id: str
    failure_code: str
    payment_number: str
    method: MethodSummary


@dataclass(frozen=True, slots=True)
class RefundState:
    """A refund as it stands at the provider. Amount in US cents."""

    id: str
    status: str
    amount_cents: int
    charge_id: str
    intent_id: str
    failure_code: str
    refund_id: str  # our own row's id, empty where it was made outside the portal


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One balance transaction, US cents: `net_cents` is what it did to the clearing account after `fee_cents`."""

    id: str
    type: str
    source_id: str
    amount_cents: int
    fee_cents: int
    net_cents: int
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """What a charge needs: one of `method_id` and `confirmation_token`."""

    key: str
    amount_cents: int
    payment_number: str
    customer_id: str
    descriptor_suffix: str
    return_url: str
    method_id: str = ""
    confirmation_token: str = ""
    saves_method: bool = False
    is_off_session: bool = False
    attempt: int = 1
