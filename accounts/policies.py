"""Who may use which route. A view declares its policy; a route without one is refused, and fails the build.

`tests/access/test_matrix.py` walks the table of addresses and tries every route in every role.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import viewing
from accounts.reauthentication import return_address
from accounts.visibility import scope_of

V = TypeVar("V", bound=Callable[..., HttpResponseBase])


class Policy(StrEnum):
    """The kinds of route."""

    PUBLIC = "public"  # anybody; shows nothing of anybody
    SIGNED_IN = "signed_in"  # who is signed in, a member yet or not: enrolment, settings
    MEMBER = "member"  # who is signed in and a member, or a member's delegate; rows through visible_to
    STAFF = "staff"  # staff with a second factor; a member gets 404
    API = "api"  # an app: the view finds out who asks and answers 401; rows through visible_to
    MACHINE = "machine"  # another system, which proves itself in the request (webhooks)


# Routes whose views are others' code: by namespace or url name.
FOREIGN: dict[str, Policy] = {
    "admin": Policy.STAFF,
}
FOREIGN_METHODS = ("GET", "HEAD", "POST", "OPTIONS")  # allauth's form views take PUT for POST, past the limits
FOREIGN_PREFIXES: dict[str, Policy] = {
    "account_": Policy.PUBLIC,  # allauth's pages ask for the sign-in themselves where they need it
    "mfa_": Policy.PUBLIC,
    "usersessions_": Policy.PUBLIC,
}


def allow(policy: Policy) -> Callable[[V], V]:
    """Declare the policy of a view: `@allow(Policy.MEMBER)`."""

    def declare(view: V) -> V:
        view.access_policy = policy  # type: ignore[attr-defined]
        return view

    return declare


def policy_of(view: Any, *, url_name: str | None, namespace: str) -> Policy | None:
    """The policy of a route: declared by its view, or stated above for others' views; None where there is none."""
    if (policy := declared_by(view)) is not None:
        return policy
    if namespace in FOREIGN:
        return FOREIGN[namespace]
    return next((of for prefix, of in FOREIGN_PREFIXES.items() if (url_name or "").startswith(prefix)), None)


def declared_by(view: Any) -> Policy | None:
    """What `allow` declared; a class of views declares it in its attribute `access_policy`."""
    own_class = getattr(view, "view_class", None) or getattr(view, "cls", None)
    policy: Policy | None = getattr(view, "access_policy", None) or getattr(own_class, "access_policy", None)
    return policy


def has_second_factor(request: HttpRequest) -> bool:
    """Whether this session's user proved a second factor in it. Not asked of staff in the demo (FAULTS H05)."""
    records = get_authentication_records(request, request.user)
    return settings.IS_DEMO or any(record["method"] == "mfa" for record in records)


class PolicyMiddleware:
    """Holds every request to its route's policy, and gives it `request.scope`: whom its user may see."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        """Refuse what the policy refuses. Raises Http404 for a route without a policy."""
        match = request.resolver_match
        assert match is not None
        policy = policy_of(view, url_name=match.url_name, namespace=match.namespace)
        if policy is None:
            raise Http404("no policy is declared for this route")
        if declared_by(view) is None and not match.namespace and request.method not in FOREIGN_METHODS:
            return HttpResponseNotAllowed(FOREIGN_METHODS)
        if policy in (Policy.PUBLIC, Policy.API, Policy.MACHINE):
            return None
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        if policy is Policy.STAFF:
            return _hold_staff(request)
        if policy is Policy.MEMBER and (seen_as := viewing.current(request)) is not None:
            return viewing.show(request, seen_as, view, args, kwargs)
        request.scope = scope_of(request.user)  # type: ignore[attr-defined]
        if policy is Policy.MEMBER and not request.scope.member_ids:  # type: ignore[attr-defined]
            return _redirect(request, reverse("enroll"))
        return None


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    return _redirect(request, f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': return_address(request)})}")


def _redirect(request: HttpRequest, url: str) -> HttpResponseBase:
    """Send the whole page elsewhere, also where htmx asked for a part of it."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def _hold_staff(request: HttpRequest) -> HttpResponseBase | None:
    """Let staff in who proved a second factor; lead others of staff to do so. Raises Http404 for a member."""
    if not request.user.is_staff:
        raise Http404("not of staff")
    if has_second_factor(request):
        return None
    if not is_mfa_enabled(request.user):
        messages.warning(request, _("Staff sign in with a second factor. Set one up here first."))
        return HttpResponseRedirect(reverse("mfa_index"))
    factors = [way for way in get_adapter().get_reauthentication_methods(request.user) if way["id"] != "reauthenticate"]
    return HttpResponseRedirect(f"{factors[0]['url']}?{urlencode({'next': return_address(request)})}")
