"""How long a session lasts, by the server's clock (FAULTS H14), and what ends one at once (H13).

A session ends after a time without activity and, active or not, after a time since the sign-in. A request that a page
sends by itself (header `X-Portal-Poll`) is no activity. The password, second factors and the role are part of what a
session must agree with: `User._get_session_auth_hash`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import User

MINUTE, HOUR = 60, 3600
POLL_HEADER = "X-Portal-Poll"
SIGNED_IN_AT, SEEN_AT = "signed_in_at", "seen_at"
PRECISION_SECONDS = 60  # activity is written down once a minute: an idle session ends up to that much early, never late
WARNING_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session may be idle, and how long it may last."""

    idle_seconds: int
    overall_seconds: int


MEMBER = Limits(idle_seconds=30 * MINUTE, overall_seconds=24 * HOUR)
STAFF = Limits(idle_seconds=15 * MINUTE, overall_seconds=12 * HOUR)


def limits_of(user: User) -> Limits:
    """The limits of staff or of members."""
    return STAFF if user.is_staff else MEMBER


def seconds_left(request: HttpRequest) -> int:
    """How long the session still lasts if nothing happens; 0 or less: it is over."""
    assert request.user.is_authenticated
    now, limits = time.time(), limits_of(request.user)
    return int(
        min(
            request.session.get(SEEN_AT, now) + limits.idle_seconds - now,
            request.session.get(SIGNED_IN_AT, now) + limits.overall_seconds - now,
        )
    )


def extend(request: HttpRequest) -> None:
    """Write down that the person is there."""
    now = time.time()
    request.session.setdefault(SIGNED_IN_AT, now)
    request.session[SEEN_AT] = now
    UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=timezone.now())


class SessionLimitsMiddleware:
    """Ends sessions by the server's clock, and keeps the session that changed a second factor itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            self._hold_to_limits(request)
        epoch = getattr(request.user, "session_epoch", None)
        response = self.get_response(request)
        if epoch is not None and request.method == "POST" and request.path.startswith("/accounts/"):
            _keep_own_session(request, epoch)
        return response

    def _hold_to_limits(self, request: HttpRequest) -> None:
        if SIGNED_IN_AT in request.session and seconds_left(request) <= 0:
            logout(request)
            return
        is_stale = time.time() - request.session.get(SEEN_AT, 0) >= PRECISION_SECONDS
        if SIGNED_IN_AT not in request.session or (is_stale and POLL_HEADER not in request.headers):
            extend(request)


def _keep_own_session(request: HttpRequest, epoch: int) -> None:
    """Second factors were changed from this session: it goes on, under a new id, while all others have ended."""
    user = request.user
    if not user.is_authenticated:
        return
    user.refresh_from_db(fields=["session_epoch"])
    if user.session_epoch != epoch:
        request.session.cycle_key()
        request.session[HASH_SESSION_KEY] = user.get_session_auth_hash()
