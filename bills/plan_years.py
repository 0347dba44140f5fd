"""How the year's deductible and out-of-pocket maximum are used up, month by month, by person and by family.

Straight from the active claims that the viewer may see. A confidential member's claims count nowhere for the holder:
not as a person, and not in the family's sums, whose months would tell of them (FAULTS F06).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from django.db.models import F, Sum
from django.db.models.functions import Coalesce
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Coverage, Member
from accounts.visibility import Scope
from activity import bars
from bills.models import Accumulator, Claim
from ledger.templatetags.portal import usd_whole

MONTHS = range(1, 13)
MAX_COVERAGES = 5
MAX_YEARS = 6

Cents: TypeAlias = tuple[int, int]  # deductible, out of pocket


@dataclass(frozen=True, slots=True)
class Limit:
    """How far one limit is used up, US cents. `is_met`: by oneself, or by the whole family."""

    name: str  # deductible, out_of_pocket
    used_cents: int
    limit_cents: int
    is_met: bool


@dataclass(frozen=True, slots=True)
class Month(bars.Bar):
    """One month: what counted in it, and what had counted by its end, US cents."""

    LEFT: ClassVar[int] = 12
    STEP: ClassVar[int] = 51  # twelve bars in 620
    WIDTH: ClassVar[int] = 30

    on: dt.date
    name: str
    deductible_cents: int
    out_of_pocket_cents: int
    so_far_cents: int


@dataclass(frozen=True, slots=True)
class Progress:
    """A person's year, or the family's."""

    title: str
    label: str  # what a screen reader says of the chart
    limits: tuple[Limit, ...]
    months: tuple[Month, ...]

    @property
    def has_claims(self) -> bool:
        """Whether anything counted."""
        return any(month.so_far_cents for month in self.months)


@dataclass(frozen=True, slots=True)
class Year:
    """One coverage's year, as far as the viewer may see it."""

    coverage: Coverage
    family: Progress | None
    people: tuple[Progress, ...]


def years_seen(scope: Scope, *, today: dt.date) -> list[int]:
    """The years that there is something to show of, this year first."""
    found = Accumulator.objects.visible_to(scope).order_by("-year").values_list("year", flat=True).distinct()
    return sorted({today.year, *found[:MAX_YEARS]}, reverse=True)


def of(scope: Scope, year: int, *, today: dt.date) -> list[Year]:
    """The year under each coverage with limits that covers somebody whose services the viewer sees: three queries."""
    coverages = list(
        Coverage.objects.covering(scope)
        .in_force(dt.date(year, 1, 1), dt.date(year, 12, 31))
        .filter(plan__out_of_pocket_individual_cents__gt=0)
        .select_related("plan")
        .order_by("start_on", "pk")[:MAX_COVERAGES]
    )
    pairs = Coverage.members.through.objects.filter(coverage__in=coverages, member_id__in=scope.clinical_ids)
    members: dict[int, list[Member]] = defaultdict(list)
    for pair in pairs.select_related("member").order_by("-member__is_primary_holder", "member__birth_date", "pk"):
        members[pair.coverage_id].append(pair.member)
    sums = _sums(scope, year)
    last = today.month if year == today.year else 12
    return [_year(scope, coverage, members[coverage.pk], sums, year, last) for coverage in coverages]


def days(coverage: Coverage, year: int) -> tuple[dt.date, dt.date]:
    """The first and last day of a year on which a coverage was in force: another day's claims count elsewhere."""
    return max(coverage.start_on, dt.date(year, 1, 1)), min(coverage.end_on or dt.date.max, dt.date(year, 12, 31))


def is_whole(coverage: Coverage, year: int) -> bool:
    """Whether a coverage was in force all year, so that what counts under it is what the members' year sums to."""
    return days(coverage, year) == (dt.date(year, 1, 1), dt.date(year, 12, 31))


def _sums(scope: Scope, year: int) -> dict[int, dict[dt.date, Cents]]:
    """What counted, by person and day of the service: of who sees both sides of somebody, both."""
    rows = (
        Claim.objects.visible_to(scope)
        .filter(status=Claim.Status.ACTIVE, service_on__year=year)
        .order_by()
        .annotate(person=Coalesce("member__private_of_id", "member_id"))
        .values_list("person", "service_on")
        .annotate(
            deductible=Sum("deductible_cents"),
            out_of_pocket=Sum(F("deductible_cents") + F("copay_cents") + F("coinsurance_cents")),
        )
    )
    found: dict[int, dict[dt.date, Cents]] = defaultdict(dict)
    for member_id, on, deductible, out_of_pocket in rows:
        found[member_id][on] = (deductible, out_of_pocket)
    return found


def _by_month(sums: Mapping[dt.date, Cents], first: dt.date, last: dt.date) -> dict[int, Cents]:
    """What counted from `first` to `last`, by month."""
    found: dict[int, Cents] = {}
    for on, cents in sums.items():
        if first <= on <= last:
            so_far = found.get(on.month, (0, 0))
            found[on.month] = (so_far[0] + cents[0], so_far[1] + cents[1])
    return found


def _year(
    scope: Scope, coverage: Coverage, members: Sequence[Member], sums: Mapping[int, Mapping[dt.date, Cents]], year: int,
    last: int,
) -> Year:  # fmt: skip
    plan = coverage.plan
    own = plan.deductible_individual_cents, plan.out_of_pocket_individual_cents
    whole = plan.deductible_family_cents, plan.out_of_pocket_family_cents
    steps = {member.pk: _by_month(sums.get(member.pk, {}), *days(coverage, year)) for member in members}
    shows_family = coverage.subscriber_id in scope.clinical_ids and whole[1] > 0
    together = embedded(steps.values(), own) if shows_family else {}
    reached = total(together) if shows_family else (0, 0)
    met_by_all = (0 < whole[0] <= reached[0], 0 < whole[1] <= reached[1])
    return Year(
        coverage,
        _progress(_("The whole family"), together, whole, (False, False), year, last) if shows_family else None,
        tuple(_progress(member.full_name, steps[member.pk], own, met_by_all, year, last) for member in members),
    )


def embedded(people: Iterable[Mapping[int, Cents]], own: Cents) -> dict[int, Cents]:
    """What counts for the family, by month: of each person no more than the person's own limit (45 CFR 156.130(c))."""
    family: dict[int, list[int]] = {month: [0, 0] for month in MONTHS}
    for steps in people:
        used = [0, 0]
        for month in MONTHS:
            for which, cents in enumerate(steps.get(month, (0, 0))):
                counts = min(cents, max(0, own[which] - used[which])) if own[which] else cents
                used[which] += counts
                family[month][which] += counts
    return {month: (deductible, out_of_pocket) for month, (deductible, out_of_pocket) in family.items()}


def total(steps: Mapping[int, Cents]) -> Cents:
    """A year's sums."""
    return sum(cents[0] for cents in steps.values()), sum(cents[1] for cents in steps.values())


def _progress(
    title: str, steps: Mapping[int, Cents], limits: Cents, met_by_all: tuple[bool, bool], year: int, last: int
) -> Progress:
    used = total(steps)
    told = tuple(
        Limit(name, min(used[which], limits[which]), limits[which], met_by_all[which] or used[which] >= limits[which])
        for which, name in enumerate(("deductible", "out_of_pocket"))
        if limits[which]
    )
    months = _months(steps, year, last)
    figures = ", ".join(f"{date_format(month.on, 'F')} {usd_whole(month.so_far_cents)}" for month in months)
    label = _("Out of pocket by the end of each month, %(title)s: %(figures)s") % {"title": title, "figures": figures}
    return Progress(title, label, told, months)


def _months(steps: Mapping[int, Cents], year: int, last: int) -> tuple[Month, ...]:
    found, so_far = [], 0
    most = max(1, sum(cents[1] for cents in steps.values()))
    for month in range(1, last + 1):
        deductible, out_of_pocket = steps.get(month, (0, 0))
        so_far += out_of_pocket
        on = dt.date(year, month, 1)
        name = date_format(on, "b").capitalize()
        high = bars.height(so_far, most)
        found.append(Month(month - 1, high, on, name, deductible, out_of_pocket, so_far))
    return tuple(found)
