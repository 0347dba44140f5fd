"""Charitable coverage: the plan pays a part of the premium for a year, as a payer of its own on the premium's bill.

The subsidy stands on the coverage (`charitable_cents`, `charitable_starts_on` to `charitable_ends_on`), put there from
its awards by `bring_in_line`; premiums are issued and brought in line from there (bills.premiums). The rule says how
much of the premium that is, and for how many months of a life (decision 2172).
"""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import Coverage, Member, User
from accounts.models.coverages import CoverageQuerySet
from activity.doorbell import ring
from activity.recording import record
from assistance import eligible, rules
from assistance.awarding import months_after
from assistance.models import Application, Award, AwardedBill, CharitableRule
from bills import premiums, relief
from bills.models import Bill
from bills.premiums import month_after
from ledger.chart import Code
from ledger.models import Transfer
from ledger.transactions import atomic_with_retry
from payments import allocating

MONTHS = 12  # of one award, at most
RENEW_WITHIN_DAYS = 90  # of its end, when that is first told: earlier a year would rest on an income long past
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A coverage that charitable coverage can be given to, by which rule, from when and for how many months."""

    coverage: Coverage
    rule: CharitableRule
    monthly_cents: int
    start_on: dt.date
    months: int


def coverages(application: Application, *, income_cents: int, on: dt.date) -> list[Chosen]:
    """The coverages of its members that the rules let be helped, where it asks for that; each subscriber by age.

    A coverage with help through another program (a tax credit, Medicare, COBRA of a job) is none of them; nor is one
    whose subscriber has had the months that the rule allows, or whose help goes on for long.
    """
    if not application.wants_charitable:
        return []
    chosen = []
    for coverage in _without_other_help(application).in_force(on, on).select_related("subscriber").order_by("pk"):
        start = _next_start(coverage, on, asked_on=asked_on(application))
        if start is None:
            continue
        rule = rules.charitable_rule(
            state=application.state, age=_age(coverage.subscriber, start), size=application.household_size,
            income_cents=income_cents, on=on,
        )  # fmt: skip
        months = months_left(coverage.subscriber, rule) if rule is not None else 0
        if rule is not None and months:
            cents = rules.award_cents(coverage.premium_cents, rule.premium_pct)
            chosen.append(Chosen(coverage, rule, cents, start, months))
    return chosen


def open_premiums(application: Application) -> QuerySet[Bill]:
    """Premiums that wait for an application: those that it would help with, from the month on in which it was sent."""
    if not application.wants_charitable:
        return Bill.objects.none()
    return Bill.objects.filter(
        kind=Bill.Kind.PREMIUM, voided_at__isnull=True, receivable__balance_cents__gt=0,
        coverage__in=_without_other_help(application), period__gte=asked_on(application).replace(day=1),
    ).order_by("pk")  # fmt: skip


def asked_on(application: Application) -> dt.date:
    """The day on which an application was sent; today where it is being sent."""
    return timezone.localdate(application.submitted_at) if application.submitted_at else timezone.localdate()


def _without_other_help(application: Application) -> CoverageQuerySet:
    return Coverage.objects.filter(
        subscriber__in=eligible.members(application), household_id=application.household_id,
        kind__in=[Coverage.Kind.INDIVIDUAL, Coverage.Kind.FAMILY, Coverage.Kind.CHARITABLE],
        subsidy_cents=0, premium_cents__gt=0,
    )  # fmt: skip


def _next_start(coverage: Coverage, on: dt.date, *, asked_on: dt.date) -> dt.date | None:
    """The day after what stands, else the first of the month in which it was asked for, whose premium has waited.

    None where it is too early, or the coverage is over by then.
    """
    standing = coverage.awards.filter(kind=Award.Kind.CHARITABLE, revoked_at__isnull=True, end_on__gte=on)
    last = max(standing.values_list("end_on", flat=True), default=None)
    if last is None:
        return max(min(on, asked_on), coverage.start_on).replace(day=1)
    is_early = (last - on).days > RENEW_WITHIN_DAYS
    is_over = coverage.end_on is not None and coverage.end_on <= last
    return None if is_early or is_over else last + DAY


def _age(member: Member, on: dt.date) -> int:
    born = member.birth_date
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def months_left(member: Member, rule: CharitableRule) -> int:
    """For how many months the rule lets the member have it from now on, up to MONTHS."""
    if rule.years_at_most is None:
        return MONTHS
    return max(0, min(MONTHS, 12 * rule.years_at_most - months_had(member, from_age=rule.from_age)))


def months_had(member: Member, *, from_age: int) -> int:
    """In how many months the member's premiums have been helped, or will be, from an age on: each counts once.

    What was ended counts as far as it went; a month in which the member comes of the age does not count.
    """
    months: set[dt.date] = set()
    for award in _begun(Award.objects.filter(coverage__subscriber=member).select_related("coverage")):
        covered = award.coverage.end_on if award.coverage else None
        month, last = award.start_on.replace(day=1), min(award.end_on, covered or award.end_on)
        while month <= last:
            if _age(member, month) >= from_age:
                months.add(month)
            month = month_after(month)
    return len(months)


def _begun(awards: QuerySet[Award]) -> list[Award]:
    """Charitable awards but those that were ended before they began."""
    found = awards.filter(kind=Award.Kind.CHARITABLE).order_by("start_on", "pk")
    return [
        award for award in found
        if award.revoked_at is None or timezone.localdate(award.revoked_at) >= award.start_on
    ]  # fmt: skip


@transaction.atomic
def give(application: Application, chosen: Chosen, *, by: User, on: dt.date) -> Award:
    """Give a coverage its months of help, after what stands, and bring its bills in line. Once."""
    coverage = Coverage.objects.select_for_update().get(pk=chosen.coverage.pk)
    award, is_new = Award.objects.get_or_create(
        application=application, kind=Award.Kind.CHARITABLE, coverage=coverage,
        defaults={
            "percent": chosen.rule.premium_pct, "monthly_cents": chosen.monthly_cents, "start_on": chosen.start_on,
            "end_on": months_after(chosen.start_on, chosen.months), "made_by": by,
        },
    )  # fmt: skip
    if not is_new:
        return award
    award.members.set(coverage.members.all())
    _tell(award, "charitable.given", actor=f"user:{by.pk}", end_on=str(award.end_on))
    bring_in_line(coverage, on=on, reason="charitable coverage began", actor=f"user:{by.pk}")
    return award


def year_from(start: dt.date) -> dt.date:
    """The last day of MONTHS months from a first day on."""
    return months_after(start, MONTHS)


@atomic_with_retry
def end(award: Award, *, by: User, reason: str, on: dt.date) -> bool:
    """End a subsidy with the present month: what it paid stays paid. False where it had ended.

    One that has not begun never does; what another award gives the coverage goes on.
    """
    last = month_after(on) - DAY
    end_on = award.end_on if award.start_on > last else min(award.end_on, last)
    changed = Award.objects.filter(pk=award.pk, revoked_at__isnull=True).update(
        revoked_at=timezone.now(), revoked_by=by, revoked_reason=reason, end_on=end_on
    )
    if not changed or award.coverage is None:
        return False
    coverage = Coverage.objects.select_for_update().get(pk=award.coverage.pk)
    _tell(award, "charitable.ended", actor=f"user:{by.pk}", reason=reason, end_on=str(end_on))
    bring_in_line(coverage, on=on, reason="charitable coverage ended", actor=f"user:{by.pk}")
    return True


def bring_in_line(coverage: Coverage, *, on: dt.date, reason: str, actor: str) -> None:
    """Set the coverage's help by its awards, and its premiums by that. Under the coverage's lock."""
    awards = _begun(coverage.awards.all())
    ahead = month_after(on)
    standing = [award for award in awards if award.start_on <= ahead and award.end_on >= on.replace(day=1)]
    if not standing:
        return
    # Next month's bill may be out by now: the award that it is by, else the one of this month.
    now = max(standing, key=lambda award: (award.end_on, award.pk))
    start, end = now.start_on, now.end_on
    alike = [award for award in awards if award.monthly_cents == now.monthly_cents]
    for award in alike:
        if award.start_on <= end + DAY:
            end = max(end, award.end_on)
    for award in reversed(alike):
        if award.end_on >= start - DAY:
            start = min(start, award.start_on)
    Coverage.objects.filter(pk=coverage.pk).update(
        charitable_cents=min(now.monthly_cents, coverage.premium_cents - coverage.subsidy_cents),
        charitable_starts_on=start, charitable_ends_on=end,
    )  # fmt: skip
    coverage.refresh_from_db()
    credit_id = coverage.household.credit_id
    credited = Transfer.objects.filter(credit_id=credit_id, code=Code.CREDIT_RAISED)
    before = credited.aggregate(last=Max("pk"))["last"] or 0
    premiums.catch_up(coverage, reason=reason, actor=actor)
    _note_overpaid(now, coverage, credited.filter(pk__gt=before))


def _note_overpaid(award: Award, coverage: Coverage, credited: QuerySet[Transfer]) -> None:
    """Keep which premiums the help makes overpaid, now or when what is on its way comes: it goes back by itself."""
    cents = dict(credited.values_list("reference").annotate(cents=Sum("amount_cents")))
    bills = Bill.objects.filter(
        coverage=coverage, kind=Bill.Kind.PREMIUM, voided_at__isnull=True, period__gte=coverage.charitable_starts_on
    ).select_related("household")  # fmt: skip
    for bill in bills:
        given, returned = relief.given_cents(bill, Code.CHARITABLE_SUBSIDY), cents.get(f"bill:{bill.number}", 0)
        if not given or not (returned or allocating.in_flight_cents([bill])):
            continue
        row, _is_new = AwardedBill.objects.get_or_create(
            award=award, bill=bill, defaults={"eligible_cents": given, "amount_cents": given}
        )
        AwardedBill.objects.filter(pk=row.pk).update(
            eligible_cents=given, amount_cents=given, returned_cents=min(given, row.returned_cents + returned),
            refunded_cents=None,
        )  # fmt: skip
        ring("assistance.tasks.refund_overpaid")


def begin_due(today: dt.date) -> int:
    """Let awards that follow another, or a gap, take hold on their coverage; how many coverages. Harmless to repeat."""
    ahead = month_after(today)
    behind = Q(coverage__charitable_ends_on__isnull=True) | Q(coverage__charitable_ends_on__lt=F("end_on"))
    due = Award.objects.filter(
        behind, kind=Award.Kind.CHARITABLE, revoked_at__isnull=True, start_on__lte=ahead, end_on__gte=today
    )
    ids = sorted(set(due.values_list("coverage_id", flat=True)))
    for coverage_id in ids:
        _begin(coverage_id, today)
    return len(ids)


@atomic_with_retry
def _begin(coverage_id: int, today: dt.date) -> None:
    coverage = Coverage.objects.select_for_update().get(pk=coverage_id)
    bring_in_line(coverage, on=today, reason="charitable coverage began", actor="system")


def _tell(award: Award, kind: str, *, actor: str, end_on: str, reason: str = "") -> None:
    record(
        kind, subject=f"award:{award.pk}", owner_id=award.application.household_id, actor=actor, reason=reason[:500],
        award_id=award.pk, user_id=award.application.applicant_id, end_on=end_on,
    )  # fmt: skip
