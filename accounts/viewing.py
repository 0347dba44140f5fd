"""Seeing the portal as a member sees it (FAULTS F20): staff, for a reason, for a quarter of an hour, reading only.

While it lasts, the members' pages are shown to somebody of staff with the member's own eyes: the same rows, nothing
that the member does not see. Nothing can be sent, and what a page would write down by being opened is undone: it runs
in a transaction that is rolled back. Who looked is written before each page; where that fails the page fails too.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from accounts import households
from accounts.models import Member, User
from accounts.requests import client_address
from accounts.visibility import scope_of
from activity.recording import looked
from ledger.transactions import OutsideCall

PERMISSION = "activity.add_access"
LASTS_SECONDS = 15 * 60
KEY = "viewing_as"
READS = ("GET", "HEAD", "OPTIONS")


class NotViewable(Exception):
    """The portal is not shown as this member sees it; the text says why."""


@dataclass(frozen=True, slots=True)
class Viewing:
    """As whom the portal is seen, and until when (seconds since 1970)."""

    member_id: int
    user_id: int
    name: str
    until: float

    @property
    def minutes_left(self) -> int:
        """Whole minutes, at least 1."""
        return max(1, round((self.until - time.time()) / 60))


def is_offered(member: Member) -> bool:
    """Whether a member has a sign-in to look with."""
    return member.user_id is not None


def seen_apart(member: Member) -> list[Member]:
    """The confidential members whom a member's eyes see: oneself, one's private side, who granted it."""
    if member.user is None:
        return []
    seen = Member.objects.filter(pk__in=scope_of(member.user).member_ids, confidential_since__isnull=False)
    return list(seen.order_by("pk"))


def begin(request: HttpRequest, member: Member, *, reason: str) -> None:
    """Let the staff member of this session see the portal as `member`. Raises NotViewable.

    Written down for everybody whom the member sees: their rows are shown as well.
    """
    viewer, user = request.user, member.user
    assert isinstance(viewer, User)
    if user is None or not user.is_active:
        raise NotViewable("This member does not sign in: there is nothing to see the portal with.")
    scope = scope_of(user)
    if households.is_of(viewer, scope.household_ids):
        raise NotViewable("Your own household is among what this member sees: somebody else has to look.")
    for member_id in sorted(scope.member_ids | {member.pk}):
        _look(request, f"member:{member.number}", member_id, reason=reason)
    request.session[KEY] = {
        "member_id": member.pk, "user_id": user.pk, "name": member.full_name, "until": time.time() + LASTS_SECONDS,
    }  # fmt: skip


def end(request: HttpRequest) -> str:
    """Stop; where to go now."""
    was = request.session.pop(KEY, None)
    return reverse("admin:accounts_member_change", args=[was["member_id"]]) if was else reverse("admin:index")


def current(request: HttpRequest) -> Viewing | None:
    """As whom this session sees the portal; None for everybody who is not doing so."""
    given = request.session.get(KEY) if getattr(request.user, "is_staff", False) else None
    return Viewing(**given) if given else None


def show(
    request: HttpRequest, viewing: Viewing, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
) -> HttpResponseBase:
    """A member's page with the member's eyes. `request.user` is the member from here on; the session stays its own."""
    assert isinstance(request.user, User) and request.resolver_match is not None
    user = User.objects.filter(pk=viewing.user_id, is_active=True).first()
    scope = scope_of(user) if user else None
    is_over = time.time() >= viewing.until or not request.user.has_perm(PERMISSION)
    if user is None or scope is None or is_over or households.is_of(request.user, scope.household_ids):
        messages.info(request, "You no longer see the portal as a member.")
        return HttpResponseRedirect(end(request))
    if request.method not in READS:
        return refused(request, viewing)
    _look(request, f"page:{request.resolver_match.url_name}", viewing.member_id)
    request.user, request.scope, request.viewing = user, scope, viewing  # type: ignore[attr-defined]
    try:
        return _undone(request, view, args, kwargs)
    except OutsideCall:
        return refused(request, viewing)


def refused(request: HttpRequest, viewing: Viewing) -> HttpResponse:
    """What somebody gets who would do something in the member's place."""
    return render(request, "viewing/refused.html", {"viewing": viewing}, status=403)


def _undone(request: HttpRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any) -> HttpResponseBase:
    with transaction.atomic():
        response = view(request, *args, **kwargs)
        if callable(rendering := getattr(response, "render", None)):
            response = rendering()
        transaction.set_rollback(True)
    return response


def _look(request: HttpRequest, subject: str, member_id: int, *, reason: str = "") -> None:
    assert request.user.pk is not None
    looked(
        user_id=request.user.pk, subject=subject[:80], action="view as member", member_id=member_id,
        reason=reason[:500], address=client_address(request),
    )  # fmt: skip
