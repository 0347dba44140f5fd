"""Notices about members, households and users, as things stand now."""

from collections.abc import Sequence

from django.urls import reverse

from accounts.models import Member
from notifications.models import Notification
from notifications.news.looking import Looked, News, NotToBeSent, name_of


def of_members(notices: Sequence[Notification]) -> dict[int, Looked]:
    owners = dict(Member.objects.filter(pk__in=[name_of(notice) for notice in notices]).values_list("pk", "user_id"))
    return {
        notice.pk: News(reverse("settings"))
        if owners.get(int(name_of(notice))) == notice.user_id
        else NotToBeSent("the member is no longer the user's")
        for notice in notices
    }


def of_households(notices: Sequence[Notification]) -> dict[int, Looked]:
    holders = dict(
        Member.objects.filter(
            household_id__in=[name_of(notice) for notice in notices], is_primary_holder=True
        ).values_list("household_id", "user_id")
    )
    return {
        notice.pk: News(reverse("notification_settings"))
        if holders.get(int(name_of(notice))) == notice.user_id
        else NotToBeSent("the household is no longer the user's")
        for notice in notices
    }


def of_users(notices: Sequence[Notification]) -> dict[int, Looked]:
    return {
        notice.pk: News(reverse("notification_settings"))
        if name_of(notice) == str(notice.user_id)
        else NotToBeSent("not about the user")
        for notice in notices
    }
