"""Whose record a subject names: `bill:7F3K-2201` is its member's. What happened and what waits are read by this.

A family of subjects that is not named here is taken for everybody's of the household that it happened in: rather a
reason too many than a look too many (FAULTS F25).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q

from accounts.models import Delegate, Departure, Household, Invitation, Member, Upload, User
from activity.models import WorkItem
from assistance.models import Application, Award
from billing_portal.ids import is_id, with_id
from bills import review
from bills.models import Bill, Estimate, GracePeriod, ImportReject, Statement
from payments.models import AutopayEnrollment, Check, Finding, Mandate, Payment, PaymentMethod, PaymentPlan
from support.models import Inquiry


@dataclass(frozen=True, slots=True)
class Whose:
    """The members that a subject tells of, and the households that it is about.

    `is_of_all`: about the household as such, which tells nothing of one of them. `families`: what it was read as.
    """

    members: tuple[Member, ...] = ()
    household_ids: frozenset[int] = frozenset()
    is_of_all: bool = False
    families: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Family:
    """Where the rows of a family stand, what their subjects call them by, and the lookups of whose they are.

    `users` are people whose own members count: those of the household, where there is one.
    """

    model: type[Model]
    key: str = "pk"
    household: str = "household_id"
    members: Sequence[str] = ()
    users: Sequence[str] = ()


PAID = "allocations__bill__member_id"
FAMILIES: Mapping[str, Family] = {
    "application": Family(Application, "number", members=("members",), users=("applicant_id",)),
    "autopay": Family(AutopayEnrollment, members=("members",), users=("user_id",)),
    "award": Family(
        Award, household="application__household_id", members=("members",), users=("application__applicant_id",)
    ),
    "bill": Family(Bill, "number", members=("member_id",)),
    "check": Family(Check, members=(f"payments__{PAID}",)),
    "delegate": Family(Delegate, household="member__household_id", members=("member_id",)),
    "departure": Family(Departure, household="member__household_id", members=("member_id",)),
    "estimate": Family(Estimate, members=("member_id",)),
    "finding": Family(Finding, household="payment__household_id", members=(f"payment__{PAID}",)),
    "grace": Family(GracePeriod, household="coverage__household_id", members=("coverage__subscriber_id",)),
    "inquiry": Family(Inquiry, "number", members=("member_id",), users=("asked_by_id",)),
    "invitation": Family(Invitation, household="member__household_id", members=("member_id",)),
    "mandate": Family(Mandate, household="", users=("user_id",)),
    "method": Family(PaymentMethod, household="", users=("user_id",)),
    "payment": Family(Payment, "number", members=(PAID,), users=("payer_id",)),
    "plan": Family(PaymentPlan, "number", members=("plan_bills__bill__member_id",), users=("owner_id",)),
    "statement": Family(Statement, "number", members=("member_id",)),
    "upload": Family(Upload, household="member__household_id", members=("member_id",)),
    "user": Family(User, household="", users=("pk",)),
}
# Of the plan as such, or of what comes from outside and names nobody here.
NOBODYS = frozenset({"import", "letters", "lockbox", "planpolicy", "reconciliation", "suppression", "event", "ledger"})


def subjects_of(household_ids: Sequence[int]) -> set[str]:
    """Every subject that names something of these households, and the work about it."""
    members = Member.objects.filter(household_id__in=household_ids)
    households = Household.objects.filter(pk__in=household_ids)
    user_ids = list(members.exclude(user=None).values_list("user_id", flat=True))
    found = {f"member:{each}" for row in members.values_list("pk", "number") for each in row}
    found |= {f"household:{each}" for row in households.values_list("pk", "number") for each in row}
    for name, family in FAMILIES.items():
        lookup, ids = (family.household, household_ids) if family.household else (family.users[0], user_ids)
        rows = family.model._default_manager.filter(**{f"{lookup}__in": ids})
        found |= {f"{name}:{key}" for key in rows.values_list(family.key, flat=True)}
    return found | {f"work:{pk}" for pk in WorkItem.objects.filter(subject__in=found).values_list("pk", flat=True)}


def of(subject: str, *, owner_id: int = 0, data: Mapping[str, Any] | None = None) -> Whose:
    """Whose record a subject names; `owner_id` and `data` as an event has them. At most six queries."""
    family, _colon, name = subject.partition(":")
    if family == "work":
        item = WorkItem.objects.filter(with_id(name)).first()
        found = of(item.subject) if item is not None else Whose()
        return Whose(found.members, found.household_ids, found.is_of_all, found.families | {family})
    household_ids = {owner_id} - {0}
    named = _extra(data or {})
    if family == "household":
        household_ids |= set(Household.objects.filter(_called(name)).values_list("pk", flat=True))
    elif family == "member":
        named |= set(Member.objects.filter(_called(name)).values_list("pk", flat=True))
    elif family == "reject":
        reject = ImportReject.objects.filter(with_id(name)).first()
        named |= {member.pk for member in review.members_named(reject)} if reject is not None else set()
    elif family in FAMILIES:
        more, households = _read(FAMILIES[family], name)
        named |= more
        household_ids |= households
    is_of_all = family == "household" or (family == "statement" and not named)
    members = Member.objects.filter(pk__in=named)
    if is_of_all or (not named and family not in NOBODYS):
        members = Member.objects.filter(household_id__in=household_ids)
    theirs = tuple(members.order_by("pk"))
    household_ids |= {member.household_id for member in theirs}
    return Whose(theirs, frozenset(household_ids), is_of_all, frozenset({family}))


def _called(name: str) -> Q:
    """By its number, or by its id."""
    return Q(number=name) | with_id(name)


def _extra(data: Mapping[str, Any]) -> set[int]:
    """Members that an event names beside its subject."""
    named = {data[key] for key in ("member_id", "from_member_id") if isinstance(data.get(key), int)}
    if isinstance(data.get("bill_id"), int):
        named |= set(Bill.objects.filter(pk=data["bill_id"]).values_list("member_id", flat=True))
    return named


def _read(family: Family, name: str) -> tuple[set[int], set[int]]:
    """The ids of the members and of the households of a row."""
    if family.key == "pk" and not is_id(name):
        return set(), set()
    rows = family.model._default_manager.filter(**{family.key: int(name) if family.key == "pk" else name})
    households: set[int] = set()
    if family.household:
        households = set(rows.values_list(family.household, flat=True)) - {None}
    members = {pk for lookup in family.members for pk in rows.values_list(lookup, flat=True)} - {None}
    users = {pk for lookup in family.users for pk in rows.values_list(lookup, flat=True)} - {None}
    if users:
        theirs = Member.objects.filter(user_id__in=users)
        if households:
            theirs = theirs.filter(household_id__in=households)
        members |= set(theirs.values_list("pk", flat=True))
    return members, households
