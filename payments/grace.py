"""Grace periods, day by day: begun with their notice, warned of, cured when the money is here or on its way, or ended.

`run` is idempotent and catches up after an outage: a grace that should have begun begins with its notice on the day on
which it is really told, and no coverage ends without its notice. Which days: payments.coverage_clock.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import connection

from accounts.models import Coverage
from activity.recording import record
from bills import grace_rules, premiums
from bills.models import Bill, GracePeriod, GraceRule
from ledger.transactions import atomic_with_retry
from payments import coverage_clock
from payments.allocating import in_flight_cents
from payments.coverage_clock import Clock, Month, State

CHUNK = 500
WARN_DAYS = 7  # before the last day to pay
MONTHS_READ = 36  # of a coverage, the latest

# Coverages in force with a premium past due and no grace that runs, along what is open in the book.
LATE = """
    SELECT DISTINCT b.coverage_id
    FROM ledger_account a JOIN bills_bill b ON b.receivable_id = a.id
    WHERE a.balance_cents > 0 AND a.matures_on < %(today)s AND b.kind = 'premium' AND b.voided_at IS NULL
      AND b.held_since IS NULL AND b.coverage_id > %(after)s
      AND EXISTS (SELECT 1 FROM accounts_coverage c
                  WHERE c.id = b.coverage_id AND (c.end_on IS NULL OR c.end_on >= %(today)s))
      AND NOT EXISTS (SELECT 1 FROM bills_graceperiod g WHERE g.coverage_id = b.coverage_id AND g.status = 'open')
    ORDER BY b.coverage_id LIMIT %(size)s
"""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did: grace periods begun, warned of, cured, ended."""

    began: int = 0
    warned: int = 0
    cured: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """A coverage as the clock reads it: its months, the rule that holds, and what that says."""

    coverage: Coverage
    months: Sequence[Month]
    rule: GraceRule
    clock: Clock


def run(today: dt.date) -> Summary:
    """Look at every grace period that runs, then begin those that are due. A repeat on the same day does nothing."""
    outcomes: dict[str, int] = {}
    for grace_id in GracePeriod.objects.open().order_by("pk").values_list("pk", flat=True).iterator(CHUNK):
        done = _look_again(grace_id, today)
        outcomes[done] = outcomes.get(done, 0) + 1
    began = sum(_begin(coverage_id, today) for coverage_id in _late(today))
    return Summary(
        began=began, warned=outcomes.get("warned", 0), cured=outcomes.get("cured", 0), ended=outcomes.get("ended", 0)
    )


def standings(coverages: Iterable[Coverage], *, today: dt.date) -> dict[int, Standing]:
    """How coverages stand, by their ids: three queries however many. Their subscriber's household is at hand."""
    coverages = list(coverages)
    rules = grace_rules.of_states({coverage.household.state for coverage in coverages})
    months: dict[int, list[Month]] = {coverage.pk: [] for coverage in coverages}
    bills = list(
        Bill.objects.filter(coverage__in=coverages, kind=Bill.Kind.PREMIUM, voided_at__isnull=True)
        .select_related("receivable")
        .order_by("-period")[: MONTHS_READ * max(1, len(coverages))]
    )
    waiting = in_flight_cents(bills)
    for bill in reversed(bills):
        assert bill.coverage_id is not None
        months[bill.coverage_id].append(coverage_clock.month_of(bill, waiting_cents=waiting.get(bill.pk, 0)))
    return {
        coverage.pk: standing_of(coverage, months[coverage.pk], rules, today=today)
        for coverage in coverages
        if months[coverage.pk]
    }


def standing_of(coverage: Coverage, months: Sequence[Month], rules: list[GraceRule], *, today: dt.date) -> Standing:
    """How one coverage stands, given its months (at least one), the earliest first."""
    deciding = coverage_clock.first_late(months, today=today) or months[-1]
    product = coverage_clock.product_of(coverage, months, deciding)
    rule = grace_rules.holding(rules, product, coverage.household.state, on=deciding.due_on)
    return Standing(coverage, months, rule, coverage_clock.read(months, rule, today=today, end_on=coverage.end_on))


def _late(today: dt.date) -> Iterator[int]:
    """The ids of coverages that may have to begin a grace period, some at a time."""
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(LATE, {"today": today, "after": after, "size": CHUNK})
            found = [row[0] for row in cursor.fetchall()]
        yield from found
        if len(found) < CHUNK:
            return
        after = found[-1]


@atomic_with_retry
def _begin(coverage_id: int, today: dt.date) -> bool:
    """Begin the grace of a coverage's first late month, and tell of it; whether one began."""
    coverage = _locked(coverage_id)
    if GracePeriod.objects.open().filter(coverage=coverage).exists():
        return False
    standing = standings([coverage], today=today).get(coverage.pk)
    if standing is None or standing.clock.state is not State.GRACE or standing.clock.late is None:
        return False
    late = standing.clock.late
    span = coverage_clock.span(standing.rule, late, starts_on=coverage.start_on, noticed_on=today)
    before = GracePeriod.objects.filter(coverage=coverage, period=late.period).first()
    if before is not None and before.status == GracePeriod.Status.ENDED:
        return False  # the coverage was given back by hand: what the clock then does is a person's decision
    grace, _is_new = GracePeriod.objects.update_or_create(
        coverage=coverage, period=late.period,
        defaults={
            "rule": standing.rule, "status": GracePeriod.Status.OPEN, "times": before.times + 1 if before else 1,
            "began_on": span.began_on, "noticed_on": today, "ends_on": span.ends_on,
            "cover_ends_on": span.cover_ends_on, "claims_wait_from": span.claims_wait_from,
            "due_cents": standing.clock.cure_cents, "warned_on": None, "closed_on": None,
        },
    )  # fmt: skip
    _record("coverage.grace_began", grace)
    return True


def _look_again(grace_id: int, today: dt.date) -> str:
    """What became of a grace period by today: "cured", "ended", "warned", or nothing."""
    outcome, coverage = _decide(grace_id, today)
    if outcome == "ended" and coverage is not None:
        # The months beyond the end are charged back. Not in the transaction that ends it: each bill has its own, and
        # the daily run of premiums does it too.
        premiums.catch_up(coverage, reason="the coverage ended")
    return outcome


@atomic_with_retry
def _decide(grace_id: int, today: dt.date) -> tuple[str, Coverage | None]:
    coverage = _locked(GracePeriod.objects.values_list("coverage_id", flat=True).get(pk=grace_id))
    grace = GracePeriod.objects.select_related("rule").get(pk=grace_id)
    if grace.status != GracePeriod.Status.OPEN:
        return "", None
    standing = standings([coverage], today=today).get(coverage.pk)
    if standing is None or is_cured(grace, standing.months, today=today):
        return _close(grace, GracePeriod.Status.CURED, today), None
    if _is_held(grace, standing.months):
        return "", None  # the clock stands while the bill is looked at
    if today > grace.ends_on:
        outcome = _close(grace, GracePeriod.Status.ENDED, today)
        if coverage.end_on is None or coverage.end_on > grace.cover_ends_on:
            Coverage.objects.filter(pk=coverage.pk).update(end_on=grace.cover_ends_on)
            coverage.end_on = grace.cover_ends_on
        return outcome, coverage
    if grace.warned_on is None and (grace.ends_on - today).days <= WARN_DAYS:
        GracePeriod.objects.filter(pk=grace.pk).update(warned_on=today)
        _record("coverage.grace_ends_soon", grace)
        return "warned", None
    return "", None


def is_cured(grace: GracePeriod, months: Sequence[Month], *, today: dt.date) -> bool:
    """Whether the money is here or on its way: of the late month, or of all that is late where the rule asks for it."""
    asked = [month for month in months if month.period == grace.period]
    if grace.rule.needs_all:
        asked += [month for month in months if month.due_on <= today]
    return all(month.is_covered(grace.rule) for month in asked)


def _is_held(grace: GracePeriod, months: Sequence[Month]) -> bool:
    return any(month.is_held for month in months if month.period == grace.period)


def _locked(coverage_id: int) -> Coverage:
    """The coverage, locked: what begins and ends its grace goes one at a time."""
    return (
        Coverage.objects.select_for_update(of=("self",)).select_related("household", "subscriber").get(pk=coverage_id)
    )


def _close(grace: GracePeriod, status: GracePeriod.Status, today: dt.date) -> str:
    GracePeriod.objects.filter(pk=grace.pk).update(status=status, closed_on=today)
    _record(f"coverage.grace_{status}", grace)
    return str(status)


def _record(kind: str, grace: GracePeriod) -> None:
    record(
        kind, subject=f"grace:{grace.pk}", owner_id=grace.coverage.household_id, actor="system", grace_id=grace.pk,
        coverage_id=grace.coverage_id, times=grace.times,
    )  # fmt: skip
