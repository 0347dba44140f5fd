"""Filling a demo: households, six months of premiums issued and paid, visits with claims and bills in several states.

Bills and payments go the way that real ones go: `bills.issuing`, `bills.premiums`, `payments.checkout` against the
sandbox. Where no provider answers, what was paid is recorded as paper checks. A second run finds everything done.
"""

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from accounts import departures, private_sides
from accounts.models import Member
from activity.models import Event
from activity.recording import record
from bills import issuing, premiums
from bills.issuing import Line
from bills.models import Accumulator, Bill, Claim, ClaimLine
from notifications.demo import autopay, help, history, nights, people, plans, questions  # noqa: A004
from notifications.demo.care import OF_LEO, OF_LEO_ALONE, VISITS, Service, Visit
from notifications.demo.people import Covered, People
from payments import figures

SOURCE = "demo"
MONTHS_OF_HISTORY = 6
DONE = "demo.seeded"


def seed(*, tell: Callable[[str], object] = lambda text: None) -> bool:
    """Fill the database with the demo; False where that was done before."""
    if Event.objects.filter(kind=DONE, subject=DONE).exists():
        return False
    today = timezone.localdate()
    months = _months(today)
    tell("people and coverages")
    cast = people.make()
    leo = people.make_growing(cast.alice.household, today=today)
    departures.foresee_all(today)
    covered = people.cover(cast, today=today, since=min(months[0], today.replace(month=1, day=1)))
    tell("premiums")
    for period in months:
        premiums.issue_month(period, on=min(today, period - dt.timedelta(days=20)))
    tell("visits, claims and bills")
    for visit in (*VISITS, *plans.VISITS, *help.VISITS):
        _visit(visit, getattr(cast, visit.who), today)
    _visit(OF_LEO, leo, today)
    _visit(OF_LEO_ALONE, private_sides.open_for([leo.pk], actor="system")[leo.pk], today)
    questions.seed_bills(cast.alice, today=today)
    questions.seed_question(cast.alice)
    questions.seed_open_question(cast.charlie)
    _accumulate()
    tell("help with costs")
    help.seed(cast, today=today)
    tell("payments")
    _pay(cast, covered, months, today)
    tell("payment plans")
    plans.make(cast, today=today)
    tell("grace and statements")
    nights.keep_up(today)
    tell("autopay")
    autopay.seed(cast, covered)
    figures.keep()
    with transaction.atomic():
        # Nobody is told of what happened before the demo began.
        Event.objects.filter(processed_at__isnull=True).update(processed_at=timezone.now())
        record(DONE, subject=DONE, actor="system")
        Event.objects.filter(processed_at__isnull=True, kind=DONE).update(processed_at=timezone.now())
    return True


def _months(today: dt.date) -> list[dt.date]:
    """MONTHS_OF_HISTORY months, the present one the last, and the next month."""
    months = [today.replace(day=1)]
    while len(months) < MONTHS_OF_HISTORY:
        months.insert(0, (months[0] - dt.timedelta(days=1)).replace(day=1))
    return [*months, premiums.month_after(today)]


@transaction.atomic
def _visit(visit: Visit, member: Member, today: dt.date) -> None:
    """A visit's claim and bill; and where the plan corrected it, the claim that replaced it and the difference."""
    if Claim.objects.filter(source=SOURCE, source_id=visit.id).exists():
        return
    service_on = today - dt.timedelta(days=visit.days_ago)
    owed = sum(service.owed for service in visit.services)
    bill = None
    if owed:
        bill = issuing.issue(
            member=member,
            kind=Bill.Kind.MEDICAL,
            amount_cents=owed,
            title=visit.title,
            provider_name=visit.provider,
            service_on=service_on,
            issued_on=min(service_on + dt.timedelta(days=8), today),
            due_on=today + dt.timedelta(days=visit.due_in),
            source=SOURCE,
            source_id=visit.id,
            lines=[_bill_line(service, service_on) for service in visit.services],
        )
    claim = _claim(visit, visit.services, member, bill, service_on, service_on + dt.timedelta(days=5))
    if visit.corrected:
        assert bill is not None
        corrected_on = today - dt.timedelta(days=visit.corrected_days_ago)
        Claim.objects.filter(pk=claim.pk).update(status=Claim.Status.REPLACED)
        _claim(visit, visit.corrected, member, bill, service_on, corrected_on, replaces=claim)
        issuing.correct(
            bill,
            by_cents=sum(service.owed for service in visit.corrected) - owed,
            key=f"bill:{bill.pk}:claim:{visit.id}-2",
            on=corrected_on,
            reason="The plan processed the claim again.",
        )


def _bill_line(service: Service, service_on: dt.date) -> Line:
    return Line(
        description=service.name,
        amount_cents=service.owed,
        service_on=service_on,
        charged_cents=service.billed,
        discount_cents=service.discount,
        plan_paid_cents=service.plan_paid,
        deductible_cents=service.deductible,
        copay_cents=service.copay,
        coinsurance_cents=service.coinsurance,
        not_covered_cents=service.not_covered,
    )


def _claim(
    visit: Visit,
    services: tuple[Service, ...],
    member: Member,
    bill: Bill | None,
    service_on: dt.date,
    processed_on: dt.date,
    *,
    replaces: Claim | None = None,
) -> Claim:
    source_id = visit.id if replaces is None else f"{visit.id}-2"
    shares = ("deductible", "copay", "coinsurance", "not_covered")
    claim = Claim.objects.create(
        number=f"C{member.number}-{source_id}".upper()[:60],
        member=member,
        household=member.household,
        bill=bill,
        kind=visit.kind,
        provider_name=visit.provider,
        service_on=service_on,
        processed_on=processed_on,
        billed_cents=sum(service.billed for service in services),
        allowed_cents=sum(service.billed - service.discount for service in services),
        discount_cents=sum(service.discount for service in services),
        plan_paid_cents=sum(service.plan_paid for service in services),
        member_owes_cents=sum(service.owed for service in services),
        replaces=replaces,
        source=SOURCE,
        source_id=source_id,
        source_version="1" if replaces is None else "2",
        **{f"{share}_cents": sum(getattr(service, share) for service in services) for share in shares},
    )
    ClaimLine.objects.bulk_create(
        ClaimLine(
            claim=claim,
            position=position,
            description=service.name,
            service_on=service_on,
            billed_cents=service.billed,
            allowed_cents=service.billed - service.discount,
            discount_cents=service.discount,
            plan_paid_cents=service.plan_paid,
            **{f"{share}_cents": getattr(service, share) for share in shares},
        )
        for position, service in enumerate(services, 1)
    )
    return claim


def _accumulate() -> None:
    """What each member's active claims of a year count towards the year's limits."""
    sums = (
        Claim.objects.filter(source=SOURCE, status=Claim.Status.ACTIVE)
        .values("member_id", "service_on__year")
        .annotate(
            deductible=Sum("deductible_cents"),
            out_of_pocket=Sum("deductible_cents") + Sum("copay_cents") + Sum("coinsurance_cents"),
        )
    )
    for row in sums:
        Accumulator.objects.update_or_create(
            member_id=row["member_id"],
            year=row["service_on__year"],
            defaults={"deductible_cents": row["deductible"], "out_of_pocket_cents": row["out_of_pocket"]},
        )


def _pay(cast: People, covered: Covered, months: list[dt.date], today: dt.date) -> None:
    """Pay what the demo's people paid in the past, the earliest first. Charlie forgot his present month."""
    due: list[history.Paid] = []
    for coverage, payer, paid_months in (
        (covered.family, cast.alice, months[:-1]),
        (covered.medicare, cast.charlie, months[:-2]),
        (covered.individual, cast.elena, months[-2:-1]),
    ):
        for bill in Bill.objects.filter(coverage=coverage, period__in=paid_months).select_related("receivable"):
            assert bill.period is not None
            due.append(history.Paid(bill, payer, on=bill.period, cents=bill.balance_cents))
    for visit in VISITS:
        payer = cast.charlie if visit.who == "charlie" else cast.alice
        for days_ago, cents in visit.paid:
            bill = Bill.objects.get(source=SOURCE, source_id=visit.id)
            due.append(history.Paid(bill, payer, on=today - dt.timedelta(days=days_ago), cents=cents))
    history.pay(sorted(due, key=lambda paid: (paid.on, paid.bill.pk)))
