"""What the family page shows: each member the viewer sees, what they owe, what covers them, and what was paid."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import BooleanField, Case, ExpressionWrapper, Q, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts.ages import ADULT_AT, age_on, birthday
from accounts.models import Coverage, Member
from accounts.visibility import Scope
from ledger.chart import CODES_OF_PAYMENT, Code
from ledger.models import Transfer

OF_CREDIT = (Code.CREDIT_APPLIED, Code.CREDIT_RAISED)
WENT_BACK = (Code.REFUND, Code.BANK_RETURN, Code.DISPUTE)
PAGE = 25


@dataclass(frozen=True, slots=True)
class Person:
    """A member as the family page shows them; amounts in US cents."""

    member: Member
    is_viewer: bool
    grant: str  # what the viewer may do as their delegate; empty where the viewer does not act for them
    seen_until: dt.date | None  # the 18th birthday of whom the viewer sees as the holder until then
    is_amounts_only: bool  # a pay-only delegate looks: no birth date, no relationship
    age: int
    medical_cents: int
    premium_cents: int
    coverages: list[Coverage]

    @property
    def total_cents(self) -> int:
        """Medical and premium together."""
        return self.medical_cents + self.premium_cents


@dataclass(frozen=True, slots=True)
class Paid:
    """One payment towards a bill of a member, or what came back of one; US cents, negative where it came back."""

    on: dt.date
    member: Member
    is_premium: bool
    note: str  # what it is, where it is not simply a payment
    amount_cents: int


def people(scope: Scope, *, today: dt.date) -> list[Person]:
    """The members the viewer sees, oneself first: three queries, however many they are."""
    members = (
        Member.objects.visible_to(scope)
        .select_related("medical_control", "premium_control", "household")
        .order_by("household_id", "-is_primary_holder", "birth_date", "pk")
    )
    coverages = _coverages(scope, today)
    found = [
        Person(
            member=member,
            is_viewer=member.pk in scope.own_ids,
            grant="" if member.pk in scope.own_ids | scope.held_ids else scope.grants.get(member.pk, ""),
            seen_until=_seen_until(member, scope, today),
            is_amounts_only=scope.sees_only_amounts_of(member.pk),
            age=age_on(member.birth_date, today),
            medical_cents=member.medical_control.balance_cents,
            premium_cents=member.premium_control.balance_cents,
            coverages=coverages[member.pk],
        )
        for member in members
    ]
    return sorted(found, key=lambda person: not person.is_viewer)


def payments(people_seen: list[Person]) -> list[Paid]:
    """The latest payments towards the bills of these members, from the book; the newest first. One query."""
    owners = {}
    for person in people_seen:
        owners[person.member.medical_control_id] = (person.member, False)
        owners[person.member.premium_control_id] = (person.member, True)
    is_paid = ExpressionWrapper(Q(credit__control_id__isnull=False), output_field=BooleanField())
    found = (
        Transfer.objects.filter(code__in=CODES_OF_PAYMENT)
        .annotate(control=Coalesce("credit__control_id", "debit__control_id"), is_paid=is_paid)
        # Within a CASE, so that the planner counts with one in two, walks the days backwards and stops at a full page:
        # it takes a plain condition for a rare one, and reads and sorts all that the household ever paid.
        .filter(Case(When(control__in=owners, then=True), default=False))
        .values_list("pk", "effective_on", "code", "amount_cents", "control", "is_paid")
    )
    households = sorted({person.member.household_id for person in people_seen})
    walks = [found.filter(owner_id=each).order_by("-effective_on", "-pk")[:PAGE] for each in households]
    rows = walks[0].union(*walks[1:]).order_by("-effective_on", "-pk")[:PAGE] if len(walks) > 1 else walks[0]
    paid = []
    for _pk, on, code, cents, control_id, is_in in rows:
        member, is_premium = owners[control_id]
        paid.append(Paid(on, member, is_premium, _note(code, is_paid=is_in), amount_cents=cents if is_in else -cents))
    return paid


def _note(code: int, *, is_paid: bool) -> str:
    """What a movement is beside a payment; what undid a refund or a return is of its code, the other way round."""
    if is_paid:
        return _("return or refund undone") if code in WENT_BACK else ""
    return _("moved to household credit") if code in OF_CREDIT else _("returned or refunded")


def _seen_until(member: Member, scope: Scope, today: dt.date) -> dt.date | None:
    """The day from which the holder no longer sees who grows up on the account, unless they let the holder see."""
    day = birthday(member.birth_date, ADULT_AT)
    is_held = member.pk in scope.held_ids
    return day if is_held and today < day and member.seen_by_holder_since is None else None


def _coverages(scope: Scope, today: dt.date) -> dict[int, list[Coverage]]:
    """What covers each member today, of those whose services the viewer sees."""
    found: dict[int, list[Coverage]] = defaultdict(list)
    pairs = (
        Coverage.members.through.objects.filter(member_id__in=scope.clinical_ids)
        .filter(coverage__in=Coverage.objects.in_force(today, today).values("pk"))
        .select_related("coverage__plan")
        .order_by("coverage__kind", "coverage_id")
    )
    for pair in pairs:
        found[pair.member_id].append(pair.coverage)
    return found
