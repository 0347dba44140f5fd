"""What the check of a bill looks at: its claims, the year's sums, earlier bills, estimates. A handful of queries.

For a page the facts are those of the members whose services the viewer sees, so that a finding about the family's limit
tells nobody of a confidential member's care (FAULTS F06); for staff and tasks they are all.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from accounts.models import Coverage
from accounts.private_sides import PERSON
from accounts.visibility import Scope
from billing_portal.found_first import one_of
from bills import compared, issuing, plan_years
from bills.checking import ClaimFacts, EstimateFacts, Facts, Maximum, Twin
from bills.compared import STANDING
from bills.explained_claims import Kind
from bills.models import Accumulator, Bill, BillQuerySet, Claim, Estimate

MAX_TWINS = 5
MAX_ESTIMATES = 5
MAX_BILLS_OF_AN_ESTIMATE = 20
OUT_OF_POCKET = F("deductible_cents") + F("copay_cents") + F("coinsurance_cents")


def gather(bill: Bill, *, scope: Scope | None = None) -> Facts:
    """The facts about one medical bill, as far as the viewer of this scope may see them; without one, all."""
    charged = issuing.asked_cents(bill)
    own = compared.own_claims(bill)
    claims = compared.claims_of(bill, own)
    # A bill that a confidential member shared tells nothing of that member's year or of other bills.
    is_shared = scope is not None and bill.member_id not in scope.clinical_ids
    maximums = [] if is_shared else _maximums(bill, claims or own, scope)
    return Facts(
        charged_cents=charged,
        prepaid_cents=_prepaid(bill, own) if maximums else 0,
        claims=[_facts_of(claim) for claim in claims],
        twin=_twin(bill, own, scope),
        maximums=maximums,
        estimates=[] if is_shared else _estimates(bill, scope),
    )


def _facts_of(claim: Claim) -> ClaimFacts:
    return ClaimFacts(
        number=claim.number,
        owes_cents=claim.member_owes_cents,
        is_open=claim.status == Claim.Status.OPEN,
        cost_share_cents=claim.deductible_cents + claim.copay_cents + claim.coinsurance_cents,
        allowed_cents=claim.allowed_cents,
        discount_cents=claim.discount_cents,
        plan_paid_cents=claim.plan_paid_cents,
        other_paid_cents=claim.other_paid_cents,
        not_covered_cents=claim.not_covered_cents,
        remark_codes=frozenset(claim.remark_codes.split()),
    )


def _twin(bill: Bill, own: Sequence[Claim], scope: Scope | None) -> Twin | None:
    """An earlier bill of the member that asks for the same: of the same claim, else of the same service."""
    bills = Bill.objects.all() if scope is None else Bill.objects.visible_to(scope)
    earlier = bills.filter(
        member_id=bill.member_id, kind=Bill.Kind.MEDICAL, voided_at__isnull=True, pk__lt=bill.pk
    ).order_by("pk")  # fmt: skip
    for is_of_claim, found in ((True, _of_claim(own, earlier)), (False, _of_service(bill, own, earlier))):
        for other in found:
            if asked_cents := issuing.asked_cents(other):
                return Twin(other.number, asked_cents, is_of_claim)
    return None


def _of_claim(own: Sequence[Claim], earlier: BillQuerySet) -> Iterator[Bill]:
    """Those of a claim that one of these is the same as, told by its number."""
    numbers = {claim.number for claim in own}
    if not numbers:
        return
    same = Claim.objects.filter(number__in=numbers, member_id=own[0].member_id, status__in=STANDING)
    for other in earlier.filter(one_of("pk", same.values("bill_id")))[:MAX_TWINS]:
        if any(_is_same(mine, its) for mine in own for its in compared.own_claims(other)):
            yield other


def _is_same(mine: Claim, its: Claim) -> bool:
    """Whether two claims of a member are one.

    A plan may give the parts of a claim one number: what one source tells apart stays apart. A biller's numbers are
    its own, and another's may be the same by chance: of two of them the day says more.
    """
    if mine.number != its.number:
        return False
    if mine.kind in Kind.values and its.kind in Kind.values:
        return mine.source != its.source
    return mine.kind in Kind.values or its.kind in Kind.values or mine.service_on == its.service_on


def _of_service(bill: Bill, own: Sequence[Claim], earlier: BillQuerySet) -> Iterator[Bill]:
    """Those of the same day, provider, title and amount, unless each has a claim of its own."""
    if bill.service_on is None:
        return
    mine = _numbers(own)
    alike = earlier.filter(
        service_on=bill.service_on, provider_name__iexact=bill.provider_name, title=bill.title,
        amount_cents=bill.amount_cents,
    )  # fmt: skip
    for other in alike[:MAX_TWINS]:
        theirs = _numbers(compared.own_claims(other))
        if not (mine and theirs and mine.isdisjoint(theirs)):
            yield other


def _numbers(claims: Iterable[Claim]) -> set[str]:
    return {claim.number for claim in claims if claim.kind in Kind.values}


def _maximums(bill: Bill, claims: Sequence[Claim], scope: Scope | None) -> list[Maximum]:
    """The year's limits that the member's claims have reached: of the person, and embedded in it of the family."""
    counted = [claim for claim in claims if claim.status == Claim.Status.ACTIVE and _out_of_pocket(claim)]
    if not counted or bill.service_on is None:
        return []
    year, of_bill = bill.service_on.year, sum(map(_out_of_pocket, counted))
    person_id = bill.member.person_id
    coverage = (
        Coverage.objects.in_force(bill.service_on, bill.service_on)
        .filter(members=person_id, plan__out_of_pocket_individual_cents__gt=0)
        .select_related("plan")
        .order_by("pk")
        .first()
    )
    if coverage is None:
        return []
    limit, family_limit = coverage.plan.out_of_pocket_individual_cents, coverage.plan.out_of_pocket_family_cents
    covered = list(coverage.members.values_list("pk", flat=True))
    of_people = Q(member__in=covered) | Q(member__private_of__in=covered)  # both sides, of who sees both
    if scope is not None:
        of_people &= Q(member_id__in=scope.clinical_ids)
    days = plan_years.days(coverage, year)
    rows = list(_year_of(of_people, year) if plan_years.is_whole(coverage, year) else _days_of(of_people, days))
    sides = {member_id: of_person for member_id, of_person, _cents in rows}
    sums = _by_person(sides, {member_id: cents for member_id, _of_person, cents in rows})
    is_over = sums.get(person_id, 0) > limit
    is_family_over = 0 < family_limit < sum(min(cents, limit) for cents in sums.values())
    if not (is_over or is_family_over):
        return []
    before = _by_person(sides, _before(counted, days, sides))
    found = [Maximum(limit, before.get(person_id, 0), of_bill)] if is_over else []
    if is_family_over:
        whole = sum(min(cents, limit) for cents in before.values())
        found.append(Maximum(family_limit, whole, min(of_bill, limit), is_family=True))
    return found


def _prepaid(bill: Bill, own: Sequence[Claim]) -> int:
    """What of the share of a bill's own claims was paid before it was issued, US cents: it charges that much less."""
    share = sum(claim.member_owes_cents for claim in own if claim.kind in Kind.values)
    return max(0, share - issuing.charged_cents(bill) - issuing.corrected_by_hand_cents(bill))


def _year_of(of_people: Q, year: int) -> Iterable[tuple[int, int, int]]:
    """What counted in a year: by member, with the person whose side that is."""
    return Accumulator.objects.filter(of_people, year=year).values_list("member_id", PERSON, "out_of_pocket_cents")


def _days_of(of_people: Q, days: tuple[dt.date, dt.date]) -> Iterable[tuple[int, int, int]]:
    """The same of the claims of these days alone, for a coverage that began or ended within the year."""
    claims = Claim.objects.filter(of_people, status=Claim.Status.ACTIVE, service_on__range=days).order_by()
    return claims.values_list("member_id", PERSON).annotate(cents=Sum(OUT_OF_POCKET))


def _by_person(sides: Mapping[int, int], cents: Mapping[int, int]) -> dict[int, int]:
    """The sums of members as those of people, whose private side is a member of its own."""
    found: dict[int, int] = {}
    for member_id, of_member in cents.items():
        found[sides[member_id]] = found.get(sides[member_id], 0) + of_member
    return found


def _out_of_pocket(claim: Claim) -> int:
    return claim.deductible_cents + claim.copay_cents + claim.coinsurance_cents


def _before(counted: Sequence[Claim], days: tuple[dt.date, dt.date], member_ids: Collection[int]) -> dict[int, int]:
    """What counted towards the limits before these claims, by member: claims worked out earlier, US cents."""
    claim = counted[0]
    on = claim.processed_on or claim.service_on
    rows = (
        Claim.objects.filter(member_id__in=member_ids, status=Claim.Status.ACTIVE, service_on__range=days)
        .exclude(bill=claim.bill_id or 0)
        .exclude(pk__in=[claim.pk for claim in counted])
        .alias(on=Coalesce("processed_on", "service_on"))
        .filter(Q(on__lt=on) | Q(on=on, pk__lt=claim.pk))
        .order_by()
        .values_list("member_id")
        .annotate(cents=Sum(OUT_OF_POCKET))
    )
    return dict(rows)


def _estimates(bill: Bill, scope: Scope | None) -> list[EstimateFacts]:
    return [
        _estimate(estimate, scope) for estimate in Estimate.objects.filter(bills=bill).order_by("pk")[:MAX_ESTIMATES]
    ]


def _estimate(estimate: Estimate, scope: Scope | None) -> EstimateFacts:
    """An estimate and its bills: of both sides of the person where the viewer sees both."""
    found = estimate.bills.filter(voided_at__isnull=True)
    if scope is not None:
        found = found.filter(member_id__in=scope.clinical_ids)
    bills = list(found.order_by("issued_on", "pk")[:MAX_BILLS_OF_AN_ESTIMATE])
    return EstimateFacts(
        number=estimate.number,
        provider=estimate.provider_name,
        estimate_cents=estimate.amount_cents,
        charged_cents=sum(issuing.asked_cents(bill) for bill in bills),
        first_billed_on=bills[0].issued_on if bills else estimate.service_on,
    )
