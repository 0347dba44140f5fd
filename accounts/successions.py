"""A holder leaves: who holds the account next, by their own word, from midnight of a day; or the account closes.

Planned by the holder, or recorded by staff, in the same row as any other leaving (`Departure`, docs/decisions/2071).
Nothing changes until the other has accepted. The money of it is settled by `payments.succeeding`.
"""

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import departures
from accounts.ages import ADULT_AT, latest_birth
from accounts.departures import BY_MEMBERS, LONGEST, Cause, Refused
from accounts.models import Departure, Household, Member, MemberQuerySet, User
from accounts.visibility import Scope
from activity.models import WorkItem
from activity.recording import open_work
from ledger.transactions import atomic_with_retry


def held_by(scope: Scope) -> list[Member]:
    """The viewer's own members who hold an account: one for each household."""
    mine = Member.objects.people().filter(pk__in=scope.own_ids, is_primary_holder=True, died_on__isnull=True)
    return list(mine.filter(household_id__in=scope.held_household_ids).select_related("household").order_by("pk"))


def others(holder: Member) -> MemberQuerySet:
    """Who is of the holder's household beside the holder."""
    today = timezone.localdate()
    return Member.objects.people().of_household(today).filter(household_id=holder.household_id).exclude(pk=holder.pk)


def able(holder: Member) -> MemberQuerySet:
    """Who of the household can hold its account: adults who sign in, stay, and are not confidential."""
    grown = others(holder).filter(
        birth_date__lte=latest_birth(ADULT_AT, timezone.localdate()), user__is_active=True, left_on__isnull=True,
        confidential_since__isnull=True,
    )  # fmt: skip
    return grown.exclude(user_id=holder.user_id or 0).order_by("birth_date", "pk")


def candidates(holder: Member, scope: Scope) -> list[Member]:
    """Whom the holder can ask: of those who can, whom the holder sees. Who is apart is not even named."""
    return list(able(holder).filter(pk__in=scope.held_ids))


def offers_to(scope: Scope) -> list[Departure]:
    """What the viewer is asked to take over, or has agreed to."""
    found = Departure.objects.planned().filter(successor_id__in=scope.own_ids, cause__in=BY_MEMBERS)
    return list(found.select_related("member__household", "successor").order_by("on", "pk"))


@atomic_with_retry
def plan(
    holder: Member, scope: Scope, *, cause: str, on: dt.date, successor: Member | None,
    plans: str = Departure.Plans.KEEP, letters: dict[str, str] | None = None, by: User,
) -> Departure:  # fmt: skip
    """Plan that a holder leaves from midnight of a day; without a successor, that the account closes then.

    `letters`: where letters go then, by POSTAL; without it, what was written stays. A repeat changes nothing. Another
    day or another person has to be agreed to anew. Raises Refused.
    """
    today = timezone.localdate()
    locked = Member.objects.select_for_update().get(pk=holder.pk)
    if locked.pk not in {each.pk for each in held_by(scope)}:
        raise Refused(_("You do not hold this account."))
    if cause not in BY_MEMBERS:
        raise Refused(_("Choose why."))
    if not today < on <= today + LONGEST:
        raise Refused(_("Choose a last day from today on, at most a year ahead."))
    if successor is not None and successor.pk not in {each.pk for each in candidates(locked, scope)}:
        raise Refused(_("Choose an adult of the household who signs in here and stays."))
    if successor is None and others(locked).exists():
        raise Refused(_("Others are on this account, so somebody has to hold it. Choose who, or call Member Services."))
    return _write(locked, cause=cause, on=on, successor=successor, plans=plans, letters=letters, by=by)


@atomic_with_retry
def answer(departure: Departure, scope: Scope, *, is_yes: bool, by: User) -> None:
    """Agree to hold the account from the day on, or say no, which calls it off. Until its day. Raises Refused."""
    holder = Member.objects.select_for_update().get(pk=departure.member_id)
    standing = Departure.objects.planned().filter(pk=departure.pk, successor_id__in=scope.own_ids).first()
    if standing is None or standing.on <= timezone.localdate():
        raise Refused(_("Nothing is planned any more that you could answer here. Member Services can help."))
    if not is_yes:
        departures.call_off_standing(holder, standing)
        departures.note("departure.canceled", standing, actor=f"user:{by.pk}", reason="declined")
    elif standing.accepted_at is None:
        if not able(holder).filter(pk=standing.successor_id or 0).exists():
            raise Refused(_("You cannot hold this account as things stand. Member Services can help."))
        _accepted(holder, standing)
        departures.note("departure.changed", standing, actor=f"user:{by.pk}")


@atomic_with_retry
def record_succession(holder: Member, *, successor: Member, on: dt.date, by: User, reason: str) -> Departure:
    """Staff record who holds an account next, as both told them; after the holder's death at once. Raises Refused."""
    today = timezone.localdate()
    locked = Member.objects.select_for_update().get(pk=holder.pk)
    if not locked.is_primary_holder or not able(locked).filter(pk=successor.pk).exists():
        raise Refused("Choose an adult of the household who signs in, stays, and is not confidential.")
    death = Departure.objects.filter(member=locked, cause=Cause.DEATH, canceled_at__isnull=True).first()
    if death is not None:
        Member.objects.filter(pk=locked.pk, left_on__isnull=True).update(left_on=today)  # theirs is not the next one's
        hand_over(locked, successor)
        Departure.objects.filter(pk=death.pk).update(successor=successor, accepted_at=timezone.now())
        departures.note("departure.holder_changed", death, actor=f"user:{by.pk}", reason=reason)
        return death
    if not today - LONGEST <= on <= today + LONGEST:
        raise Refused("Choose a day at most a year away.")
    return _write(
        locked, cause=Cause.MOVING_OUT, on=on, successor=successor, plans=Departure.Plans.KEEP, by=by, reason=reason,
        is_agreed=True,
    )  # fmt: skip


def is_ready(departure: Departure) -> bool:
    """Whether it can be done on its day: agreed to by somebody who still can, or nobody is left."""
    if departure.successor_id is None:
        return not others(departure.member).exists()
    return departure.accepted_at is not None and able(departure.member).filter(pk=departure.successor_id).exists()


def hand_over(holder: Member, successor: Member) -> None:
    """Let another hold the account, now. The caller is in a transaction.

    What others of the household agreed to let the holder see, they agreed to of that person: it ends.
    """
    Member.objects.filter(pk=holder.pk).update(is_primary_holder=False, relationship=Member.Relationship.OTHER)
    Member.objects.filter(pk=successor.pk).update(is_primary_holder=True, relationship=Member.Relationship.SELF)
    Member.objects.filter(household_id=holder.household_id).update(seen_by_holder_since=None)


def close(departure: Departure) -> None:
    """Close the account of who left alone; staff see to its coverage and its credit. The caller is in a transaction."""
    Household.objects.filter(pk=departure.member.household_id).update(closed_on=departure.on)
    open_work(
        WorkItem.Kind.DEPARTURE, subject=f"member:{departure.member.number}", dedupe_key=f"departure:{departure.pk}",
        detail="The account is closed: its only person left. See to the coverage, and send the credit back.",
    )  # fmt: skip


def lapse(holder: Member, departure: Departure) -> None:
    """The day has come and nobody agreed: it is called off, and the holder goes on. The caller is in a transaction."""
    departures.call_off_standing(holder, departure)
    departures.note("departure.canceled", departure, actor="system", reason="nobody agreed to hold the account")


def _write(
    holder: Member, *, cause: str, on: dt.date, successor: Member | None, plans: str, by: User, reason: str = "",
    letters: dict[str, str] | None = None, is_agreed: bool = False,
) -> Departure:  # fmt: skip
    standing = departures.leaving(holder)
    wanted = {"cause": cause, "on": on, "plans": plans, "successor_id": successor.pk if successor else None}
    wanted |= letters or {}
    if standing is not None and not is_agreed and all(getattr(standing, name) == wanted[name] for name in wanted):
        return standing
    stays_agreed = standing is not None and (standing.on, standing.successor_id) == (on, wanted["successor_id"])
    was_agreed = standing is not None and standing.accepted_at is not None
    if standing is not None:
        departures.give_back(standing)
    made = standing or Departure(member=holder, planned_by=by)
    for name, value in wanted.items():
        setattr(made, name, value)
    made.limits, made.accepted_at = {}, None
    made.save()
    Member.objects.filter(pk=holder.pk).update(left_on=None)
    if successor is not None and (is_agreed or (stays_agreed and was_agreed)):
        _accepted(holder, made)
    departures.note(
        "departure.changed" if standing else "departure.planned", made, actor=f"user:{by.pk}", reason=reason
    )
    if successor is not None and made.accepted_at is None:
        departures.note("departure.holder_asked", made, actor=f"user:{by.pk}")
    return made


def _accepted(holder: Member, departure: Departure) -> None:
    """From now on the date alone ends what the holder sees by holding."""
    departure.accepted_at = timezone.now()
    Departure.objects.filter(pk=departure.pk).update(accepted_at=departure.accepted_at)
    Member.objects.filter(pk=holder.pk).update(left_on=departure.on)
    departures.limit(holder, departure)
