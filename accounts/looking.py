"""Writing down that a delegate looked at somebody's records (DESIGN section 7, FAULTS N01)."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import Member
from accounts.requests import MemberRequest, client_address
from accounts.visibility import Scope
from activity.models import Access
from activity.recording import looked


def is_delegated(scope: Scope, member_id: int) -> bool:
    """Whether the viewer sees this member only because the member granted it."""
    return member_id in scope.grants and member_id not in scope.own_ids | scope.held_ids


def at_members(request: MemberRequest, member_ids: Iterable[int], page: str) -> None:
    """Record a look at a list with bills of these members, for each whom the viewer sees as a delegate."""
    for member_id in sorted(set(member_ids)):
        at(request, f"page:{page}", member_id)


def at(request: MemberRequest, subject: str, member_id: int) -> None:
    """Record a look at one record of this member, where the viewer is a delegate."""
    if is_delegated(request.scope, member_id):
        looked(
            user_id=request.user.pk,
            subject=subject,
            action="viewed",
            member_id=member_id,
            address=client_address(request),
        )


@dataclass(frozen=True, slots=True)
class Look:
    """One time that somebody who acts for a member opened something of the member's."""

    at: dt.datetime
    member: Member
    who: str
    what: str


def by_delegates(members: Sequence[Member], *, most: int) -> list[Look]:
    """The latest looks by delegates at these members' records, for the members themselves: two queries."""
    named = {member.pk: member for member in members}
    found = list(
        Access.objects.filter(member_id__in=named, action="viewed", user__is_staff=False)
        .select_related("user")
        .order_by("-at", "-pk")[:most]
    )
    return [
        Look(at=one.at, member=named[one.member_id or 0], who=one.user.email, what=_words(one.subject)) for one in found
    ]


def _words(subject: str) -> str:
    """What was opened, in words; a bill and a payment by its number."""
    family, _colon, name = subject.partition(":")
    if family == "bill":
        return _("Bill %(number)s") % {"number": name}
    if family == "payment":
        return _("Payment %(number)s") % {"number": name}
    if family == "claim":
        return _("A claim")
    pages = {
        "family": _("Family page"), "overview": _("Overview"), "bills": _("List of bills"),
        "payments": _("List of payments"), "payments-export": _("Payments as a file"), "claims": _("List of claims"),
        "family-export": _("Payments as a file"), "owes": _("What the household owes"), "premiums": _("Premiums"),
    }  # fmt: skip
    return pages.get(name, _("A page")) if family == "page" else _("A page")
