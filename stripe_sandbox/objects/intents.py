"""Payment intents, setup intents and setup attempts."""

from stripe_sandbox import ids
from stripe_sandbox.forms import Obj


def payment_intent(*, amount: int, currency: str, created: int) -> Obj:
    """A payment intent that waits for a method."""
    object_id = ids.new("pi")
    return {
        "id": object_id, "object": "payment_intent", "amount": amount, "amount_capturable": 0,
        "amount_details": {"tip": {}}, "amount_received": 0, "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None, "canceled_at": None, "cancellation_reason": None,
        "capture_method": "automatic_async", "client_secret": ids.client_secret(object_id),
        "confirmation_method": "automatic", "created": created, "currency": currency, "customer": None,
        "customer_account": None, "description": None, "excluded_payment_method_types": None,
        "last_payment_error": None, "latest_charge": None, "livemode": False, "managed_payments": None,
        "metadata": {}, "next_action": None, "on_behalf_of": None, "payment_method": None,
        "payment_method_configuration_details": None, "payment_method_options": {},
        "payment_method_types": ["card"], "processing": None, "receipt_email": None, "review": None,
        "setup_future_usage": None, "shipping": None, "source": None, "statement_descriptor": None,
        "statement_descriptor_suffix": None, "status": "requires_payment_method", "transfer_data": None,
        "transfer_group": None,
    }  # fmt: skip


def setup_intent(*, created: int) -> Obj:
    """A setup intent that waits for a method."""
    object_id = ids.new("seti")
    return {
        "id": object_id, "object": "setup_intent", "application": None, "automatic_payment_methods": None,
        "cancellation_reason": None, "client_secret": ids.client_secret(object_id), "created": created,
        "customer": None, "customer_account": None, "description": None,
        "excluded_payment_method_types": None,
        "flow_directions": None, "last_setup_error": None, "latest_attempt": None, "livemode": False,
        "mandate": None, "metadata": {}, "next_action": None, "on_behalf_of": None, "payment_method": None,
        "payment_method_configuration_details": None, "payment_method_options": {},
        "payment_method_types": ["card"], "single_use_mandate": None, "status": "requires_payment_method",
        "usage": "off_session",
    }  # fmt: skip


def setup_attempt(intent: Obj, method: Obj, *, created: int, status: str, error: Obj | None) -> Obj:
    """One try to set a method up."""
    kind = method["type"]
    details: Obj = {"type": kind, kind: {}}
    if kind == "card":
        card = method["card"]
        names = (
            "brand",
            "checks",
            "country",
            "exp_month",
            "exp_year",
            "fingerprint",
            "funding",
            "last4",
            "wallet",
        )
        details["card"] = {name: card[name] for name in names}
        details["card"] |= {"network": card["brand"], "three_d_secure": None}
    return {
        "id": ids.new("setatt"), "object": "setup_attempt", "application": None, "created": created,
        "customer": intent["customer"], "customer_account": None, "flow_directions": None, "livemode": False,
        "on_behalf_of": None, "payment_method": method["id"], "payment_method_details": details,
        "setup_error": error, "setup_intent": intent["id"], "status": status, "usage": intent["usage"],
    }  # fmt: skip
