"""Headers that every answer carries, errors and static files included (FAULTS M07, M09, M15)."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class PrivacyHeadersMiddleware:
    """No copy of a member's page outside the member's screen: not in a cache, not in a search index, not in a frame.

    Stands before all other middleware, so that what they answer themselves carries the headers too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        # Apple Pay and Google Pay open from within Stripe's frame.
        wallets = f'payment=(self "{settings.STRIPE_JS_ORIGIN}")'
        self.permissions = f"camera=(), display-capture=(), geolocation=(), microphone=(), usb=(), {wallets}"

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")
        response.headers.setdefault("Permissions-Policy", self.permissions)
        return response
