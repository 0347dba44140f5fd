"""Notices about questions to Member Services, as things stand now."""

from collections import defaultdict
from collections.abc import Sequence

from django.urls import reverse

from notifications.models import Notification
from notifications.news.looking import Looked, News, NotToBeSent, name_of, reader
from support.models import Inquiry


def of_inquiries(notices: Sequence[Notification]) -> dict[int, Looked]:
    """Read by who asked, as long as they may still read it."""
    by_reader: dict[int, list[Notification]] = defaultdict(list)
    for notice in notices:
        by_reader[reader(notice).pk].append(notice)
    found: dict[int, Looked] = {}
    for theirs in by_reader.values():
        numbers = [name_of(notice) for notice in theirs]
        visible = Inquiry.objects.visible_to(reader(theirs[0])).filter(number__in=numbers)
        readable = set(visible.values_list("number", flat=True))
        for notice in theirs:
            number = name_of(notice)
            is_readable = number in readable
            found[notice.pk] = (
                News(reverse("inquiry", args=[number])) if is_readable else NotToBeSent("not theirs to read any more")
            )
    return found
