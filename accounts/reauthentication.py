"""Proving oneself again before anything sensitive: within five minutes, or be asked (FAULTS H16).

`@reauthentication.required` on a view of ours; allauth's own pages ask by themselves.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode, urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

V = TypeVar("V", bound=Callable[..., HttpResponseBase])


def required(view: V) -> V:
    """Ask for the password, a code or a passkey first, unless that was done within the last five minutes.

    A form that was posted too late is not replayed: the person comes back to the page and sends it again.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_recent(request):
            return view(request, *args, **kwargs)
        methods = get_adapter().get_reauthentication_methods(request.user)
        if not methods:
            return HttpResponseRedirect(resolve_url(settings.LOGIN_URL))
        return HttpResponseRedirect(f"{methods[0]['url']}?{urlencode({'next': return_address(request)})}")

    return cast(V, guarded)


def is_recent(request: HttpRequest) -> bool:
    """Whether the user signed in, or proved who they are again, in this session within the last five minutes."""
    records = get_authentication_records(request, request.user)
    return bool(records) and time.time() - records[-1]["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def return_address(request: HttpRequest) -> str:
    """Where to come back to: this page, or for a form that was posted the page of the form."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    referer = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure()):
        parts = urlsplit(referer)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path
    return resolve_url(settings.LOGIN_REDIRECT_URL)
