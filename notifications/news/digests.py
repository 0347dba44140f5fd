"""The weekly digest, as things stand now."""

import datetime as dt
from collections.abc import Sequence

from django.urls import reverse
from django.utils import timezone

from accounts.visibility import scope_of
from bills.models import Bill
from notifications.models import Notification
from notifications.news.looking import Looked, News, NotToBeSent, reader
from payments import overview


def of_digests(notices: Sequence[Notification]) -> dict[int, Looked]:
    """What there is to pay and what is new, for each reader: a few queries each."""
    since = timezone.now() - dt.timedelta(days=7)
    found: dict[int, Looked] = {}
    for notice in notices:
        scope = scope_of(reader(notice))
        waiting = overview.in_flight(scope)
        totals = overview.totals(overview.members_seen(scope), scope, waiting)
        count = Bill.objects.visible_to(scope).owed().order_by().count()
        new = Notification.objects.visible_to(scope).filter(created_at__gte=since).exclude(kind=notice.kind).count()
        if count or new:
            found[notice.pk] = News(reverse("overview"), None, totals.total_cents, count, new)
        else:
            found[notice.pk] = NotToBeSent("there is nothing to tell of")
    return found
