"""The provider in our own words: what its answers say, and how a call can end. No names of Stripe's cross this line."""

import datetime as dt
from dataclasses import dataclass

from ledger.transactions import OutsideCall


class GatewayError(Exception):
    """A call to the provider that did not end in an answer we can act on."""


class Unknown(GatewayError):
    """Whether it happened is not known, or not now: ask again with the same key."""


class Busy(Unknown):
    """The provider did not take the call now (FAULTS B08, B09): nothing was done, the same call may be made later."""


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


class InsideTransaction(OutsideCall):
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
    customer_id: str = ""


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
    mandate_id: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """A setup intent as it stands at the provider: a method that is being saved, nothing is charged."""

    id: str
    status: str
    client_secret: str
    failure_code: str
    setup_id: str  # our own row's id
    method: MethodSummary
    mandate_id: str = ""
    next_action: str = ""  # verify_with_microdeposits, use_stripe_sdk, redirect_to_url
    deposits_kind: str = ""  # amounts or descriptor_code
    deposits_at: dt.datetime | None = None


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
class Movement:
    """Money that a dispute took out (negative) or put back, US cents, with what the provider charges for it."""

    id: str
    amount_cents: int
    fee_cents: int
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class DisputeState:
    """A dispute of a charge, or a bank's return of a debit, as it stands at the provider. Amount in US cents."""

    id: str
    status: str
    reason: str
    amount_cents: int
    charge_id: str
    intent_id: str
    is_bank_debit: bool
    return_code: str
    is_refundable: bool
    due_by: dt.datetime | None
    movements: tuple[Movement, ...]

    @property
    def withdrawn_cents(self) -> int:
        """What it has taken out and not put back, US cents: never less than nothing."""
        return max(0, -sum(movement.amount_cents for movement in self.movements))


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
    category: str = ""  # of the provider's report: docs.stripe.com/reports/reporting-categories


@dataclass(frozen=True, slots=True)
class ChargeState:
    """A charge as it stands at the provider, and whose it is. Amount in US cents."""

    id: str
    status: str  # succeeded, pending, failed
    amount_cents: int
    intent_id: str
    payment_number: str


@dataclass(frozen=True, slots=True)
class PayoutState:
    """A transfer to the plan's bank. What a manual one is made of is not told."""

    id: str
    status: str
    amount_cents: int
    is_automatic: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """How a mandate was agreed to online: when, from which address, with which browser."""

    at: dt.datetime
    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """What saving a method needs."""

    key: str
    setup_id: int
    customer_id: str
    confirmation_token: str
    return_url: str
    accepted: Accepted | None = None


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """What a charge needs: one of `method_id` and `confirmation_token`. A new bank account's needs `accepted` too."""

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
    method_kind: str = "card"
    statement: str = ""  # what a bank account's statement calls the debit, where it is not the plan's own name
    accepted: Accepted | None = None
