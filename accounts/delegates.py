"""Letting another person act for a member: asked by mail, accepted after signing in, ended at once (RULES section 6).

What a delegate sees is asked anew by every request (`visibility.scope_of`), so that an end needs no clearing up.
"""

import datetime as dt

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts import consent_rules, departures, mailing, rate_limits
from accounts.ages import ADULT_AT, birthday, latest_birth
from accounts.models import Delegate, Invitation, InvitationQuerySet, Mail, Member, User
from accounts.visibility import Scope, scope_of
from activity.doorbell import ring
from activity.recording import record
from ledger.transactions import atomic_with_retry

EXPIRES_AFTER = dt.timedelta(days=14)
MOST_OF_A_MEMBER = 10  # delegates and open invitations together
LONGEST = dt.timedelta(days=5 * 366)


class Refused(Exception):
    """What cannot be done as asked; its text says why and what to do."""


def may_grant_for(scope: Scope) -> list[Member]:
    """For whom the viewer may let others act: for oneself, and for children of the household that the viewer holds.

    Never for another adult: that adult alone does (RULES section 6). A teenager's is lent for paying alone.
    """
    held = Member.objects.people().filter(pk__in=scope.own_ids | scope.held_ids, died_on__isnull=True)
    return [
        member
        for member in held.order_by("-is_primary_holder", "birth_date", "pk")
        if member.pk in scope.own_ids or (member.age < ADULT_AT and member.user_id is None)
    ]


def last_day_of_sight(member: Member, *, today: dt.date) -> dt.date:
    """Up to which day a parent may let others see a child: the last one before the teen age of the household's state.

    From then on paying alone is lent; whom a teenager lets see is theirs to say (RULES section 6).
    """
    state = member.household.state
    age = consent_rules.from_age(consent_rules.of_states([state]), "", state, on=today)
    return birthday(member.birth_date, age) - dt.timedelta(days=1)


def may_lend(member: Member, grant: str, *, by_id: int) -> bool:
    """Whether this person may grant that of the member now: of another who is a teenager, paying alone."""
    is_harmless = grant == Delegate.Grant.PAY_ONLY or member.user_id == by_id
    today = timezone.localdate()
    return is_harmless or today <= last_day_of_sight(member, today=today)


@atomic_with_retry
def invite(member: Member, *, address: str, grant: str, until: dt.date | None, by: User, language: str) -> Invitation:
    """Ask whoever has this address to act for a member; a repeat replaces what waited.

    The same happens whether or not the address is known here (FAULTS F19). Raises Refused.
    """
    address = address.strip().lower()
    validate_email(address)
    today = timezone.localdate()
    if address == by.email.lower() or EmailAddress.objects.filter(user=by, email__iexact=address).exists():
        raise Refused(_("That is your own address. Enter the address of the person who is to help you."))
    if until is not None and not today <= until <= today + LONGEST:
        raise Refused(_("Choose a last day from today on, at most five years ahead."))
    if not may_lend(member, grant, by_id=by.pk):
        raise Refused(_("For somebody of this age you can only let others pay."))
    Member.objects.select_for_update().get(pk=member.pk)
    for standing in Invitation.objects.filter(
        member=member, address=address, answered_at__isnull=True, ended_at__isnull=True
    ):
        _withdraw(standing, actor=f"user:{by.pk}")
    in_force = Delegate.objects.in_force(today).filter(member=member).count()
    if in_force + Invitation.objects.open().filter(member=member).count() >= MOST_OF_A_MEMBER:
        raise Refused(_("So many people act for you already that no more can be added. End one first."))
    if not rate_limits.take((rate_limits.INVITATIONS_PER_USER, str(by.pk))):
        raise Refused(_("You have sent many invitations today. Try again tomorrow."))
    made = Invitation.objects.create(
        member=member, address=address, grant=grant, until=until, invited_by=by,
        expires_at=timezone.now() + EXPIRES_AFTER, mail=_mail(address, language),
    )  # fmt: skip
    _record("delegate.invited", made, actor=f"user:{by.pk}")
    return made


def waiting_for(user: User) -> InvitationQuerySet:
    """The open invitations to addresses that the user has confirmed. Nobody else's exist for this user."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return (
        Invitation.objects.open()
        .filter(address__in=[email.lower() for email in confirmed], member__died_on__isnull=True)
        .select_related("member", "invited_by")
        .order_by("pk")
    )


@atomic_with_retry
def accept(invitation: Invitation, *, user: User) -> Delegate:
    """Begin to act for the member, once: no longer than what is planned for the two of them lets it.

    Raises Refused where the invitation is no longer this user's to accept, or who sent it could not send it any more:
    the child is a teenager or an adult by now, has left, has a sign-in, is confidential, or another holds the account.
    """
    # The members' rows first, as `invite`, `end` and `departures.plan` do: one order of locks.
    of_user = Q(user_id=user.pk, household__members=invitation.member_id)
    both = Member.objects.filter(Q(pk=invitation.member_id) | of_user).order_by("pk").values_list("pk", flat=True)
    rows = {each.pk: each for each in Member.objects.select_for_update().filter(pk__in=list(both)).order_by("pk")}
    member = rows[invitation.member_id]
    found = waiting_for(user).select_related(None).select_for_update(of=("self",)).filter(pk=invitation.pk).first()
    if (
        found is None
        or member not in may_grant_for(scope_of(found.invited_by))
        or not may_lend(member, found.grant, by_id=found.invited_by_id)
    ):
        raise Refused(_("This invitation cannot be accepted any more. Ask for a new one."))
    if member.user_id == user.pk:
        raise Refused(_("This is your own account."))
    if Member.objects.filter(user=user, birth_date__gt=latest_birth(ADULT_AT, timezone.localdate())).exists():
        raise Refused(_("Only adults can act for somebody else."))
    for standing in Delegate.objects.filter(member=member, user=user, ended_at__isnull=True):
        _end(standing, actor=f"user:{user.pk}", reason="replaced")
    until = found.until
    if found.grant != Delegate.Grant.PAY_ONLY and member.user_id != found.invited_by_id:
        last = last_day_of_sight(member, today=timezone.localdate())
        until = min(until or last, last)
    made = Delegate.objects.create(member=member, user=user, grant=found.grant, until=until)
    Invitation.objects.filter(pk=found.pk).update(answered_at=timezone.now(), delegate=made)
    departures.cap(made)
    _record("delegate.accepted", made, actor=f"user:{user.pk}")
    return made


@atomic_with_retry
def decline(invitation: Invitation, *, user: User) -> None:
    """Say no. A repeat changes nothing."""
    if waiting_for(user).filter(pk=invitation.pk).exists():
        Invitation.objects.filter(pk=invitation.pk, answered_at__isnull=True).update(answered_at=timezone.now())
        _record("delegate.declined", invitation, actor=f"user:{user.pk}")


@atomic_with_retry
def withdraw(invitation: Invitation, *, actor: str) -> None:
    """Take an invitation back; its mail is not sent any more, where it has not been."""
    _withdraw(invitation, actor=actor)


@atomic_with_retry
def end(delegate: Delegate, *, actor: str, reason: str = "ended by the member") -> bool:
    """End what was granted, now, in every open session and for everything that waits to be sent; whether it stood."""
    return _end(delegate, actor=actor, reason=reason)


@transaction.atomic
def end_all_of(member: Member, *, actor: str, reason: str, users: list[int] | None = None) -> int:
    """End everything that others hold for a member, or that these users hold; how many."""
    standing = Delegate.objects.filter(member=member, ended_at__isnull=True)
    waiting = Invitation.objects.filter(member=member, answered_at__isnull=True, ended_at__isnull=True)
    if users is not None:
        standing, waiting = standing.filter(user_id__in=users), waiting.filter(invited_by_id__in=users)
    for invitation in waiting.order_by("pk"):
        _withdraw(invitation, actor=actor)
    return sum(_end(each, actor=actor, reason=reason) for each in standing.order_by("pk"))


def visible_delegates(scope: Scope) -> list[Delegate]:
    """Who acts for whom, of those for whom the viewer may decide: in force, the oldest first."""
    return list(
        Delegate.objects.in_force(timezone.localdate())
        .filter(member__in=may_grant_for(scope))
        .select_related("member", "user")
        .order_by("member_id", "pk")
    )


def visible_invitations(scope: Scope) -> list[Invitation]:
    """The invitations that wait, of those for whom the viewer may decide."""
    return list(
        Invitation.objects.open().filter(member__in=may_grant_for(scope)).select_related("member").order_by("pk")
    )


def _end(delegate: Delegate, *, actor: str, reason: str) -> bool:
    changed = Delegate.objects.filter(pk=delegate.pk, ended_at__isnull=True).update(
        ended_at=timezone.now(), ended_reason=reason
    )
    if changed:
        _record("delegate.ended", delegate, actor=actor, reason=reason)
    return bool(changed)


def _withdraw(invitation: Invitation, *, actor: str) -> None:
    changed = Invitation.objects.filter(
        pk=invitation.pk, answered_at__isnull=True, ended_at__isnull=True
    ).update(ended_at=timezone.now())  # fmt: skip
    if changed:
        Mail.objects.waiting().filter(pk=invitation.mail_id or 0).update(given_up_at=timezone.now(), text="", html="")
        _record("delegate.withdrawn", invitation, actor=actor)


def _mail(address: str, language: str) -> Mail:
    """The invitation's mail: it names nobody and says nothing of what was granted, since anybody may read it."""
    context = {
        "portal_name": settings.PORTAL_NAME,
        "url": f"{settings.PORTAL_URL}{reverse('invitations')}",
        "days": EXPIRES_AFTER.days,
        "support_phone": settings.SUPPORT_PHONE,
    }
    with translation.override(language):
        return mailing.queue(
            address=address,
            subject=render_to_string("family/mail/invited_subject.txt", context).strip(),
            text=render_to_string("family/mail/invited.txt", context),
        )


def _record(kind: str, of: Delegate | Invitation, *, actor: str, reason: str = "") -> None:
    name = "delegate" if isinstance(of, Delegate) else "invitation"
    record(
        kind, subject=f"{name}:{of.pk}", actor=actor, owner_id=of.member.household_id, reason=reason,
        member_id=of.member_id,
    )  # fmt: skip
    ring("notifications.tasks.work_off")
