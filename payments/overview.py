"""What a household owes and has paid, at one glance. Sums come from control accounts, never from adding up bills."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db.models import BigIntegerField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncMonth

from accounts.models import Coverage, Member
from accounts.visibility import Scope
from bills.models import Accumulator, Bill
from ledger.models import Account
from payments.models import Payment, PaymentAllocation, Refund
from payments.states import IN_FLIGHT, PaymentStatus

MONTHS_SHOWN = 6
MAX_OPEN_PREMIUMS = 24  # looked through for one of a coverage in force
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
    """The members the viewer sees, the holder first, with what each owes: one query."""
    return list(
        Member.objects.visible_to(scope)
        .select_related("household", "medical_control", "premium_control")
        .order_by("-is_primary_holder", "birth_date", "pk")
    )


def in_flight(scope: Scope) -> InFlight:
    """What is on its way to the bills that the viewer sees: one query over the few payments not yet decided."""
    shared = Q(bill__member_id__in=scope.confidential_ids, bill__shared_at__isnull=False)
    rows = (
        PaymentAllocation.objects.filter(
            Q(bill__member_id__in=scope.member_ids) | shared,
            payment__household_id__in=scope.household_ids,
            payment__status__in=IN_FLIGHT,
        )
        .values_list("bill_id", "bill__kind")
        .annotate(Sum("amount_cents"))
    )
    found = InFlight()
    for bill_id, kind, cents in rows:
        found.by_bill[bill_id] = cents
        found.by_kind[kind] = found.by_kind.get(kind, 0) + cents
    return found


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
    rows = (
        Payment.objects.filter(
            household_id__in=scope.household_ids,
            effective_on__gte=months_back(today, MONTHS_SHOWN - 1),
            status__in=COUNTED,
        )
        .annotate(month=TruncMonth("effective_on"))
        .values_list("month")
        .annotate(cents=Coalesce(Sum(Subquery(kept)), 0, output_field=BigIntegerField()))
    )
    paid = {months_back(today, back): 0 for back in range(MONTHS_SHOWN - 1, -1, -1)}
    paid.update({month: cents for month, cents in rows if month in paid})
    return paid


def coverages_seen(scope: Scope, *, today: dt.date) -> list[Coverage]:
    """The coverages in force that the viewer sees or is covered by: one query."""
    covering = Coverage.members.through.objects.filter(member_id__in=scope.own_ids).values("coverage_id")
    # Two walks along indexes: as one OR over both tables it would read every coverage of the plan.
    ids = Coverage.objects.visible_to(scope).values("pk").union(covering)
    return list(
        Coverage.objects.in_force(today, today).filter(pk__in=ids).select_related("plan").order_by("start_on", "pk")
    )


def owed_first(members: Sequence[Member], scope: Scope, count: int) -> list[Bill]:
    """The bills due first of those owed: one query, which walks what is open and reads no bill beyond these."""
    bills = Bill.objects.visible_to(scope).owed().select_related("coverage__plan")
    if scope.confidential_ids:  # bills that they share stand under control accounts of theirs
        return list(bills[:count])
    controls = {control for member in members for control in (member.medical_control_id, member.premium_control_id)}
    return list(bills.filter(receivable__in=_open_accounts(controls, scope)[:count]))


def next_premium(scope: Scope, coverages: Sequence[Coverage], members: Sequence[Member]) -> Bill | None:
    """The premium due first of those owed under these coverages: one query over what is open, or none."""
    ids = [coverage.pk for coverage in coverages]
    controls = {member.premium_control_id for member in members if member.premium_control.balance_cents > 0}
    accounts = _open_accounts(controls, scope)[:MAX_OPEN_PREMIUMS]
    return Bill.objects.visible_to(scope).owed().filter(coverage_id__in=ids, receivable__in=accounts).first()


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
    rows = {
        member_id: (deductible, out_of_pocket)
        for member_id, deductible, out_of_pocket in Accumulator.objects.visible_to(scope)
        .filter(year=today.year, member__coverages=coverage)
        .values_list("member_id", "deductible_cents", "out_of_pocket_cents")
    }
    if coverage.subscriber_id in scope.member_ids and coverage.subscriber_id not in scope.clinical_ids:
        return None
    person = next(iter(scope.own_ids & rows.keys()), coverage.subscriber_id)
    own = rows.get(person, (0, 0))
    whole = tuple(sum(parts) for parts in zip(*rows.values(), strict=True)) if rows else (0, 0)
    plan = coverage.plan
    is_family = coverage.subscriber_id in scope.clinical_ids and plan.out_of_pocket_family_cents > 0
    return PlanYear(
        coverage=coverage,
        own=_limits(own, plan.deductible_individual_cents, plan.out_of_pocket_individual_cents),
        family=_limits(whole, plan.deductible_family_cents, plan.out_of_pocket_family_cents) if is_family else (),
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
