"""FHIR Coverages: which plan covers whom, from when to when. They carry no premium: that is enrolment's."""

import datetime as dt
from collections.abc import Iterable, Sequence
from contextlib import suppress

from django.db import transaction

from accounts.models import Coverage, Member, Plan
from bills import premium_changes
from bills.imports.eob import refuse_modifiers
from bills.imports.files import Item
from bills.imports.people import Known, known_by_key
from bills.imports.problems import MALFORMED, NeedsReview, Parked, Problem, Refused, Skipped, malformed
from bills.imports.run import Rejected, Run, Tally
from bills.imports.values import (
    Json,
    codes,
    date_of,
    dictionary,
    objects,
    reference_key,
    resource_id,
    text,
    version_of,
)  # fmt: skip

RELATIONSHIPS = {
    "self": Member.Relationship.SELF,
    "spouse": Member.Relationship.SPOUSE,
    "common": Member.Relationship.SPOUSE,
    "child": Member.Relationship.CHILD,
}
KINDS = (  # the first whose words stand in the plan's names and types
    ("part d", Coverage.Kind.MEDICARE_PART_D),
    ("part c", Coverage.Kind.MEDICARE_ADVANTAGE),
    ("medicare advantage", Coverage.Kind.MEDICARE_ADVANTAGE),
    ("medicare hmo", Coverage.Kind.MEDICARE_ADVANTAGE),
    ("medigap", Coverage.Kind.MEDIGAP),
    ("supplement", Coverage.Kind.MEDIGAP),
    ("cobra", Coverage.Kind.COBRA),
    ("charit", Coverage.Kind.CHARITABLE),
)
PLAN_UNNAMED = "Health plan"


def learn(resources: Iterable[Json], run: Run) -> None:
    """Remember whose dependant each beneficiary is, before the people themselves are taken."""
    for coverage in resources:
        try:
            beneficiary = reference_key(coverage.get("beneficiary"), "Patient", run.aliases)
            subscriber = reference_key(coverage.get("subscriber"), "Patient", run.aliases)
        except Refused:
            continue
        relationship = next(iter(codes(coverage.get("relationship"))), "other")
        if beneficiary and subscriber and coverage.get("status") == "active":
            run.learn_family(beneficiary, subscriber, RELATIONSHIPS.get(relationship, Member.Relationship.OTHER).value)


def take(items: Sequence[Item], run: Run, tally: Tally) -> None:
    """Take the Coverages of a chunk."""
    wanted: set[str] = set()
    for item in items:
        for name in ("beneficiary", "subscriber"):
            with suppress(Refused):  # it is refused below, in its turn
                wanted.add(reference_key((item.resource or {}).get(name), "Patient", run.aliases))
    known = known_by_key(run.source, list(wanted))
    taken: list[str] = []
    for item in items:
        coverage = item.resource or {}
        key = version = ""
        try:
            key, version = f"Coverage/{resource_id(coverage)}", version_of(coverage)
            with transaction.atomic():
                tally.counts[_take(coverage, key, known, run)] += 1
            taken.append(key)
        except Skipped as skipped:
            tally.skip(skipped.reason)
        except (Problem, *MALFORMED) as error:
            problem = error if isinstance(error, Problem) else malformed()
            tally.counts["in_review" if isinstance(problem, NeedsReview) else "refused"] += 1
            tally.rejected.append(Rejected(item.line, problem, key, version, coverage))
    tally.taken.extend(taken)


def _take(resource: Json, key: str, known: dict[str, Known], run: Run) -> str:
    refuse_modifiers(resource)
    if resource.get("status") not in ("active", "cancelled"):
        raise Skipped("coverage_draft", "a coverage that is a draft or an error")
    beneficiary_key = reference_key(resource.get("beneficiary"), "Patient", run.aliases)
    if not beneficiary_key:
        raise Refused("patient_missing", "The coverage does not say whom it covers.", "beneficiary")
    if (beneficiary := known.get(beneficiary_key)) is None:
        raise Parked(
            "patient_unknown", "The member has not been imported: the coverage waits.", "beneficiary", beneficiary_key
        )
    period = dictionary(resource.get("period"))
    start_on, end_on = date_of(period.get("start")), date_of(period.get("end"))
    if start_on is None:
        raise Skipped("coverage_undated", "a coverage without its first day")
    if end_on and end_on < start_on:
        raise Refused("period", "The coverage ends before it begins.", "period.end")
    if resource["status"] == "cancelled" and end_on is None:
        raise Skipped("coverage_cancelled", "a cancelled coverage without its last day")
    subscriber_key = reference_key(resource.get("subscriber"), "Patient", run.aliases)
    subscriber = known.get(subscriber_key, beneficiary)
    standing = Coverage.objects.filter(source=run.source, source_id=key).first()
    if standing is not None:
        return _change(standing, beneficiary, start_on, end_on)
    plan = _plan(resource, start_on.year)
    shared = Coverage.objects.filter(
        plan=plan, subscriber_id=subscriber.id, start_on=start_on, source=run.source
    ).first()
    if shared is not None:
        return _join(shared, beneficiary)
    made = Coverage.objects.create(
        plan=plan, kind=_kind(resource), household_id=subscriber.household_id, subscriber_id=subscriber.id,
        start_on=start_on, end_on=end_on, source=run.source, source_id=key,
    )  # fmt: skip
    made.members.add(*{subscriber.id, beneficiary.id})
    return "new"


def _change(standing: Coverage, beneficiary: Known, start_on: dt.date, end_on: dt.date | None) -> str:
    """Bring the dates of a coverage up to date; whose it is never changes under the same id."""
    if not standing.members.filter(pk=beneficiary.id).exists():
        raise NeedsReview("another_person", "The id stands for another person's coverage.", "beneficiary")
    changed = Coverage.objects.filter(pk=standing.pk).exclude(start_on=start_on, end_on=end_on)
    if not changed.update(start_on=start_on, end_on=end_on):
        return "same"
    # Here and at once: the daily run looks only a few months back, and a termination may come later than that.
    premium_changes.revise(standing, reason="the coverage's dates changed", actor="import")
    return "changed"


def _join(shared: Coverage, beneficiary: Known) -> str:
    """Each person of a family has a Coverage in FHIR; here it is one, with its members."""
    if shared.members.filter(pk=beneficiary.id).exists():
        return "same"
    shared.members.add(beneficiary.id)
    if shared.kind == Coverage.Kind.INDIVIDUAL:
        Coverage.objects.filter(pk=shared.pk).update(kind=Coverage.Kind.FAMILY)
    return "changed"


def _classes(resource: Json, code: str) -> str:
    for entry in objects(resource.get("class")):
        if code in codes(entry.get("type")):
            return text(entry.get("name"), 200) or text(entry.get("value"), 200)
    return ""


def _plan(resource: Json, year: int) -> Plan:
    payor = next(iter(objects(resource.get("payor"))), {})
    group = _classes(resource, "group")
    name = _classes(resource, "plan")
    if name and group.lower() == "medicare":
        name = f"{group} {name}"
    plan, _is_new = Plan.objects.get_or_create(
        name=name or text(resource.get("network"), 200) or text(payor.get("display"), 200) or PLAN_UNNAMED, year=year
    )
    return plan


def _kind(resource: Json) -> Coverage.Kind:
    words = " ".join((_classes(resource, "group"), _classes(resource, "plan"), *codes(resource.get("type")))).lower()
    return next((kind for mark, kind in KINDS if mark in words), Coverage.Kind.INDIVIDUAL)
