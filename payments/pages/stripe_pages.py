"""The pages that may load Stripe's script and frames: those on which a card is typed or a bank asks (FAULTS M03)."""

from django.conf import settings
from django.http import HttpResponse

STRIPE_POLICY = {
    "script-src": settings.STRIPE_HOSTS,
    "connect-src": settings.STRIPE_HOSTS,
    "frame-src": settings.STRIPE_HOSTS,
}


def with_stripe(response: HttpResponse) -> HttpResponse:
    """Let the page load Stripe's script and frames, and Apple Pay be asked for from within them."""
    response._csp_update = STRIPE_POLICY  # type: ignore[attr-defined]  # as django-csp's own decorator does
    allowed = f'payment=(self "{settings.STRIPE_JS_ORIGIN}")'
    response["Permissions-Policy"] = f"camera=(), geolocation=(), microphone=(), {allowed}"
    return response
