"""A code that only the member has, for those whose facts their whole household knows (FAULTS F06, F16, H02).

A member number, a birth date and a ZIP are known to everybody who has lived in one house: a parent proves them as well
as the child who has come of age. Dependants from CODE_FROM_AGE on are therefore let in by a code as well, which goes by
post in their own name, to an address of their own where they gave one, or is told by staff who have identified them.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterator, Sequence

from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.ages import age_on
from accounts.models import ConfidentialRequest, EnrolmentCode, Household, Member
from activity.recording import record
from ledger.transactions import atomic_with_retry

CODE_FROM_AGE = 12  # RULES section 6: from then on a parent sees less of a child, and must not become the child here
HOLDS = dt.timedelta(days=30)
ONE_LETTER_IN = dt.timedelta(days=7)
MAX_TRIES = 5  # of one code; then another has to be asked for
MAX_LETTERS = 1000  # listed at once
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that reads like another
LENGTH = 10  # 30 to the power of 10: five tries hit one in a hundred million million
HEADER = ("letter", "name", "address", "city", "state", "zip", "code", "valid until")

Way = EnrolmentCode.Way


def is_needed(member: Member) -> bool:
    """Whether the facts of a member prove nothing by themselves, today."""
    return not (member.is_primary_holder or member.private_of_id) and (
        member.is_confidential or age_on(member.birth_date, timezone.localdate()) >= CODE_FROM_AGE
    )


def text_of(code: EnrolmentCode) -> str:
    """What the code reads: `ABCDE-FGHJK`."""
    digest = salted_hmac(f"enrolment-code:{code.member_id}", code.salt, algorithm="sha256").digest()
    number = int.from_bytes(hashlib.sha256(digest).digest(), "big")
    letters = "".join(ALPHABET[number // len(ALPHABET) ** place % len(ALPHABET)] for place in range(LENGTH))
    return f"{letters[:5]}-{letters[5:]}"


@atomic_with_retry
def issue(member: Member, *, way: str, actor: str) -> EnrolmentCode:
    """Make a code for a member without a sign-in, in place of the one there was."""
    locked = Member.objects.select_for_update().get(pk=member.pk)
    EnrolmentCode.objects.filter(member=locked, used_at__isnull=True, ended_at__isnull=True).update(
        ended_at=timezone.now()
    )
    made = EnrolmentCode.objects.create(
        member=locked, way=way, salt=secrets.token_hex(16), asked_by=actor, expires_at=timezone.now() + HOLDS
    )
    record(
        "enrolment.code_issued", subject=f"member:{locked.pk}", actor=actor, owner_id=locked.household_id,
        code_id=made.pk, way=way, member_id=locked.pk,
    )  # fmt: skip
    return made


@atomic_with_retry
def ask_for_letter(member: Member, *, actor: str) -> None:
    """Have a letter printed, unless one is on its way: nobody fills another's letter box, nor ends a fresh code."""
    Member.objects.select_for_update().get(pk=member.pk)
    recent = EnrolmentCode.objects.standing().filter(
        member=member, tries__lt=MAX_TRIES, created_at__gt=timezone.now() - ONE_LETTER_IN
    )
    if member.user_id is None and is_needed(member) and address_of(member) is not None and not recent.exists():
        issue(member, way=Way.LETTER, actor=actor)


def take(member: Member, typed: str) -> bool:
    """Use up the member's code if this is it; else count the try. Called in the claim's transaction, its member locked.

    Something is compared in every case.
    """
    standing = EnrolmentCode.objects.standing().filter(member=member, tries__lt=MAX_TRIES).first()
    right = text_of(standing) if standing else "-" * (LENGTH + 1)
    if not secrets.compare_digest(_plain(right).encode(), _plain(typed).encode()) or standing is None:
        if standing is not None and typed:
            EnrolmentCode.objects.filter(pk=standing.pk).update(tries=standing.tries + 1)
        return False
    EnrolmentCode.objects.filter(pk=standing.pk).update(used_at=timezone.now())
    return True


def address_of(member: Member) -> Household | ConfidentialRequest | None:
    """Where post in the member's own name goes: the address they asked for, and no other where they did (L02)."""
    if not member.is_confidential:
        return member.household if member.household.address else None
    return ConfidentialRequest.objects.standing().filter(member=member, channel="post").first()


def letters() -> Iterator[tuple[object, ...]]:
    """A row for each letter that is not printed yet, with its code; who has no address for it is left out."""
    for letter in EnrolmentCode.objects.to_print().select_related("member__household")[:MAX_LETTERS]:
        to = address_of(letter.member)
        if to is not None:
            yield (
                letter.pk, letter.member.full_name, to.address, to.city, to.state, to.zip, text_of(letter),
                timezone.localtime(letter.expires_at).date(),
            )  # fmt: skip


@atomic_with_retry
def mark_printed(chosen: Sequence[int], *, actor: str) -> int:
    """Mark letters as printed; how many were waiting."""
    done = EnrolmentCode.objects.to_print().filter(pk__in=chosen).order_by().update(printed_at=timezone.now())
    if done:
        record("enrolment.letters_printed", subject="letters", actor=actor, count=done)
    return done


def _plain(text: str) -> str:
    return "".join(letter for letter in text.upper()[:40] if letter.isascii() and letter.isalnum())
