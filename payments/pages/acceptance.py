"""Who agrees to a mandate, from the request of the click."""

from django.http import HttpRequest
from django.utils.translation import get_language

from accounts.requests import client_address
from payments.mandates import Acceptance


def acceptance_of(request: HttpRequest) -> Acceptance:
    """The network address, the browser and the language of a click."""
    return Acceptance(
        address=client_address(request),
        user_agent=request.headers.get("User-Agent", ""),
        language=get_language() or "en",
    )
