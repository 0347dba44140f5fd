"""How many notices are unread, for the bell in the shell of every page."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from notifications.models import Notification

MOST_COUNTED = 100  # beyond, the bell says "99+"


def unread(request: HttpRequest) -> dict[str, Any]:
    """`unread_notices`: counted by one indexed query, where a template asks for it."""
    return {"unread_notices": SimpleLazyObject(lambda: _count(request))}


def _count(request: HttpRequest) -> int:
    scope = getattr(request, "scope", None)
    if scope is None or not scope.user_id:
        return 0
    return len(Notification.objects.visible_to(scope).unread().values_list("pk", flat=True)[:MOST_COUNTED])
