"""Proving to be a member: by member number, birth date and ZIP; of a dependant by a code as well (FAULTS H02 to H24).

Whatever is wrong, the answer is the same: which fact it was, that the member has a sign-in already, or that the tries
are used up, is told to nobody but staff and the member's own user.
"""

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

from accounts import enrolment_codes, private_sides, rate_limits
from accounts.models import Member, User
from activity import recording
from activity.models import WorkItem
from ledger.transactions import atomic_with_retry


class NotMatched(Exception):
    """The facts are not those of a member who may be claimed. Says no more on purpose."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a person says of themselves."""

    member_number: str
    birth_date: dt.date
    zip: str
    code: str = ""  # from the letter, where one is needed: accounts.enrolment_codes


def ask_for_letter(user: User, proof: Proof, *, address: str) -> None:
    """Have a code sent to who the facts are of, where they are right and a code is needed. Says nothing of either.

    It counts as a try: the facts must not be found by asking for letters.
    """
    number = proof.member_number.strip().upper()
    if not _take(user, number, address):
        return
    member = Member.objects.people().select_related("household").filter(number=number).first()
    if _matches(member, proof) and member is not None:
        enrolment_codes.ask_for_letter(member, actor=f"user:{user.pk}")


def claim(user: User, proof: Proof, *, address: str) -> Member:
    """Join a member to the user who proves to be that member. Raises NotMatched, whatever the reason.

    `address` is where the request comes from (`rate_limits.address_key`). Each try counts by user, address, member
    number, and overall, also one that would have been right.
    """
    number = proof.member_number.strip().upper()
    allowed = _take(user, number, address)
    member = _decide(user, number, proof, allowed=allowed)
    if member is None:
        raise NotMatched
    return member


def _take(user: User, number: str, address: str) -> bool:
    return rate_limits.take(
        (rate_limits.ENROLMENT_PER_USER, str(user.pk)),
        (rate_limits.ENROLMENT_PER_ADDRESS, address),
        (rate_limits.ENROLMENT_PER_MEMBER_NUMBER, number),
        (rate_limits.ENROLMENT_OVERALL, "all"),
    )


@atomic_with_retry
def _decide(user: User, number: str, proof: Proof, *, allowed: bool) -> Member | None:
    """Decide and write down what was decided, in one transaction; the look-up is made in every case."""
    member = Member.objects.people().select_related("household").filter(number=number).first()
    matches = _matches(member, proof)
    if not allowed or member is None or not matches:
        _record("enrolment.refused", user, f"user:{user.pk}", "limit" if not allowed else "facts")
        return None
    if member.user_id == user.pk:
        return member
    if member.user_id is None and _is_of_the_family(user, member):
        _leave_to_staff(user, member)
        return None
    if member.user_id is None and enrolment_codes.is_needed(member) and not _has_code(user, member, proof):
        return None
    if not Member.objects.filter(pk=member.pk, user__isnull=True).update(user=user):
        _refuse_second_claim(user, member)
        return None
    private_sides.both(member).filter(user__isnull=True).update(user=user)
    _record("enrolment.claimed", user, f"member:{member.pk}", "", owner_id=member.household_id)
    return member


def _matches(member: Member | None, proof: Proof) -> bool:
    """Compare every fact, whichever is wrong first: the time tells nothing."""
    born = member.birth_date.isoformat() if member else "0001-01-01"
    zip_code = member.household.zip if member else ""
    right = [
        secrets.compare_digest(born.encode(), proof.birth_date.isoformat().encode()),
        secrets.compare_digest(zip_code.encode(), proof.zip.strip()[:5].encode()),
    ]
    return member is not None and zip_code != "" and all(right)


def _is_of_the_family(user: User, member: Member) -> bool:
    """Whether the user is somebody of this household already: nobody is two members of one (FAULTS F06)."""
    return Member.objects.filter(user=user, household_id=member.household_id).exists()


def _has_code(user: User, member: Member, proof: Proof) -> bool:
    """Whether the right code came with the facts, which alone prove nothing: the household knows each other's."""
    Member.objects.select_for_update().get(pk=member.pk)
    if enrolment_codes.take(member, proof.code):
        return True
    if member.is_confidential:
        _leave_to_staff(user, member)
    else:
        _record("enrolment.refused", user, f"user:{user.pk}", "code")
    return False


def _leave_to_staff(user: User, member: Member) -> None:
    """A claim that only a person can decide: refused like any other, and work for staff."""
    _record("enrolment.refused", user, f"user:{user.pk}", "family")
    recording.open_work(
        WorkItem.Kind.SECOND_CLAIM,
        subject=f"member:{member.pk}",
        dedupe_key=f"claim-to-check:{member.pk}:{user.pk}",
        detail=f"user {user.pk} proved the facts of a member whom others of the household can prove too: identify them",
    )


def _refuse_second_claim(user: User, member: Member) -> None:
    """Somebody else holds the member: work for staff, and an event by which the user who holds it is told."""
    holder_id = Member.objects.values_list("user_id", flat=True).get(pk=member.pk)
    _record(
        "enrolment.second_claim",
        user,
        f"member:{member.pk}",
        "claimed already",
        owner_id=member.household_id,
        claimed_by=user.pk,
        held_by=holder_id,
    )
    recording.open_work(
        WorkItem.Kind.SECOND_CLAIM,
        subject=f"member:{member.pk}",
        dedupe_key=f"second-claim:{member.pk}:{user.pk}",
        detail=f"user {user.pk} proved the facts of a member whom user {holder_id} holds",
    )


def _record(kind: str, user: User, subject: str, reason: str, *, owner_id: int = 0, **data: Any) -> None:
    recording.record(kind, subject=subject, actor=f"user:{user.pk}", owner_id=owner_id, reason=reason, **data)
