"""Charges, refunds and disputes."""

from stripe_sandbox import ids
from stripe_sandbox.forms import Obj

_EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation",
    "duplicate_charge_explanation", "duplicate_charge_id", "product_description", "receipt", "refund_policy",
    "refund_policy_disclosure", "refund_refusal_explanation", "service_date", "service_documentation",
    "shipping_address", "shipping_carrier", "shipping_date", "shipping_documentation",
    "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip


def charge(intent: Obj, method: Obj, *, created: int, descriptor: str, base_url: str) -> Obj:
    """A charge not yet decided, for a payment intent; ids of bank debits begin with `py_`."""
    object_id = ids.new("ch" if method["type"] == "card" else "py")
    suffix = intent["statement_descriptor_suffix"]
    return {
        "id": object_id, "object": "charge", "amount": intent["amount"], "amount_captured": 0,
        "amount_refunded": 0, "application": None, "application_fee": None, "application_fee_amount": None,
        "balance_transaction": None, "billing_details": method["billing_details"],
        "calculated_statement_descriptor": f"{descriptor}* {suffix}"[:22] if suffix else descriptor[:22],
        "captured": False, "created": created, "currency": intent["currency"], "customer": intent["customer"],
        "description": intent["description"], "disputed": False, "failure_balance_transaction": None,
        "failure_code": None, "failure_message": None, "fraud_details": {}, "livemode": False,
        "metadata": intent["metadata"], "on_behalf_of": None, "outcome": None, "paid": False,
        "payment_intent": intent["id"], "payment_method": method["id"], "payment_method_details": {},
        "receipt_email": intent["receipt_email"], "receipt_number": None,
        "receipt_url": f"{base_url}/receipts/{object_id}", "refunded": False,
        "refunds": {"data": [], "has_more": False, "object": "list",
        "url": f"/v1/charges/{object_id}/refunds"},
        "review": None, "shipping": intent["shipping"], "source": None, "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"], "statement_descriptor_suffix": suffix,
        "status": "pending", "transfer_data": None, "transfer_group": None,
    }  # fmt: skip


def card_details(method: Obj, *, amount: int, authenticated: bool, succeeded: bool) -> Obj:
    """`payment_method_details` of a card charge."""
    card = method["card"]
    names = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    details: Obj = {name: card[name] for name in names}
    details |= {
        "amount_authorized": amount if succeeded else None,
        "authorization_code": "123456" if succeeded else None,
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None, "mandate": None, "multicapture": {"status": "unavailable"},
        "network": card["brand"], "network_token": {"used": False},
        "network_transaction_id": ids.token(15) if succeeded else None,
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": "unregulated", "three_d_secure": three_d_secure() if authenticated else None,
        "transaction_link_id": None, "wallet": card["wallet"],
    }  # fmt: skip
    return {"card": details, "type": "card"}


def three_d_secure() -> Obj:
    """The result of a challenge that was passed."""
    return {
        "authentication_flow": "challenge", "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "exemption_indicator_applied": False, "result": "authenticated", "result_reason": None,
        "transaction_id": ids.token(36), "version": "2.2.0",
    }  # fmt: skip


def bank_details(method: Obj, *, mandate_id: str | None, expected_debit_date: str) -> Obj:
    """`payment_method_details` of a bank debit."""
    bank = method["us_bank_account"]
    names = ("account_holder_type", "account_type", "bank_name", "fingerprint", "last4", "routing_number")
    details: Obj = {name: bank[name] for name in names}
    details |= {"expected_debit_date": expected_debit_date, "mandate": mandate_id, "payment_reference": None}
    return {"type": "us_bank_account", "us_bank_account": details}


def approved(*, risk: str, score: int) -> Obj:
    """The outcome of a charge that went through."""
    return {
        "advice_code": None, "network_advice_code": None, "network_decline_code": None,
        "network_status": "approved_by_network", "reason": None, "risk_level": risk, "risk_score": score,
        "seller_message": "Payment complete.", "type": "authorized",
    }  # fmt: skip


def refused(reason: str, *, risk: str, score: int, advice: str, blocked: bool) -> Obj:
    """The outcome of a charge that the bank, or Radar when `blocked`, refused."""
    return {
        "advice_code": advice, "network_advice_code": None, "network_decline_code": None,
        "network_status": "not_sent_to_network" if blocked else "declined_by_network",
        "reason": "highest_risk_level" if blocked else reason, "risk_level": risk, "risk_score": score,
        "seller_message": "Stripe blocked this payment as too risky." if blocked
        else "The bank did not return any further details with this decline.",
        "type": "blocked" if blocked else "issuer_declined",
    }  # fmt: skip


def refund(charge: Obj, *, amount: int, created: int, reason: str | None, metadata: Obj) -> Obj:
    """A refund, pending until decided."""
    kind = charge["payment_method_details"]["type"]
    destination: Obj = {"type": kind, kind: {}}
    if kind == "card":
        destination["card"] = {
            "reference": ids.token(14), "reference_status": "available",
            "reference_type": "acquirer_reference_number", "type": "refund",
        }  # fmt: skip
    return {
        "id": ids.new("re" if kind == "card" else "pyr"), "object": "refund", "amount": amount,
        "balance_transaction": None, "charge": charge["id"], "created": created,
        "currency": charge["currency"],
        "customer": charge["customer"], "customer_account": None, "destination_details": destination,
        "metadata": metadata, "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"], "reason": reason, "receipt_number": None,
        "source_transfer_reversal": None, "status": "pending", "transfer_reversal": None,
    }  # fmt: skip


def dispute(charge: Obj, *, amount: int, created: int, reason: str, status: str, due_by: int) -> Obj:
    """A dispute, an inquiry when its status begins with `warning_`."""
    details = charge["payment_method_details"]
    kind = details["type"]
    shown: Obj = {"type": kind}
    if kind == "card":
        shown["card"] = {
            "brand": details["card"]["brand"],
            "case_type": "inquiry" if status.startswith("warning") else "chargeback",
            "network": details["card"]["network"],
            "network_reason_code": "10.4" if reason == "fraudulent" else "13.1",
        }  # fmt: skip
    else:
        shown[kind] = {}
    return {
        "id": ids.new("dp" if kind == "card" else "pdp"), "object": "dispute", "amount": amount,
        "balance_transactions": [], "charge": charge["id"], "created": created,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": due_by, "enhanced_eligibility": {}, "has_evidence": False, "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": status.startswith("warning"), "livemode": False, "metadata": {},
        "payment_intent": charge["payment_intent"], "payment_method_details": shown, "reason": reason,
        "status": status,
    }  # fmt: skip
