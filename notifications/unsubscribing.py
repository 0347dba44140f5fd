"""One-click unsubscribe (RFC 8058): a signed address that switches off one topic's mails for one person.

The token stands in the mail's headers alone. It works without signing in, only ever switches off, and only what is not
required; it is good for VALID_DAYS, and whoever forwards the mail forwards no more than that.
"""

import datetime as dt
from functools import cache
from typing import NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.core import signing
from django.urls import reverse

from notifications.kinds import Kind, Topic

SALT = "notifications.unsubscribe"
VALID_DAYS = 180


class Subscription(NamedTuple):
    """Whose mails of which topic."""

    user_id: int
    topic: Topic


class TokenRefused(Exception):
    """Forged, changed, or too old."""


def headers(user_id: int, kind: Kind) -> dict[str, str]:
    """Both headers, or none for a notice that cannot be switched off. DKIM must cover them (docs/notifications.md)."""
    if kind.is_required:
        return {}
    return {
        "List-Unsubscribe": f"<{address(user_id, kind.topic)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def address(user_id: int, topic: Topic) -> str:
    """The whole address that switches this topic off for this person."""
    token = signing.dumps([user_id, str(topic)], salt=SALT, compress=False)
    return f"{settings.PORTAL_URL}{_path()}?token={quote(token)}"


@cache
def _path() -> str:
    return reverse("unsubscribe")


def read(token: str) -> Subscription:
    """Whose mails of which topic a token is for. Raises TokenRefused."""
    try:
        user_id, topic = signing.loads(token, salt=SALT, max_age=dt.timedelta(days=VALID_DAYS))
        return Subscription(int(user_id), Topic(topic))
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise TokenRefused from error
