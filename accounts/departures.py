"""Planning that somebody leaves a household, changing it and calling it off until its day; and recording a death.

The day itself needs nothing: sight ends by the dates in `Member` (docs/decisions/2001). What the two had planned to pay
for one another is settled by `payments.departing`.
"""

import datetime as dt

from allauth.account.models import EmailAddress
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import private_sides
from accounts.ages import ADULT_AT, birthday, latest_birth
from accounts.models import Delegate, DelegateQuerySet, Departure, Invitation, InvitationQuerySet, Member, User
from accounts.models.people import ADULT_WHEN_JOINING
from accounts.visibility import Scope
from activity.doorbell import ring
from activity.models import WorkItem
from activity.recording import close_work, open_work, record
from ledger.transactions import atomic_with_retry

Cause = Departure.Cause
Bills = Departure.Bills
BY_MEMBERS = (Cause.MOVING_OUT, Cause.DIVORCE)
NOTICE = dt.timedelta(days=30)  # before somebody comes of age
BATCH = 1_000
LONGEST = dt.timedelta(days=366)


class Refused(Exception):
    """What cannot be planned as asked; its text says why and what to do."""


def may_plan_for(scope: Scope) -> list[Member]:
    """Whose leaving the viewer may plan: one's own, and that of everybody whom the viewer sees as the holder.

    Never a holder's: somebody has to hold the account next (accounts.successions). Never by a delegate.
    """
    today = timezone.localdate()
    found = Member.objects.people().filter(
        Q(left_on__isnull=True) | Q(left_on__gt=today), pk__in=scope.own_ids | scope.held_ids,
        is_primary_holder=False, died_on__isnull=True,
    )  # fmt: skip
    return list(found.select_related("household").order_by("birth_date", "pk"))


def planned(member: Member) -> Departure | None:
    """What is planned for a member: their leaving, or else their coming of age."""
    return Departure.objects.planned().filter(member=member).exclude(cause=Cause.DEATH).order_by("on", "pk").first()


def leaving(member: Member) -> Departure | None:
    """The leaving that is planned for a member."""
    return Departure.objects.planned().filter(member=member, cause__in=BY_MEMBERS).first()


def successions_ahead(member: Member) -> bool:
    """Whether a member is named to hold the account next."""
    return Departure.objects.planned().filter(successor_id=member.pk).exclude(cause=Cause.DEATH).exists()


def may_choose_bills(member: Member, scope: Scope) -> bool:
    """Whether the viewer may let the holder go on seeing a person's open bills: that person alone, or for a child the
    holder. Another adult's bills are that adult's to show (RULES section 6)."""
    is_child = member.age < ADULT_AT and member.user_id is None
    return member.pk in scope.own_ids or (is_child and member.pk in scope.held_ids)


def may_cancel(departure: Departure, scope: Scope) -> bool:
    """Whether the viewer may call it off: the person, and the holder what the holder planned."""
    is_own = departure.member.pk in scope.own_ids
    return departure.cause in BY_MEMBERS and (is_own or departure.planned_by_id == scope.user_id)


@atomic_with_retry
def plan(
    member: Member, scope: Scope, *, cause: str, on: dt.date, bills: str = Bills.THEIRS,
    plans: str = Departure.Plans.KEEP, letters: dict[str, str] | None = None, by: User,
) -> Departure:  # fmt: skip
    """Plan that a member leaves from midnight of a day, or change what is planned; a repeat changes nothing.

    `letters`: where letters go then, by POSTAL; without it, what was written stays. Raises Refused.
    """
    today = timezone.localdate()
    locked = Member.objects.select_for_update().get(pk=member.pk)
    if locked.pk not in {each.pk for each in may_plan_for(scope)}:
        raise Refused(_("This person's place in the household cannot be changed here. Please call Member Services."))
    if cause not in BY_MEMBERS:
        raise Refused(_("Choose why."))
    if not today < on <= today + LONGEST:
        raise Refused(_("Choose a last day from today on, at most a year ahead."))
    if bills != Bills.THEIRS and not may_choose_bills(locked, scope):
        raise Refused(_("Only the person whose bills they are can let the account holder go on seeing them."))
    standing = leaving(locked)
    if successions_ahead(locked):
        raise Refused(_("They are to hold the account from a day on. They have to say no to that first."))
    if standing is not None and standing.on != on and not may_cancel(standing, scope):
        raise Refused(_("They planned this themselves, so only they can change the day. Member Services can help."))
    if not letters and locked.user_id is None and not (standing and standing.letters):
        raise Refused(_("Write where letters should go: without a sign-in, they reach this person in no other way."))
    return _write(
        locked, standing, cause=cause, on=on, bills=bills, plans=plans, letters=letters, by=by, scope=scope
    )  # fmt: skip


@atomic_with_retry
def record_leaving(
    member: Member, *, cause: str, on: dt.date, letters: dict[str, str] | None = None, by: User, reason: str
) -> Departure:  # fmt: skip
    """Staff record that a member leaves, or left: at once where the day is not ahead. Raises Refused."""
    locked = Member.objects.select_for_update().get(pk=member.pk)
    _refuse_impossible(locked, on)
    if successions_ahead(locked):
        raise Refused("They are to hold the account from a day on: call that off first.")
    return _write(
        locked, leaving(locked), cause=cause, on=on, bills=Bills.THEIRS, plans=Departure.Plans.KEEP, by=by,
        letters=letters, scope=Scope(), reason=reason,
    )  # fmt: skip


@atomic_with_retry
def record_death(member: Member, *, on: dt.date, by: User, reason: str) -> Departure:
    """Staff record a death: what others held for the member, and the member's own sign-in, end now. Raises Refused."""
    locked = Member.objects.select_for_update().get(pk=member.pk)
    if locked.private_of_id is not None:
        raise Refused("This is the private side of a member: record it on that member's page.")
    if locked.died_on is not None:
        raise Refused("That is recorded already.")
    if not locked.birth_date <= on <= timezone.localdate():
        raise Refused("Write the day of the death: not before the birth, not after today.")
    private_sides.both(locked).update(died_on=on)
    for standing in Departure.objects.planned().filter(member=locked):
        call_off_standing(locked, standing)
    made = Departure.objects.create(member=locked, cause=Cause.DEATH, on=on, planned_by=by)
    close_work(death_key(locked), reason="The death was recorded.")
    others = Member.objects.people().filter(user_id=locked.user_id or 0, died_on__isnull=True).exclude(pk=locked.pk)
    if locked.user_id is not None and not others.exists():
        User.objects.filter(pk=locked.user_id, is_staff=False).update(is_active=False)
    note("departure.death", made, actor=f"user:{by.pk}", reason=reason)
    return made


@atomic_with_retry
def undo_death(member: Member, *, by: User, reason: str) -> None:
    """Staff recorded a death in error: the person and their sign-in are as before. What ended has to be begun anew.

    Raises Refused.
    """
    locked = Member.objects.select_for_update().get(pk=member.pk)
    standing = Departure.objects.filter(member=locked, cause=Cause.DEATH, canceled_at__isnull=True).first()
    if locked.died_on is None or standing is None:
        raise Refused("No death is recorded here.")
    Departure.objects.filter(pk=standing.pk).update(canceled_at=timezone.now())
    private_sides.both(locked).update(died_on=None)
    if locked.user_id is not None:
        User.objects.filter(pk=locked.user_id).update(is_active=True)
    note("departure.death_undone", standing, actor=f"user:{by.pk}", reason=reason)


@atomic_with_retry
def tell_of_death(member: Member, *, by: User) -> None:
    """A holder says that a member has died: nothing changes until staff have seen proof, and they are asked to."""
    open_work(
        WorkItem.Kind.DEPARTURE, subject=f"member:{member.number}", dedupe_key=death_key(member),
        detail="The account holder says that this member has died. Confirm it and record it on the member's page.",
    )  # fmt: skip
    record(
        "departure.death_told", subject=f"member:{member.pk}", actor=f"user:{by.pk}", owner_id=member.household_id,
        member_id=member.pk,
    )  # fmt: skip


@atomic_with_retry
def cancel(departure: Departure, scope: Scope, *, by: User) -> None:
    """Call a leaving off before its day: the household is as before. A repeat changes nothing. Raises Refused."""
    member = Member.objects.select_for_update().get(pk=departure.member_id)
    standing = Departure.objects.planned().filter(pk=departure.pk).first()
    if standing is None:
        return
    if not may_cancel(standing, scope):
        raise Refused(_("They planned this themselves, so only they can call it off. Member Services can help."))
    if standing.on <= timezone.localdate():
        raise Refused(_("The day has come, so it cannot be called off here any more. Please call Member Services."))
    call_off_standing(member, standing)
    note("departure.canceled", standing, actor=f"user:{by.pk}")


def foresee_all(today: dt.date) -> int:
    """Foresee who comes of age in the next NOTICE_DAYS, or did lately and was overlooked; how many are new."""
    foreseen = Departure.objects.filter(cause=Cause.OF_AGE, canceled_at__isnull=True)
    born = (latest_birth(ADULT_AT, today - NOTICE), latest_birth(ADULT_AT, today + NOTICE))
    coming = (
        Member.objects.people()
        .of_household(today)
        .filter(birth_date__range=born, birth_date__gt=ADULT_WHEN_JOINING, is_primary_holder=False)
    )
    fresh = list(coming.exclude(pk__in=foreseen.values("member_id")).order_by("pk")[:BATCH])
    for member in fresh:
        foresee(member)
    return len(fresh)


@atomic_with_retry
def call_off(member: Member, *, by: User, reason: str) -> None:
    """Staff call a planned leaving off, whoever planned it, until its day. Raises Refused."""
    locked = Member.objects.select_for_update().get(pk=member.pk)
    standing = leaving(locked)
    if standing is None or standing.on <= timezone.localdate():
        raise Refused("Nothing is planned that could be called off.")
    call_off_standing(locked, standing)
    note("departure.canceled", standing, actor=f"user:{by.pk}", reason=reason)


@atomic_with_retry
def foresee(member: Member) -> Departure:
    """Write down that somebody comes of age on the account, once: what was planned for them ends that day."""
    locked = Member.objects.select_for_update().get(pk=member.pk)
    on = birthday(locked.birth_date, ADULT_AT)
    standing = Departure.objects.filter(member=locked, cause=Cause.OF_AGE, canceled_at__isnull=True).first()
    if standing is not None:
        return standing
    made = Departure.objects.create(member=locked, cause=Cause.OF_AGE, on=on)
    limit(locked, made)
    note("departure.of_age_ahead", made, actor="system")
    return made


@atomic_with_retry
def choose_plans(departure: Departure, *, plans: str, by: User) -> None:
    """What becomes of the holder's plans when somebody comes of age: chosen until the day. Raises Refused."""
    changed = Departure.objects.planned().filter(pk=departure.pk, on__gt=timezone.localdate()).exclude(plans=plans)
    if plans not in Departure.Plans.values:
        raise Refused(_("Choose what becomes of the plan."))
    if changed.update(plans=plans):
        record(
            "departure.plans_chosen", subject=f"departure:{departure.pk}", actor=f"user:{by.pk}",
            owner_id=departure.member.household_id, member_id=departure.member_id, plans=plans,
        )  # fmt: skip


def death_key(member: Member) -> str:
    """Of the work item by which staff are asked to confirm a death."""
    return f"death:{member.pk}"


def held_for(member: Member, *, on: dt.date | None = None) -> DelegateQuerySet:
    """What ends with the household: what its people hold for the member, and the member for them.

    Of who was a child until that day (`on`, else today) also what a parent granted others; an adult's own helpers stay.
    """
    household = Member.objects.people().filter(household_id=member.household_id, user__isnull=False)
    others = household.exclude(pk=member.pk).values("user_id")
    ends = Q(member=member, user_id__in=others)
    ends |= Q(member__household_id=member.household_id, user_id=member.user_id or 0)
    if (on or timezone.localdate()) <= birthday(member.birth_date, ADULT_AT):
        ends |= Q(member=member) & ~Q(invitation__invited_by_id=member.user_id or 0)
    return Delegate.objects.filter(ends, ended_at__isnull=True)


def asked_for(member: Member, *, on: dt.date) -> InvitationQuerySet:
    """The invitations that wait to become what `held_for` ends on a day, and those that others sent for the member."""
    household = Member.objects.people().filter(household_id=member.household_id, user__isnull=False)
    confirmed = EmailAddress.objects.filter(verified=True).annotate(lower=Lower("email")).values("lower")
    others = confirmed.filter(user__in=household.exclude(pk=member.pk).values("user_id"))
    ends = Q(member=member) & ~Q(invited_by_id=member.user_id or 0) | Q(member=member, address__in=others)
    mine = confirmed.filter(user_id=member.user_id or 0)
    ends |= Q(member__household_id=member.household_id, address__in=mine) & ~Q(member=member)
    return Invitation.objects.open().filter(ends)


def cap(delegate: Delegate) -> None:
    """Let what was accepted after a leaving was planned end with it too. The caller holds the rows of both members."""
    household = Q(member__household_id=delegate.member.household_id, member__user_id=delegate.user_id)
    ahead = Departure.objects.planned().filter(household | Q(member=delegate.member_id)).exclude(cause=Cause.DEATH)
    for departure in ahead.select_related("member").select_for_update(of=("self",)).order_by("pk"):
        last = departure.on - dt.timedelta(days=1)
        ends = held_for(departure.member, on=departure.on).filter(Q(until__isnull=True) | Q(until__gt=last))
        delegate.refresh_from_db(fields=["until"])
        if ends.filter(pk=delegate.pk).update(until=last):
            limits = {**departure.limits, str(delegate.pk): delegate.until.isoformat() if delegate.until else None}
            Departure.objects.filter(pk=departure.pk).update(limits=limits)


def _write(
    member: Member, standing: Departure | None, *, cause: str, on: dt.date, bills: str, plans: str, by: User,
    scope: Scope, letters: dict[str, str] | None = None, reason: str = "",
) -> Departure:  # fmt: skip
    is_own = member.pk in scope.own_ids
    if standing is not None and standing.bills_by_member and not is_own:
        bills = standing.bills
    wanted = {"cause": cause, "on": on, "bills": bills, "plans": plans, **(letters or {})}
    if standing is not None and all(getattr(standing, name) == value for name, value in wanted.items()):
        return standing
    if standing is not None:
        give_back(standing)
    made = standing or Departure(member=member, planned_by=by)
    for name, value in wanted.items():
        setattr(made, name, value)
    made.limits, made.bills_by_member = {}, made.bills_by_member or is_own
    made.save()
    private_sides.both(member).update(left_on=on)
    limit(member, made)
    note("departure.changed" if standing else "departure.planned", made, actor=f"user:{by.pk}", reason=reason)
    return made


def _refuse_impossible(member: Member, on: dt.date) -> None:
    today = timezone.localdate()
    if member.private_of_id is not None:
        raise Refused("This is the private side of a member: record it on that member's page.")
    if member.is_primary_holder:
        raise Refused("Name another holder of the account first.")
    if member.died_on is not None or (member.left_on is not None and member.left_on <= today):
        raise Refused("This person has left already, or has died.")
    if not today - LONGEST <= on <= today + LONGEST:
        raise Refused("Choose a day at most a year away.")


def limit(member: Member, departure: Departure) -> None:
    """Let what people of the household hold for the member end at that midnight, by its own date."""
    last = departure.on - dt.timedelta(days=1)
    limits = {}
    for delegate in held_for(member, on=departure.on).filter(Q(until__isnull=True) | Q(until__gt=last)):
        limits[str(delegate.pk)] = delegate.until.isoformat() if delegate.until else None
        Delegate.objects.filter(pk=delegate.pk).update(until=last)
    Departure.objects.filter(pk=departure.pk).update(limits=limits)
    departure.limits = limits


def give_back(departure: Departure) -> None:
    """Let delegates act as long as they did before it was planned."""
    for delegate_id, until in departure.limits.items():
        Delegate.objects.filter(pk=int(delegate_id), ended_at__isnull=True).update(
            until=dt.date.fromisoformat(until) if until else None
        )


def call_off_standing(member: Member, standing: Departure) -> None:
    """Take what is planned back. The caller holds the member's row."""
    give_back(standing)
    Departure.objects.filter(pk=standing.pk).update(canceled_at=timezone.now(), limits={})
    if standing.cause in BY_MEMBERS:
        private_sides.both(member).update(left_on=None)


def note(kind: str, departure: Departure, *, actor: str, reason: str = "") -> None:
    """Record what became of a departure, and let the bell ring where it is told and settled."""
    record(
        kind, subject=f"departure:{departure.pk}", actor=actor, owner_id=departure.member.household_id, reason=reason,
        member_id=departure.member_id, cause=str(departure.cause), on=departure.on.isoformat(),
    )  # fmt: skip
    ring("notifications.tasks.work_off")
    if departure.on <= timezone.localdate():
        ring("payments.tasks.settle_departures")
