"""Payment methods, confirmation tokens and mandates."""

import hashlib

from stripe_sandbox import ids
from stripe_sandbox.banks import TEST_ROUTING_NUMBER
from stripe_sandbox.cards import Card
from stripe_sandbox.forms import Obj


def fingerprint(number: str) -> str:
    """The same for the same number, and not the number."""
    return hashlib.sha256(f"stripe_sandbox:{number}".encode()).hexdigest()[:16]


def wallet(kind: str | None, last4: str) -> Obj | None:
    """The wallet of a card, for Apple Pay."""
    return {"dynamic_last4": last4, "type": kind, kind: {}} if kind else None


def checks(card: Card, *, cvc: bool, postal_code: bool, line1: bool) -> Obj:
    """The verification results; null where nothing was given to check."""
    return {
        "address_line1_check": card.line1_check if line1 else None,
        "address_postal_code_check": card.postal_check if postal_code else None,
        "cvc_check": card.cvc_check if cvc else None,
    }


def card_details(card: Card, *, exp_month: int, exp_year: int, verified: Obj) -> Obj:
    """The `card` hash of a payment method."""
    return {
        "brand": card.brand, "checks": verified, "country": card.country,
        "display_brand": card.brand if card.brand != "amex" else "american_express", "exp_month": exp_month,
        "exp_year": exp_year, "fingerprint": fingerprint(card.number), "funding": card.funding,
        "generated_from": None, "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None}, "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": card.brand != "amex"}, "wallet": wallet(card.wallet,
        card.last4),
    }  # fmt: skip


def bank_details(number: str, *, routing: str, holder_type: str, account_type: str) -> Obj:
    """The `us_bank_account` hash of a payment method."""
    return {
        "account_holder_type": holder_type, "account_type": account_type,
        "bank_name": "STRIPE TEST BANK" if routing == TEST_ROUTING_NUMBER else "SANDBOX BANK",
        "financial_connections_account": None, "fingerprint": fingerprint(routing + number),
        "last4": number[-4:],
        "networks": {"preferred": "ach", "supported": ["ach"]}, "routing_number": routing,
        "status_details": {},
    }  # fmt: skip


def payment_method(kind: str, details: Obj, billing: Obj, *, created: int) -> Obj:
    """A payment method not yet attached."""
    return {
        "id": ids.new("pm"), "object": "payment_method", "allow_redisplay": "unspecified",
        "billing_details": billing, kind: details, "created": created, "customer": None,
        "customer_account": None,
        "livemode": False, "metadata": {}, "type": kind,
    }  # fmt: skip


def confirmation_token(method: Obj, *, created: int, lifetime: int) -> Obj:
    """A confirmation token that previews a method."""
    kind = method["type"]
    return {
        "id": ids.new("ctoken"), "object": "confirmation_token", "created": created,
        "expires_at": created + lifetime, "livemode": False, "mandate_data": None, "payment_intent": None,
        "payment_method_options": {"card": {"cvc_token": None}} if kind == "card" else None,
        "payment_method_preview": {
            "allow_redisplay": method["allow_redisplay"], "billing_details": method["billing_details"],
            kind: method[kind], "customer": method["customer"], "customer_account": None, "type": kind,
        },
        "return_url": None, "setup_future_usage": None, "setup_intent": None, "shipping": None,
        "use_stripe_sdk": True,
    }  # fmt: skip


def mandate(method: Obj, acceptance: Obj, *, multi_use: bool, amount: int | None) -> Obj:
    """The member's leave to debit; `single_use` carries its amount."""
    kind = "multi_use" if multi_use else "single_use"
    shown: Obj = {
        "id": ids.new("mandate"), "object": "mandate", "customer_acceptance": acceptance, "livemode": False,
        "multi_use": {} if multi_use else None, "payment_method": method["id"],
        "payment_method_details": {"type": method["type"], method["type"]: {"collection_method": None}},
        "status": "active", "type": kind,
    }  # fmt: skip
    if not multi_use:
        shown["single_use"] = {"amount": amount, "currency": "usd"}
    return shown
