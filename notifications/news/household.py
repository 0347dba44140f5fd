"""Notices of who leaves a household or comes of age on it, and of what its holder sees, as things stand now."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils import timezone

from accounts.models import Departure, Member
from notifications.audience_household import concerned_by, sides_of
from notifications.models import Notification
from notifications.news.looking import Looked, News, NotToBeSent, name_of


def of_departures(notices: Sequence[Notification]) -> dict[int, Looked]:
    """Told as long as it is so: what is planned while it is planned, that it was called off where nothing else is."""
    standing = Departure.objects.select_related("member", "successor").in_bulk(
        [int(name_of(notice)) for notice in notices]
    )
    return {notice.pk: _of_departure(notice, standing.get(int(name_of(notice)))) for notice in notices}


def of_sight(notices: Sequence[Notification]) -> dict[int, Looked]:
    members = Member.objects.in_bulk([int(name_of(notice)) for notice in notices])
    found: dict[int, Looked] = {}
    for notice in notices:
        member = members.get(int(name_of(notice)))
        if member is None or notice.user_id not in sides_of(member):
            found[notice.pk] = NotToBeSent("it is not the user's to hear of")
        elif (member.seen_by_holder_since is not None) != (notice.kind == "sight_given"):
            found[notice.pk] = NotToBeSent("it is otherwise by now")
        else:
            found[notice.pk] = News(reverse("family"))
    return found


def _of_departure(notice: Notification, departure: Departure | None) -> Looked:
    if departure is None or notice.user_id not in _hearers(notice, departure):
        return NotToBeSent("it is not the user's to hear of")
    is_called_off, is_over = departure.canceled_at is not None, departure.done_at is not None
    if notice.kind in ("departure_done", "holder_changed", "account_closed", "account_reopened"):
        return News(reverse("leaving")) if is_over else NotToBeSent("it is not settled")
    if notice.kind == "departure_canceled":
        return News(reverse("leaving")) if is_called_off else NotToBeSent("it is planned again")
    if notice.kind == "holder_asked" and departure.accepted_at is not None:
        return NotToBeSent("it is answered")
    if is_called_off or is_over or departure.on <= timezone.localdate():
        return NotToBeSent("it is over, or was called off")
    return News(reverse("leaving"))


def _hearers(notice: Notification, departure: Departure) -> list[int]:
    if notice.kind == "holder_asked":
        return [departure.successor.user_id or 0] if departure.successor is not None else []
    return concerned_by(departure)
