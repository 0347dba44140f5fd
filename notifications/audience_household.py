"""Whom it concerns that somebody leaves a household, comes of age on it, or lets its holder see: as in audience.py."""

from collections.abc import Iterator

from accounts.models import Departure, Member
from activity.models import Event
from notifications.audience import Told


def both(event: Event) -> Iterator[Told]:
    """Who leaves and the account holder, once for each event. The subject is `departure:` with its id."""
    departure = Departure.objects.select_related("member", "successor").filter(pk=_id_of(event)).first()
    if departure is not None:
        for user_id in concerned_by(departure):
            yield Told(user_id, event.subject, str(event.pk))


def who_is_asked(event: Event) -> Iterator[Told]:
    """Who is asked to hold the account next, once for each time."""
    departure = Departure.objects.select_related("successor").filter(pk=_id_of(event)).first()
    if departure is not None and departure.successor is not None and departure.successor.user_id is not None:
        yield Told(departure.successor.user_id, event.subject, str(event.pk))


def both_at_the_end(event: Event) -> Iterator[Told]:
    """As `both`, where something ended: not after a death, nor where the holder goes on seeing who came of age."""
    departure = Departure.objects.select_related("member", "successor").filter(pk=_id_of(event)).first()
    if departure is None or departure.successor_id is not None:
        return  # that another holds the account is a notice of its own
    if departure.cause != Departure.Cause.DEATH and departure.member.is_apart:
        yield from both(event)


def both_of_sight(event: Event) -> Iterator[Told]:
    """The member who decided what the account holder sees, and the holder. The subject is `member:` with its id."""
    member = Member.objects.filter(pk=_id_of(event)).first()
    if member is not None:
        for user_id in sides_of(member):
            yield Told(user_id, f"sight:{member.pk}", str(event.pk))


def concerned_by(departure: Departure) -> list[int]:
    """The users of both sides, and who has agreed to hold the account next."""
    agreed = departure.successor if departure.accepted_at is not None else None
    users = {*sides_of(departure.member), agreed.user_id if agreed is not None else None}
    return sorted(user_id for user_id in users if user_id is not None)


def sides_of(member: Member) -> list[int]:
    """The users of both sides: the member, as long as they live, and the household's primary holder."""
    holder = Member.objects.filter(household_id=member.household_id, is_primary_holder=True).first()
    users = {member.user_id if member.died_on is None else None, holder.user_id if holder else None}
    return sorted(user_id for user_id in users if user_id is not None)


def _id_of(event: Event) -> int:
    return int(event.subject.partition(":")[2])
