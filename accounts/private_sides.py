"""The private side of a member: where what they may consent to themself stands, apart from the account's holder.

A row of the same person and household that is confidential from the first. So every page, notice, file, sum and staff
page that keeps a confidential member apart keeps it apart, while the holder goes on seeing the rest (decision 2061).
"""

import secrets
from collections.abc import Collection

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import ConfidentialRequest, Departure, Household, Member, MemberQuerySet
from activity.recording import record
from ledger import opening

# Whose a row is that has a `member`: the person's, on both sides of them.
PERSON = Coalesce("member__private_of_id", "member_id")
# As member numbers are: it must not tell what it is. Nobody enrols by it.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@transaction.atomic
def open_for(member_ids: Collection[int], *, actor: str) -> dict[int, Member]:
    """The private side of each of these members, opened where there is none; never of a holder's or of a private side.

    The members' rows are locked: who enrols meanwhile gets both.
    """
    members = list(
        Member.objects.select_for_update()
        .filter(pk__in=member_ids, private_of__isnull=True, is_primary_holder=False)
        .order_by("pk")
    )
    found = {side.private_of_id or 0: side for side in Member.objects.filter(private_of__in=members)}
    for member in members:
        if member.pk not in found:
            found[member.pk] = _open(member, actor)
    return found


def both(member: Member) -> MemberQuerySet:
    """The member and the private side: what happens to the person happens to both."""
    return Member.objects.filter(Q(pk=member.pk) | Q(private_of=member.pk))


def post_of(side: Member) -> Household | ConfidentialRequest | Departure | None:
    """Where post about a private side goes, in the person's own name: to the address that they asked for, else to the
    one on file (Civ. Code 56.107); nowhere where they asked for none by post."""
    person = side.private_of
    if person is None:
        raise ValueError("not a private side")
    if person.is_confidential:
        return ConfidentialRequest.objects.standing().filter(member=person, channel="post").first()
    today = timezone.localdate()
    if person.left_on is not None and person.left_on <= today:
        return Departure.objects.with_address(today).filter(member=person).first()
    return person.household if person.household.address else None


def _open(member: Member, actor: str) -> Member:
    copied = ("first_name", "last_name", "birth_date", "relationship", "household_id", "user_id", "joined_on")
    made = Member.objects.create(
        **{name: getattr(member, name) for name in copied},
        left_on=member.left_on, died_on=member.died_on, number=_free_number(), private_of=member,
        confidential_since=timezone.now(),
        medical_control=opening.control(owner_id=member.household_id),
        premium_control=opening.control(owner_id=member.household_id),
    )  # fmt: skip
    record(
        "member.private_side", subject=f"member:{made.pk}", actor=actor, owner_id=member.household_id, member_id=made.pk
    )
    return made


def _free_number() -> str:
    while True:
        number = "M-" + "".join(secrets.choice(_ALPHABET) for _place in range(10))
        if not Member.objects.filter(number=number).exists():
            return number
