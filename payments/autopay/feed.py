"""A member's private calendar: due dates and autopay days at an address that cannot be guessed and can be ended.

Whoever has the address reads it without signing in, a calendar's server for one. So it says nothing of services,
providers, people or health, and amounts only where its member asked for them; whom the member no longer sees is gone
from it at once.
"""

import datetime as dt
import hashlib
import secrets

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from accounts.models import User
from accounts.visibility import scope_of
from activity.recording import record
from ledger.money import format_usd
from payments.autopay import monthly
from payments.models import CalendarFeed

DAYS_BACK = 31
DAYS_AHEAD = 183
SECRET_BYTES = 32


@transaction.atomic
def renew(user: User, *, states_amounts: bool) -> str:
    """Make a member's address, or another instead of the one that stands; its path, shown this once."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    CalendarFeed.objects.update_or_create(
        user=user,
        defaults={"secret_hash": hash_of(secret), "states_amounts": states_amounts, "created_at": timezone.now()},
    )
    record("calendar.renewed", subject=f"user:{user.pk}", actor=f"user:{user.pk}")
    return reverse("calendar_feed", args=[secret])


@transaction.atomic
def end(user: User) -> None:
    """End a member's address: what reads it finds nothing any more."""
    if CalendarFeed.objects.filter(user=user).delete()[0]:
        record("calendar.ended", subject=f"user:{user.pk}", actor=f"user:{user.pk}")


def find(secret: str) -> CalendarFeed | None:
    """The feed of a secret, where its member is active."""
    found = CalendarFeed.objects.filter(secret_hash=hash_of(secret), user__is_active=True)
    return found.select_related("user").first()


def written(feed: CalendarFeed) -> bytes:
    """The calendar of a feed as it stands now (RFC 5545), in its member's language."""
    today = timezone.localdate()
    first, last = today - dt.timedelta(days=DAYS_BACK), today + dt.timedelta(days=DAYS_AHEAD)
    known = feed.user.language in dict(settings.LANGUAGES)
    with translation.override(feed.user.language if known else settings.LANGUAGE_CODE):
        calendar = Calendar()
        calendar.add("prodid", f"-//{settings.PORTAL_NAME}//Billing//")
        calendar.add("version", "2.0")
        calendar.add("x-wr-calname", _("%(portal)s: bills") % {"portal": settings.PORTAL_NAME})
        for entry in monthly.entries(scope_of(feed.user), first, last):
            calendar.add_component(_event(entry, feed))
    return bytes(calendar.to_ical())


def hash_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _event(entry: monthly.Entry, feed: CalendarFeed) -> Event:
    words = _("Payment due") if entry.kind == monthly.DUE else _("Automatic payment")
    event = Event()
    # Named so that it is the same at the next reading, and tells neither a bill's number nor whose it is.
    named = hashlib.sha256(f"{feed.secret_hash}:{entry.name}".encode()).hexdigest()[:32]
    event.add("uid", f"{named}@calendar.invalid")
    event.add("dtstamp", timezone.now())
    event.add("dtstart", entry.on)
    event.add("dtend", entry.on + dt.timedelta(days=1))
    event.add("summary", f"{words}: {format_usd(entry.amount_cents)}" if feed.states_amounts else words)
    event.add("url", f"{settings.PORTAL_URL}{reverse('autopay_calendar')}?month={entry.on:%Y-%m}")
    event.add("transp", "TRANSPARENT")
    return event
