"""The request that a view of members' pages is given."""

from allauth.account.adapter import get_adapter
from django.http import HttpRequest

from accounts.models import User
from accounts.visibility import Scope


class MemberRequest(HttpRequest):
    """A request that Policy.MEMBER let through: somebody is signed in, and `scope` says whom they may see."""

    user: User
    scope: Scope


def client_address(request: HttpRequest) -> str:
    """The client's network address, by X-Forwarded-For as far as TRUSTED_PROXIES say it can be believed.

    Raises PermissionDenied where the header names fewer addresses than there are trusted proxies.
    """
    return str(get_adapter().get_client_ip(request))
