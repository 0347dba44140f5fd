"""Charitable coverage: the plan pays a part of the premium for a year, as a payer of its own on the premium's bill.

The subsidy stands on the coverage (`charitable_cents`, `charitable_ends_on`), from where premiums are issued and
brought in line (bills.premiums). The rule says how much of the premium that is.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts.models import Coverage, User
from activity.recording import record
from assistance import rules
from assistance.awarding import months_after
from assistance.models import Application, Award, CharitableRule
from bills import premiums
from ledger.transactions import atomic_with_retry

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Chosen:
    """A coverage that charitable coverage can be given to, and by which rule."""

    coverage: Coverage
    rule: CharitableRule
    monthly_cents: int


def coverages(application: Application, *, income_cents: int, on: dt.date) -> list[Chosen]:
    """The coverages of its members that the rules let be helped, where it asks for that; each subscriber by age.

    A coverage with help through another program (a tax credit, Medicare, COBRA of a job) is none of them; nor is one
    whose subscriber has had the years that the rule allows.
    """
    if not application.wants_charitable:
        return []
    chosen = []
    rows = Coverage.objects.filter(
        subscriber__in=application.members.all(),
        kind__in=[Coverage.Kind.INDIVIDUAL, Coverage.Kind.FAMILY, Coverage.Kind.CHARITABLE],
        subsidy_cents=0, premium_cents__gt=0,
    ).in_force(on, on)  # fmt: skip
    for coverage in rows.select_related("subscriber").order_by("pk"):
        born = coverage.subscriber.birth_date
        age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
        rule = rules.charitable_rule(
            state=application.state, age=age, size=application.household_size, income_cents=income_cents, on=on
        )
        if rule is not None and not _is_used_up(coverage, rule):
            chosen.append(Chosen(coverage, rule, rules.award_cents(coverage.premium_cents, rule.premium_pct)))
    return chosen


def _is_used_up(coverage: Coverage, rule: CharitableRule) -> bool:
    """Whether the subscriber has had the years in a row that the rule gives once."""
    if rule.years_at_most is None:
        return False
    had = Award.objects.filter(kind=Award.Kind.CHARITABLE, coverage__subscriber=coverage.subscriber).count()
    return had >= rule.years_at_most


@transaction.atomic
def give(application: Application, chosen: Chosen, *, by: User, on: dt.date) -> Award:
    """Set the subsidy on a coverage for a year from the first of this month, and bring its bills in line. Once."""
    start = on.replace(day=1)
    coverage = Coverage.objects.select_for_update().get(pk=chosen.coverage.pk)
    award, is_new = Award.objects.get_or_create(
        application=application, kind=Award.Kind.CHARITABLE, coverage=coverage,
        defaults={
            "percent": chosen.rule.premium_pct, "monthly_cents": chosen.monthly_cents, "start_on": start,
            "end_on": months_after(start, MONTHS), "made_by": by,
        },
    )  # fmt: skip
    if not is_new:
        return award
    award.members.set(coverage.members.all())
    Coverage.objects.filter(pk=coverage.pk).update(
        charitable_cents=award.monthly_cents, charitable_ends_on=award.end_on
    )
    coverage.refresh_from_db()
    _tell(award, "charitable.given", actor=f"user:{by.pk}")
    premiums.catch_up(coverage, reason="charitable coverage began", actor=f"user:{by.pk}")
    return award


@atomic_with_retry
def end(award: Award, *, by: User, reason: str, on: dt.date) -> bool:
    """End a subsidy with the present month: what it paid stays paid. False where it had ended."""
    following = (on.replace(day=1) + dt.timedelta(days=31)).replace(day=1)
    last = following - dt.timedelta(days=1)
    changed = Award.objects.filter(pk=award.pk, revoked_at__isnull=True).update(
        revoked_at=timezone.now(), revoked_by=by, revoked_reason=reason, end_on=min(award.end_on, last)
    )
    if not changed or award.coverage is None:
        return False
    coverage = Coverage.objects.select_for_update().get(pk=award.coverage.pk)
    Coverage.objects.filter(pk=coverage.pk).update(charitable_ends_on=min(award.end_on, last))
    coverage.refresh_from_db()
    _tell(award, "charitable.ended", actor=f"user:{by.pk}", reason=reason)
    premiums.catch_up(coverage, reason="charitable coverage ended", actor=f"user:{by.pk}")
    return True


def _tell(award: Award, kind: str, *, actor: str, reason: str = "") -> None:
    record(
        kind, subject=f"award:{award.pk}", owner_id=award.application.household_id, actor=actor, reason=reason[:500],
        award_id=award.pk, user_id=award.application.applicant_id,
    )  # fmt: skip
