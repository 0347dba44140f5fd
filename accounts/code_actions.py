"""What staff do for a dependant who cannot sign in yet: a code by letter, or told to whom they have identified."""

from typing import Any

from accounts import enrolment_codes
from accounts.models import Member, User
from accounts.staff import Action, Refused

PERMISSION = "accounts.add_enrolmentcode"
Way = enrolment_codes.Way


def _applies(member: Member) -> bool:
    return member.user_id is None and member.died_on is None and enrolment_codes.is_needed(member)


def _by_letter(user: User, member: Member, cleaned: dict[str, Any]) -> str:
    if enrolment_codes.address_of(member) is None:
        raise Refused("There is no address that a letter to this member may go to. Tell the code instead.")
    enrolment_codes.issue(member, way=Way.LETTER, actor=f"user:{user.pk}")
    return "A letter with a code waits to be printed."


def _told(user: User, member: Member, cleaned: dict[str, Any]) -> str:
    code = enrolment_codes.issue(member, way=Way.TOLD, actor=f"user:{user.pk}")
    return f"The code is {enrolment_codes.text_of(code)}. It is shown this once, and can be used once, for 30 days."


OFFERED = (
    Action(
        suffix="code-letter", label="Send a code to sign in by letter", permission=PERMISSION, run=_by_letter,
        applies=_applies, explains="The letter goes out in the member's own name; of a member with confidential "
        "communications, to the address that they gave. A code that was there before ends.",
    ),
    Action(
        suffix="code-told", label="Tell a code to sign in", permission=PERMISSION, run=_told, applies=_applies,
        explains="Only to the member, whom you have identified by more than the facts their household knows: number, "
        "birth date and address prove nothing. A code that was there before ends.",
    ),
)  # fmt: skip
