"""The provider's objects in our own words (payments/provider.py), and a few of ours in the provider's."""

import datetime as dt
import json
import re
from types import SimpleNamespace
from typing import Any

from django.conf import settings

from payments.provider import (
    Accepted,
    DisputeState,
    Intent,
    MethodSummary,
    Movement,
    RefundState,
    Refused,
    Setup,
    WrongMode,
)

BANK_ACCOUNT = "us_bank_account"
RETURN_CODE = re.compile(r"R\d\d")


class Read(SimpleNamespace):
    """An object of the provider's as it was sent, its fields as attributes."""

    def to_dict(self) -> dict[str, Any]:
        """The fields by their names, as the SDK's objects say them."""
        return vars(self)


def read(body: str) -> Read:
    """An answer of the provider's. Raises ValueError for what is no JSON."""
    found = json.loads(body, object_hook=lambda fields: Read(**fields))
    assert isinstance(found, Read)
    return found


def is_live() -> bool:
    """Whether this set-up moves real money."""
    return "_live_" in settings.STRIPE_SECRET_KEY


def refuse_wrong_mode(livemode: bool) -> None:
    """Raise WrongMode for an object of the other mode (FAULTS B23)."""
    if livemode != is_live():
        raise WrongMode("an object of the other mode: live and test are never mixed")


def mandate_data(accepted: Accepted) -> dict[str, Any]:
    """How a mandate was agreed to, as the provider takes it."""
    online = {"ip_address": accepted.address, "user_agent": accepted.user_agent}
    return {
        "customer_acceptance": {"type": "online", "accepted_at": int(accepted.at.timestamp()), "online": online},
    }


def setup(found: Any) -> Setup:
    """A setup intent. Raises WrongMode."""
    refuse_wrong_mode(found.livemode)
    failure = getattr(found, "last_setup_error", None)
    used = getattr(found, "payment_method", None) or getattr(failure, "payment_method", None)
    action = getattr(found, "next_action", None)
    deposits = getattr(action, "verify_with_microdeposits", None)
    arrival = getattr(deposits, "arrival_date", None)
    return Setup(
        id=found.id,
        status=found.status,
        client_secret=getattr(found, "client_secret", "") or "",
        failure_code=(getattr(failure, "decline_code", None) or getattr(failure, "code", None) or "")
        if failure
        else "",
        setup_id=(found.metadata.to_dict() if found.metadata else {}).get("setup", ""),
        method=method(used) if used is not None and not isinstance(used, str) else MethodSummary(id_of(used)),
        mandate_id=id_of(getattr(found, "mandate", None)),
        next_action=getattr(action, "type", "") or "",
        deposits_kind=getattr(deposits, "microdeposit_type", "") or "",
        deposits_at=dt.datetime.fromtimestamp(arrival, dt.UTC) if arrival else None,
    )


def intent(found: Any) -> Intent:
    """A payment intent. Raises WrongMode."""
    refuse_wrong_mode(found.livemode)
    failure = getattr(found, "last_payment_error", None)
    latest_charge = getattr(found, "latest_charge", None)
    used = getattr(found, "payment_method", None) or getattr(failure, "payment_method", None)
    bank = getattr(getattr(latest_charge, "payment_method_details", None), BANK_ACCOUNT, None)
    return Intent(
        id=found.id,
        status=found.status,
        amount_cents=found.amount,
        received_cents=getattr(found, "amount_received", 0) or 0,
        client_secret=getattr(found, "client_secret", "") or "",
        charge_id=id_of(latest_charge),
        failure_code=(getattr(failure, "decline_code", None) or getattr(failure, "code", None) or "")
        if failure
        else "",
        payment_number=(found.metadata.to_dict() if found.metadata else {}).get("payment", ""),
        method=method(used) if used is not None and not isinstance(used, str) else MethodSummary(id_of(used)),
        mandate_id=id_of(getattr(bank, "mandate", None)),
    )


def method(found: Any) -> MethodSummary:
    """A payment method, or what a token shows of one."""
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
        customer_id=str(getattr(found, "customer", "") or ""),
    )


def refund(found: Any) -> RefundState:
    """A refund."""
    return RefundState(
        id=found.id,
        status=found.status or "pending",
        amount_cents=found.amount,
        charge_id=id_of(found.charge),
        intent_id=id_of(found.payment_intent),
        failure_code=getattr(found, "failure_reason", "") or "",
        refund_id=(found.metadata.to_dict() if found.metadata else {}).get("refund", ""),
    )


def dispute(found: Any) -> DisputeState:
    """A dispute, or a bank's return. Raises WrongMode, and Refused where what it moved is not said (FAULTS B19)."""
    refuse_wrong_mode(bool(found.livemode))
    lines = getattr(found, "balance_transactions", None)
    if not isinstance(lines, list):  # taken as nothing moved, money would be put back that nobody gave back
        raise Refused("dispute_without_movements", found.id)
    details = getattr(found, "payment_method_details", None)
    code = getattr(found, "network_reason_code", None) or ""
    due_by = getattr(getattr(found, "evidence_details", None), "due_by", None)
    return DisputeState(
        id=found.id,
        status=str(found.status or ""),
        reason=str(getattr(found, "reason", None) or ""),
        amount_cents=found.amount,
        charge_id=id_of(found.charge),
        intent_id=id_of(getattr(found, "payment_intent", None)),
        is_bank_debit=getattr(details, "type", "") == BANK_ACCOUNT,
        return_code=str(code) if RETURN_CODE.fullmatch(str(code)) else "",
        is_refundable=bool(getattr(found, "is_charge_refundable", False)),
        due_by=dt.datetime.fromtimestamp(due_by, dt.UTC) if due_by else None,
        movements=tuple(
            Movement(line.id, line.amount, line.fee, dt.datetime.fromtimestamp(line.created, dt.UTC)) for line in lines
        ),
    )


def id_of(found: Any) -> str:
    """The id of an object, expanded or not; empty for none."""
    if found is None:
        return ""
    return found if isinstance(found, str) else str(found.id)
