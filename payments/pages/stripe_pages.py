"""The pages that may load Stripe's script and frames: those on which a card is typed or a bank asks (FAULTS M03).

What they tell the script, and what counts when the browser comes back from the bank: of members and of guests alike.
"""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language

from payments import gateway, sweeping
from payments.models import Payment
from payments.provider import GatewayError, Intent
from payments.states import IN_FLIGHT

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


def script_settings(return_path: str) -> dict[str, object]:
    """What a page tells Stripe's script: `return_path` is where the browser comes back to from the bank."""
    return {
        "script": settings.STRIPE_JS_URL,
        "key": settings.STRIPE_PUBLISHABLE_KEY,
        "types": ",".join(gateway.METHOD_TYPES),
        "language": get_language() or "en",
        "return_url": settings.PORTAL_URL + return_path,
    }


def settings_to_pay(payment: Payment, *, back: str) -> dict[str, object]:
    """The same for the page that pays a payment; `back` names the view that is come back to."""
    return script_settings(reverse(back, args=[payment.number])) | {"amount": payment.amount_cents}


def intent_of(payment: Payment) -> Intent | None:
    """The payment's intent as it stands at the provider; None where that does not answer."""
    try:
        return gateway.intent(payment.stripe_payment_intent_id)
    except GatewayError:
        return None


def ended(request: HttpRequest, payment: Payment) -> Payment | None:
    """The payment that a browser comes back for, as the provider says it ended; None where that was known before.

    Only the payment's own intent counts; another's is answered as what does not exist, by Http404 (FAULTS B22). Raises
    GatewayError.
    """
    named = request.GET.get("payment_intent")
    if named is not None and named != payment.stripe_payment_intent_id:
        raise Http404("an intent of another payment")
    return sweeping.refresh(payment) if payment.status in IN_FLIGHT else None
