"""The `Stripe-Signature` header (docs.stripe.com/webhooks/signature): HMAC-SHA256 over `<t>.<body>`."""

import hashlib
import hmac


def header(body: bytes, secret: str, at: int, *, scheme: str = "v1") -> str:
    """`t=<unix seconds>,v1=<hex>`; another scheme than v1 must not be trusted by a receiver."""
    return f"t={at},{scheme}={digest(body, secret, at)}"


def digest(body: bytes, secret: str, at: int) -> str:
    """The hex signature."""
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
