"""Who may see whose: the one gate behind every `visible_to` (DESIGN section 7)."""

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, Union

from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.ages import is_apart
from billing_portal.prepared import prepared

if TYPE_CHECKING:
    from accounts.models import Delegate, Member, User


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a signed-in person may see at this moment. Made anew for every request: a right that ends, ends at once.

    `user_id` is 0 for nobody: no row has that id, and no row without a user is anybody's.
    """

    user_id: int = 0
    own_ids: frozenset[int] = field(default_factory=frozenset)
    held_ids: frozenset[int] = field(default_factory=frozenset)
    confidential_ids: frozenset[int] = field(default_factory=frozenset)
    grants: dict[int, str] = field(default_factory=dict)
    household_ids: frozenset[int] = field(default_factory=frozenset)
    held_household_ids: frozenset[int] = field(default_factory=frozenset)

    @property
    def member_ids(self) -> frozenset[int]:
        """Every member of whom the viewer sees at least amounts and dates."""
        return self.own_ids | self.held_ids | frozenset(self.grants)

    @property
    def clinical_ids(self) -> frozenset[int]:
        """Every member of whom the viewer sees services, providers and claims: not those of a pay-only delegate."""
        granted = frozenset(member for member, grant in self.grants.items() if grant != "pay_only")
        return self.own_ids | self.held_ids | granted

    @property
    def payable_ids(self) -> frozenset[int]:
        """Every member whose bills the viewer may pay: not those of a delegate who may only look."""
        granted = frozenset(member for member, grant in self.grants.items() if grant != "view")
        return self.own_ids | self.held_ids | granted

    def sees_only_amounts_of(self, member_id: int) -> bool:
        """Whether a pay-only delegate looks: amounts and dates, nothing of the service."""
        return member_id in self.member_ids and member_id not in self.clinical_ids


COLUMNS = (
    "pk", "user_id", "household_id", "is_primary_holder", "confidential_since", "birth_date", "joined_on", "left_on",
    "seen_by_holder_since",
)  # fmt: skip
Row: TypeAlias = tuple[
    int, int | None, int, bool, dt.datetime | None, dt.date, dt.date, dt.date | None, dt.datetime | None
]
Viewer: TypeAlias = Union["User", AnonymousUser, Scope]


def scope_of(viewer: Viewer) -> Scope:
    """Whom the viewer may see: two queries, or none for a Scope that was made in this request.

    A holder sees by holding all but who is apart: `Member.is_apart`, found here by the portal's date, so that sight
    ends at midnight whatever task has run or not. A confidential communications request ends what was granted before
    it: what the member grants afterwards, to the holder too, holds (45 CFR 164.522(b), Cal. Civ. Code 56.107).
    """
    if isinstance(viewer, Scope):
        return viewer
    if not viewer.is_authenticated or not viewer.is_active:
        return Scope()
    today = timezone.localdate()
    granted = _granted(viewer.pk, today)
    rows = _household(viewer.pk)
    own = [row for row in rows if row[1] == viewer.pk]
    held_households = frozenset(row[2] for row in own if _holds(row, today))
    others = [(row[0], _is_apart(row, today)) for row in rows if row[1] != viewer.pk and row[2] in held_households]
    return Scope(
        user_id=viewer.pk,
        own_ids=frozenset(row[0] for row in own),
        held_ids=frozenset(member for member, apart in others if not apart),
        confidential_ids=frozenset(member for member, apart in others if apart),
        grants={member: grant for member, _household, grant in granted},
        household_ids=frozenset(row[2] for row in own) | frozenset(household for _member, household, _grant in granted),
        held_household_ids=held_households,
    )


@prepared
def _granted(user_id: int, today: dt.date) -> "QuerySet[Delegate, tuple[int, int, str]]":
    """What the user holds as a delegate: the member, the member's household, the grant."""
    return (
        apps.get_model("accounts", "Delegate")
        .objects.in_force(today)
        .filter(
            Q(member__confidential_since__isnull=True) | Q(created_at__gte=F("member__confidential_since")),
            user_id=user_id,
        )
        .values_list("member_id", "member__household_id", "grant")
    )


def _holds(row: Row, today: dt.date) -> bool:
    """Whether this member holds their household's account: not from the day on as of which they hand it over."""
    is_holder, left_on = row[3], row[7]
    return is_holder and (left_on is None or left_on > today)


def _is_apart(row: Row, today: dt.date) -> bool:
    _pk, _user, _household_id, _is_holder, confidential_since, born, joined_on, left_on, seen_since = row
    return is_apart(
        today=today, born=born, joined_on=joined_on, left_on=left_on, is_confidential=confidential_since is not None,
        is_seen=seen_since is not None,
    )  # fmt: skip


@prepared
def _household(user_id: int) -> "QuerySet[Member, Row]":
    """The user's own members and those of the household that the user holds."""
    members = apps.get_model("accounts", "Member").objects
    mine = members.filter(user_id=user_id)
    held = members.filter(household_id__in=mine.filter(is_primary_holder=True).values("household_id"))
    # Two walks along indexes: as one OR it would read every member of the plan.
    return mine.values_list(*COLUMNS).union(held.values_list(*COLUMNS))
