"""Where a request came from."""

from allauth.account.adapter import get_adapter
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The client's IP address, by X-Forwarded-For as far as TRUSTED_PROXIES say it can be believed.

    The same answer as rate limits and session lists get. Raises PermissionDenied where the header names fewer
    addresses than there are trusted proxies: such a request came around them.
    """
    address: str = get_adapter().get_client_ip(request)
    return address
