"""Notices about delegates and invitations, as things stand now."""

from collections.abc import Sequence

from django.urls import reverse

from accounts.models import Delegate, Invitation
from notifications.audience_family import granter_of
from notifications.models import Notification
from notifications.news.looking import Looked, News, NotToBeSent, name_of


def of_delegates(notices: Sequence[Notification]) -> dict[int, Looked]:
    """A beginning is told while it stands, to who decides for the member; an end to both sides."""
    standing = Delegate.objects.select_related("member").in_bulk([int(name_of(notice)) for notice in notices])
    return {notice.pk: _of_delegate(notice, standing.get(int(name_of(notice)))) for notice in notices}


def of_invitations(notices: Sequence[Notification]) -> dict[int, Looked]:
    invitations = Invitation.objects.select_related("member").in_bulk([int(name_of(notice)) for notice in notices])
    found: dict[int, Looked] = {}
    for notice in notices:
        invitation = invitations.get(int(name_of(notice)))
        if invitation is None or notice.user_id not in (invitation.invited_by_id, invitation.member.user_id):
            found[notice.pk] = NotToBeSent("the invitation is not the user's to hear of")
        elif invitation.ended_at is not None:
            found[notice.pk] = NotToBeSent("the invitation was taken back")
        else:
            found[notice.pk] = News(reverse("delegates"))
    return found


def _of_delegate(notice: Notification, delegate: Delegate | None) -> Looked:
    if delegate is None:
        return NotToBeSent("the delegate is gone")
    if notice.kind == "acting_ended":
        is_readers = delegate.user_id == notice.user_id
        return News(reverse("delegates")) if is_readers else NotToBeSent("another acted")
    if granter_of(delegate.member) != notice.user_id:
        return NotToBeSent("the member is not the user's to hear of")
    if notice.kind == "delegate_accepted" and delegate.ended_at is not None:
        return NotToBeSent("it has ended by now")
    return News(reverse("delegates"))
