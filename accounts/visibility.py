"""Who may see whose: the one gate behind every `visible_to` (DESIGN section 7)."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
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
Grant: TypeAlias = tuple[int, int, str]  # the member, the member's household, what was granted
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
    return _scope(viewer.pk, _household(viewer.pk), _granted(viewer.pk, today), today)


def scopes_of(users: Iterable["User"]) -> dict[int, Scope]:
    """As `scope_of`, of many people by their ids: two queries for all of them."""
    ids = {user.pk for user in users if user.is_active}
    scopes = {user.pk: Scope() for user in users}
    today = timezone.localdate()
    own: dict[int, list[Row]] = defaultdict(list)
    of_household: dict[int, list[Row]] = defaultdict(list)
    granted: dict[int, list[Grant]] = defaultdict(list)
    for row in _households_of(ids):
        of_household[row[2]].append(row)
        if row[1] in ids:
            own[row[1]].append(row)
    for user_id, member_id, household_id, grant in _granted_to(ids, today):
        granted[user_id].append((member_id, household_id, grant))
    for user_id in ids:
        held = {row[2] for row in own[user_id] if row[3]}
        rows = {row[0]: row for row in own[user_id]} | {row[0]: row for each in held for row in of_household[each]}
        scopes[user_id] = _scope(user_id, rows.values(), granted[user_id], today)
    return scopes


def _scope(user_id: int, rows: Iterable["Row"], granted: Iterable["Grant"], today: dt.date) -> Scope:
    """Of the user's own members and those of the households that the user holds, and of what was granted."""
    rows, granted = list(rows), list(granted)
    own = [row for row in rows if row[1] == user_id]
    held_households = frozenset(row[2] for row in own if _holds(row, today))
    others = [(row[0], _is_apart(row, today)) for row in rows if row[1] != user_id and row[2] in held_households]
    return Scope(
        user_id=user_id,
        own_ids=frozenset(row[0] for row in own),
        held_ids=frozenset(member for member, apart in others if not apart),
        confidential_ids=frozenset(member for member, apart in others if apart),
        grants={member: grant for member, _household, grant in granted},
        household_ids=frozenset(row[2] for row in own) | frozenset(household for _member, household, _grant in granted),
        held_household_ids=held_households,
    )


@prepared
def _granted(user_id: int, today: dt.date) -> "QuerySet[Delegate, Grant]":
    """What the user holds as a delegate."""
    return _grants(today).filter(user_id=user_id).values_list("member_id", "member__household_id", "grant")


def _granted_to(user_ids: Collection[int], today: dt.date) -> "QuerySet[Delegate, tuple[int, int, int, str]]":
    """What each of these holds as a delegate: the user, and the grant."""
    mine = _grants(today).filter(user_id__in=user_ids)
    return mine.values_list("user_id", "member_id", "member__household_id", "grant")


def _grants(today: dt.date) -> "QuerySet[Delegate]":
    """What is granted at this moment."""
    return (
        apps.get_model("accounts", "Delegate")
        .objects.in_force(today)
        .filter(Q(member__confidential_since__isnull=True) | Q(created_at__gte=F("member__confidential_since")))
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
    return _own_and_held(apps.get_model("accounts", "Member").objects.filter(user_id=user_id))


def _households_of(user_ids: Collection[int]) -> "QuerySet[Member, Row]":
    """The same of many users."""
    return _own_and_held(apps.get_model("accounts", "Member").objects.filter(user_id__in=user_ids))


def _own_and_held(mine: "QuerySet[Member]") -> "QuerySet[Member, Row]":
    members = apps.get_model("accounts", "Member").objects
    held = members.filter(household_id__in=mine.filter(is_primary_holder=True).values("household_id"))
    # Two walks along indexes: as one OR it would read every member of the plan.
    return mine.values_list(*COLUMNS).union(held.values_list(*COLUMNS))
