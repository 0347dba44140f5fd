"""Whom events of the family concern: as in audience.py."""

from collections.abc import Iterator

from accounts.models import Delegate, Invitation, Member
from activity.models import Event
from notifications.audience import Told


def inviters(event: Event) -> Iterator[Told]:
    """The member for whom somebody was invited, and who invited. The subject is `invitation:` with its id."""
    invitation = Invitation.objects.select_related("member").filter(pk=_id_of(event)).first()
    if invitation is not None:
        users = {invitation.invited_by_id, invitation.member.user_id} - {None}
        for user_id in sorted(user for user in users if user is not None):
            yield Told(user_id, event.subject, str(invitation.pk))


def granters(event: Event) -> Iterator[Told]:
    """The member for whom somebody acts; of a member without a sign-in the holder, as far as the holder sees them."""
    delegate = _delegate_of(event)
    if delegate is not None and (user_id := granter_of(delegate.member)) is not None:
        yield Told(user_id, event.subject, str(delegate.pk))


def granters_at_end(event: Event) -> Iterator[Told]:
    """As `granters`, but not where one grant took another's place."""
    if event.reason != "replaced":
        yield from granters(event)


def delegates_at_end(event: Event) -> Iterator[Told]:
    """Who acted for the member, unless they ended it themselves, or hold another grant in its place."""
    delegate = _delegate_of(event)
    if delegate is not None and event.reason not in ("replaced", "ended by the delegate"):
        yield Told(delegate.user_id, event.subject, str(delegate.pk))


def member_alone(event: Event) -> Iterator[Told]:
    """The member whom it concerns and nobody else, once for each event. The subject is `member:` with its id."""
    member = Member.objects.filter(pk=_id_of(event), user__isnull=False).first()
    if member is not None and member.user_id is not None:
        yield Told(member.user_id, event.subject, str(event.pk))


def granter_of(member: Member) -> int | None:
    """Who hears of a member's delegates: the member; for a member without a sign-in the holder who sees them."""
    if member.user_id is not None or member.is_apart:
        return member.user_id
    holder = Member.objects.filter(household_id=member.household_id, is_primary_holder=True).first()
    return holder.user_id if holder else None


def _delegate_of(event: Event) -> Delegate | None:
    return Delegate.objects.select_related("member").filter(pk=_id_of(event)).first()


def _id_of(event: Event) -> int:
    return int(event.subject.partition(":")[2])
