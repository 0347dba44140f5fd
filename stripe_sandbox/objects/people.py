"""Customers, billing details and addresses."""

from stripe_sandbox import ids
from stripe_sandbox.forms import Obj

ADDRESS_FIELDS = ("city", "country", "line1", "line2", "postal_code", "state")


def address(given: Obj) -> Obj:
    """An address with all of Stripe's fields."""
    return {name: given.get(name) or None for name in ADDRESS_FIELDS}


def billing_details(given: Obj) -> Obj:
    """Billing details of a method or a charge."""
    return {
        "address": address(given.get("address") or {}), "email": given.get("email") or None,
        "name": given.get("name") or None, "phone": given.get("phone") or None, "tax_id": None,
    }  # fmt: skip


def shipping(given: Obj) -> Obj | None:
    """Shipping, or null."""
    if not given:
        return None
    return {
        "address": address(given.get("address") or {}), "carrier": given.get("carrier") or None,
        "name": given.get("name") or None, "phone": given.get("phone") or None,
        "tracking_number": given.get("tracking_number") or None,
    }  # fmt: skip


def customer(*, created: int) -> Obj:
    """A new customer with nothing known of it."""
    return {
        "id": ids.new("cus"), "object": "customer", "address": None, "balance": 0, "created": created,
        "currency": None, "default_source": None, "delinquent": False, "description": None, "discount": None,
        "email": None, "invoice_prefix": ids.token(8).upper(),
        "invoice_settings": {
            "custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None,
        },
        "livemode": False, "metadata": {}, "name": None, "next_invoice_sequence": 1, "phone": None,
        "preferred_locales": [], "shipping": None, "tax_exempt": "none", "test_clock": None,
    }  # fmt: skip
