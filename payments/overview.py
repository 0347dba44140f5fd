"""What a household owes and has paid, at one glance. Sums come from control accounts, never from adding up bills."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce, TruncMonth

from accounts.models import Coverage, Member
from accounts.private_sides import PERSON
from accounts.visibility import Scope
from billing_portal.found_first import one_of
from billing_portal.prepared import prepared
from bills import plan_years
from bills.models import Accumulator, Bill, Claim
from ledger.models import Account
from payments.autopay import glance
from payments.models import Payment, PaymentAllocation, Refund
from payments.plans import glance as plan_glance
from payments.states import IN_FLIGHT, PaymentStatus

MONTHS_SHOWN = 6
MAX_SHARED_BILLS = 200  # that a confidential member lets the holder pay
COUNTED = (PaymentStatus.SUCCEEDED, PaymentStatus.PARTIALLY_REFUNDED)


@dataclass(frozen=True, slots=True)
class Totals:
    """What is owed, less what is on its way to be paid; US cents."""

    medical_cents: int
    premium_cents: int
    on_its_way_cents: int

    @property
    def total_cents(self) -> int:
        """All that is still to be paid."""
        return self.medical_cents + self.premium_cents


@dataclass(slots=True)
class InFlight:
    """US cents on their way: to each bill by its id, and by the kind of bill."""

    by_bill: dict[int, int] = field(default_factory=dict)
    by_kind: dict[str, int] = field(default_factory=dict)
    scheduled: set[int] = field(default_factory=set)  # bills for which the viewer has scheduled a payment


@dataclass(frozen=True, slots=True)
class Limit:
    """How far a deductible or an out-of-pocket maximum is used up, US cents."""

    name: str
    used_cents: int
    limit_cents: int


@dataclass(frozen=True, slots=True)
class PlanYear:
    """The year's progress under one coverage, for one person and for the family."""

    coverage: Coverage
    own: tuple[Limit, ...]
    family: tuple[Limit, ...]


def members_seen(scope: Scope) -> list[Member]:
    """The members the viewer sees, the holder first, with what each owes and has to pay next: one query."""
    return _members(scope)


@prepared
def _members(scope: Scope) -> QuerySet[Member]:
    return (
        Member.objects.visible_to(scope)
        .select_related("household", "medical_control", "premium_control")
        .annotate(**{glance.NAME: glance.next_charge(scope), plan_glance.NAME: plan_glance.running_plans(scope)})
        .order_by("-is_primary_holder", "birth_date", "pk")
    )


def in_flight(scope: Scope) -> InFlight:
    """What is on its way to the bills that the viewer sees: one query over the few payments not yet decided."""
    found = InFlight()
    for bill_id, kind, is_scheduled, cents in _waiting(scope):
        if is_scheduled:
            found.scheduled.add(bill_id)
            continue
        found.by_bill[bill_id] = cents
        found.by_kind[kind] = found.by_kind.get(kind, 0) + cents
    return found


@prepared
def _waiting(scope: Scope) -> QuerySet[PaymentAllocation, tuple[int, str, bool, int]]:
    scheduled = Q(payment__status=PaymentStatus.DRAFT, payment__scheduled_on__isnull=False)
    shared = Q(bill__member_id__in=scope.confidential_ids, bill__shared_at__isnull=False)
    return (
        PaymentAllocation.objects.filter(
            Q(bill__member_id__in=scope.member_ids) | shared,
            payment__household_id__in=scope.household_ids,
        )
        .filter(Q(payment__status__in=IN_FLIGHT) | (scheduled & Q(payment__payer_id=scope.user_id)))
        .annotate(is_scheduled=ExpressionWrapper(scheduled, output_field=BooleanField()))
        .values_list("bill_id", "bill__kind", "is_scheduled")
        .annotate(Sum("amount_cents"))
    )


def totals(members: Sequence[Member], scope: Scope, waiting: InFlight) -> Totals:
    """What all visible members owe, and the bills shared by confidential ones. No query but for the latter."""
    owed = {
        Bill.Kind.MEDICAL: sum(member.medical_control.balance_cents for member in members),
        Bill.Kind.PREMIUM: sum(member.premium_control.balance_cents for member in members),
    }
    if scope.confidential_ids:
        for bill in (
            Bill.objects.visible_to(scope).filter(member_id__in=scope.confidential_ids).owed()[:MAX_SHARED_BILLS]
        ):
            owed[Bill.Kind(bill.kind)] += bill.balance_cents
    return Totals(
        medical_cents=max(0, owed[Bill.Kind.MEDICAL] - waiting.by_kind.get(Bill.Kind.MEDICAL, 0)),
        premium_cents=max(0, owed[Bill.Kind.PREMIUM] - waiting.by_kind.get(Bill.Kind.PREMIUM, 0)),
        on_its_way_cents=sum(waiting.by_kind.values()),
    )


def paid_by_month(scope: Scope, *, today: dt.date) -> dict[dt.date, int]:
    """US cents paid on the bills seen, in each of the last six months, less what was refunded of it: one query."""
    paid = {months_back(today, back): 0 for back in range(MONTHS_SHOWN - 1, -1, -1)}
    paid.update({month: cents for month, cents in _paid(scope, months_back(today, MONTHS_SHOWN - 1)) if month in paid})
    return paid


@prepared
def _paid(scope: Scope, first: dt.date) -> QuerySet[Payment, tuple[dt.date, int]]:
    refunded = (
        Refund.objects.filter(
            payment_id=OuterRef("payment_id"), bill_id=OuterRef("bill_id"), status=Refund.Status.SUCCEEDED
        )
        .order_by()
        .values("payment_id")
        .annotate(cents=Sum("amount_cents"))
        .values("cents")
    )
    # A value for each payment, and not a join: the payments of six months are few, however many bills there are.
    kept = (
        PaymentAllocation.objects.filter(
            Q(bill__member_id__in=scope.member_ids)
            | Q(bill__member_id__in=scope.confidential_ids, bill__shared_at__isnull=False),
            payment_id=OuterRef("pk"),
        )
        .values("payment_id")
        .annotate(cents=Sum(F("amount_cents") - Coalesce(Subquery(refunded), 0, output_field=BigIntegerField())))
        .values("cents")
    )
    return (
        Payment.objects.filter(
            household_id__in=scope.household_ids,
            effective_on__gte=first,
            status__in=COUNTED,
        )
        .annotate(month=TruncMonth("effective_on"))
        .values_list("month")
        .annotate(cents=Coalesce(Sum(Subquery(kept)), 0, output_field=BigIntegerField()))
    )


def coverages_seen(scope: Scope, *, today: dt.date) -> list[Coverage]:
    """The coverages in force that the viewer sees or is covered by: one query."""
    return _coverages(scope, today)


@prepared
def _coverages(scope: Scope, today: dt.date) -> QuerySet[Coverage]:
    covering = Coverage.members.through.objects.filter(member_id__in=scope.own_ids).values("coverage_id")
    # Two walks along indexes: as one OR over both tables it would read every coverage of the plan.
    ids = Coverage.objects.visible_to(scope).values("pk").union(covering)
    return Coverage.objects.in_force(today, today).filter(pk__in=ids).select_related("plan").order_by("start_on", "pk")


def owed_first(members: Sequence[Member], scope: Scope, count: int) -> list[Bill]:
    """The bills due first of those owed: one query, which walks what is open and reads no bill beyond these."""
    if scope.confidential_ids:  # bills that they share stand under control accounts of theirs
        return _owed(scope, count=count)
    controls = {control for member in members for control in (member.medical_control_id, member.premium_control_id)}
    by_id = {member.pk: member for member in members}
    bills = _owed_under(scope, controls, count=count)
    for bill in bills:
        bill.member = by_id[bill.member_id]
        bill.household = bill.member.household
    return bills


@prepared
def _owed(scope: Scope, *, count: int) -> QuerySet[Bill]:
    return Bill.objects.visible_to(scope).owed().select_related("coverage__plan")[:count]


@prepared
def _owed_under(scope: Scope, controls: Collection[int], *, count: int) -> QuerySet[Bill]:
    # Whose they are, the members say who were read before.
    bills = Bill.objects.visible_to(scope).owed().select_related(None).select_related("receivable", "coverage__plan")
    return bills.filter(one_of("receivable_id", _open_accounts(controls, scope)[:count].values("pk")))


def premium_due_on(members: Sequence[Member], scope: Scope) -> dt.date | None:
    """The day on which the first of the premiums owed is due: one query over what is open, or none."""
    controls = {member.premium_control_id for member in members if member.premium_control.balance_cents > 0}
    return next(iter(_first_due(scope, controls)), None)


@prepared
def _first_due(scope: Scope, controls: Collection[int]) -> QuerySet[Account, dt.date | None]:
    return _open_accounts(controls, scope).values_list("matures_on", flat=True)[:1]


def _open_accounts(controls: Collection[int], scope: Scope) -> QuerySet[Account]:
    """What is owed under these control accounts, due first, in the order of the ledger's index of what is open."""
    return Account.objects.filter(
        owner_id__in=scope.household_ids, control_id__in=controls, balance_cents__gt=0, matures_on__isnull=False
    ).order_by("matures_on", "pk")


def plan_year(scope: Scope, coverages: Sequence[Coverage], *, today: dt.date) -> PlanYear | None:
    """The year's progress under the first coverage with limits, of the viewer or else of its subscriber: one query.

    Only the members seen count, so that the family's figures tell nothing of a confidential member (FAULTS F06).
    """
    limited = [coverage for coverage in coverages if coverage.plan.out_of_pocket_individual_cents]
    if not limited:
        return None
    coverage = limited[0]
    if plan_years.is_whole(coverage, today.year):
        used = _used(scope, coverage.pk, today.year)
    else:
        used = _used_within(scope, coverage.pk, *plan_years.days(coverage, today.year))
    rows = {member_id: (deductible, out_of_pocket) for member_id, deductible, out_of_pocket in used}
    if coverage.subscriber_id in scope.member_ids and coverage.subscriber_id not in scope.clinical_ids:
        return None
    person = next(iter(scope.own_ids & rows.keys()), coverage.subscriber_id)
    own = rows.get(person, (0, 0))
    plan = coverage.plan
    own_limits = plan.deductible_individual_cents, plan.out_of_pocket_individual_cents
    # Of each person no more than their own limit: as the page of the year counts, a year being one step here.
    whole = plan_years.total(plan_years.embedded([{1: cents} for cents in rows.values()], own_limits))
    is_family = coverage.subscriber_id in scope.clinical_ids and plan.out_of_pocket_family_cents > 0
    return PlanYear(
        coverage=coverage,
        own=_limits(own, *own_limits),
        family=_limits(whole, plan.deductible_family_cents, plan.out_of_pocket_family_cents) if is_family else (),
    )


@prepared
def _used(scope: Scope, coverage_id: int, year: int) -> QuerySet[Accumulator, tuple[int, int, int]]:
    """By person: of who sees both sides of somebody, both."""
    covered = Coverage.members.through.objects.filter(coverage_id=coverage_id, member_id=OuterRef("person_id"))
    return (
        Accumulator.objects.visible_to(scope)
        .alias(person_id=PERSON)
        .filter(Exists(covered), year=year)
        .order_by()
        .values_list(PERSON)
        .annotate(deductible=Sum("deductible_cents"), out_of_pocket=Sum("out_of_pocket_cents"))
    )


@prepared
def _used_within(
    scope: Scope, coverage_id: int, first: dt.date, last: dt.date
) -> QuerySet[Claim, tuple[int, int, int]]:
    """The same of the claims of these days alone, for a coverage that began or ends within the year."""
    covered = Coverage.members.through.objects.filter(coverage_id=coverage_id, member_id=OuterRef("person_id"))
    return (
        Claim.objects.visible_to(scope)
        .alias(person_id=PERSON)
        .filter(Exists(covered), status=Claim.Status.ACTIVE, service_on__gte=first, service_on__lte=last)
        .order_by()
        .values_list(PERSON)
        .annotate(
            deductible=Sum("deductible_cents"),
            out_of_pocket=Sum(F("deductible_cents") + F("copay_cents") + F("coinsurance_cents")),
        )
    )


def _limits(used: Sequence[int], deductible: int, out_of_pocket: int) -> tuple[Limit, ...]:
    """The two limits, each used up at most whole; a plan without one shows none."""
    limits = (
        Limit("deductible", min(used[0], deductible), deductible),
        Limit("out_of_pocket", min(used[1], out_of_pocket), out_of_pocket),
    )
    return tuple(limit for limit in limits if limit.limit_cents)


def months_back(day: dt.date, months: int) -> dt.date:
    """The first day of the month so many months before that of `day`."""
    index = day.year * 12 + day.month - 1 - months
    return dt.date(index // 12, index % 12 + 1, 1)
