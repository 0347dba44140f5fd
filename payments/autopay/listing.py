"""What the Autopay page shows: what is on for what, what is charged next, and how each charge ended."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from accounts.models import Coverage, Member
from accounts.visibility import Scope
from payments import wording
from payments.autopay import days, naming, single, terms
from payments.autopay.terms import Covers, Subject
from payments.models import AutopayCharge, AutopayChargeQuerySet, AutopayEnrollment, PaymentPlan

MOST_COVERAGES = 20
MOST_PLANS = 20
MOST_UPCOMING = 50
MOST_PAST = 25
Charge = AutopayCharge.Status
WAITING = (Charge.ANNOUNCED, Charge.ASKED)


@dataclass(frozen=True, slots=True)
class Row:
    """One charge in words."""

    charge: AutopayCharge
    title: str
    who: str
    method: str
    note: str
    tone: str
    is_open: bool
    cut_off: dt.datetime

    @property
    def until(self) -> dt.datetime:
        """The last minute in which it can be changed: midnight itself would be read as that of the day."""
        return self.cut_off - dt.timedelta(minutes=1)

    @property
    def day(self) -> dt.date:
        """The day it is or was charged; of what waits for a yes, the first that a yes can still reach."""
        if self.charge.status == Charge.ASKED:
            return max(days.planned(self.charge), days.first_day())
        return days.planned(self.charge) if self.charge.status in WAITING else self.charge.charge_on


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that autopay can pay, and how it stands. `enrollment` is None where it is off, or another's."""

    subject: Subject
    title: str
    enrollment: AutopayEnrollment | None = None
    is_anothers: bool = False
    people: str = ""
    day_words: str = ""
    method: str = ""
    fallback: str = ""
    standing: str = ""
    next: Row | None = None

    @property
    def is_paid_off(self) -> bool:
        """Whether it is a plan that has nothing left to pay: it would go on if a payment came back."""
        return self.subject.plan is not None and self.subject.plan.status == PaymentPlan.Status.COMPLETED


def charges(scope: Scope) -> AutopayChargeQuerySet:
    """The viewer's charges, with what their words need."""
    seen = AutopayCharge.objects.visible_to(scope)
    return seen.select_related(
        "enrollment__method", "method", "payment", "bill__member", "bill__coverage__plan", "installment__plan"
    )


def upcoming(scope: Scope) -> list[Row]:
    """What is announced, asked, queued or on its way, the earliest first."""
    waiting = (Charge.ANNOUNCED, Charge.ASKED, Charge.QUEUED, Charge.SENT)
    # A skipped one stays in sight until its day, so that it can be taken back in.
    skipped = Q(status=Charge.SKIPPED, charge_on__gt=timezone.localdate())
    found = charges(scope).filter(Q(status__in=waiting) | skipped).order_by("charge_on", "pk")
    return rows(found[:MOST_UPCOMING], scope)


def past(scope: Scope) -> list[Row]:
    """How the latest charges ended, the latest first."""
    over = (Charge.DONE, Charge.FAILED, Charge.NOT_NEEDED)
    skipped = Q(status=Charge.SKIPPED, charge_on__lte=timezone.localdate())
    found = charges(scope).filter(Q(status__in=over) | skipped).order_by("-charge_on", "-pk")
    return rows(found[:MOST_PAST], scope)


def rows(found: Iterable[AutopayCharge], scope: Scope) -> list[Row]:
    """Charges in words: one query where there are instalments among them, else none."""
    charged = list(found)
    plans = naming.plan_titles([each.installment.plan for each in charged if each.installment is not None], scope)
    return [row(charge, scope, plans) for charge in charged]


def row(charge: AutopayCharge, scope: Scope, plans: naming.PlanTitles | None = None) -> Row:
    """One charge in words."""
    return Row(
        charge=charge,
        title=naming.of_charge(charge, scope, plans),
        who=charge.bill.member.shown_first_name if charge.bill is not None else "",
        method=wording.saved(charge.method or charge.enrollment.method),
        note=naming.ended_how(charge),
        tone=naming.tone_of(charge.status),
        is_open=single.is_open(charge),
        cut_off=days.cut_off(days.planned(charge)),
    )


def next_try(charge: AutopayCharge, scope: Scope) -> Row | None:
    """The try that follows on a charge that failed; None where there is none."""
    if charge.status != Charge.FAILED:
        return None
    same = charges(scope).filter(
        bill=charge.bill_id, installment=charge.installment_id, cycle=charge.cycle, attempt=charge.attempt + 1
    )
    found = same.first()
    return row(found, scope) if found is not None else None


def subjects(scope: Scope) -> list[Subject]:
    """What the viewer could have paid by autopay: premiums of coverages in force, medical bills, and own plans."""
    today = timezone.localdate()
    current = Coverage.objects.visible_to(scope).filter(
        Q(end_on__isnull=True) | Q(end_on__gte=today), subscriber_id__in=scope.payable_ids
    )
    found = [
        Subject(covers=Covers.PREMIUM, coverage=coverage)
        for coverage in current.select_related("plan").order_by("-start_on", "pk")[:MOST_COVERAGES]
    ]
    if scope.payable_ids:
        found.append(Subject(covers=Covers.MEDICAL))
    plans = PaymentPlan.objects.owned_by(scope).running().order_by("-created_at", "-pk")
    return found + [Subject(covers=Covers.PLAN, plan=plan) for plan in plans[:MOST_PLANS]]


def subject_of(key: str, scope: Scope) -> Subject | None:
    """What a key of an address names, where the viewer could have it paid; None for everything else."""
    return next((subject for subject in subjects(scope) if subject.key == key), None)


def people(scope: Scope) -> list[Member]:
    """Whose medical bills the viewer may have paid."""
    seen = Member.objects.visible_to(scope).filter(pk__in=scope.payable_ids)
    return list(seen.order_by("household_id", "-is_primary_holder", "birth_date", "pk"))


def things(scope: Scope) -> list[Thing]:
    """Everything that autopay can pay for the viewer, with how it stands; what is on first."""
    own = list(
        AutopayEnrollment.objects.visible_to(scope).in_force()
        .select_related("coverage__plan", "plan", "method", "fallback").order_by("pk")
    )  # fmt: skip
    offered = {subject.key: subject for subject in subjects(scope)}
    next_of = {each.charge.enrollment_id: each for each in reversed(upcoming(scope)) if each.charge.status != "skipped"}
    named = [enrollment.plan for enrollment in own] + [subject.plan for subject in offered.values()]
    plans = naming.plan_titles([plan for plan in named if plan is not None], scope)
    on = [_thing(enrollment, next_of.get(enrollment.pk), scope, plans) for enrollment in own]
    taken = {thing.subject.key for thing in on}
    others = _others(scope, offered.values())
    off = [
        Thing(subject, naming.title_of_subject(subject, scope, plans), is_anothers=key in others)
        for key, subject in offered.items()
        if key not in taken
    ]
    return on + off


def _thing(enrollment: AutopayEnrollment, coming: Row | None, scope: Scope, plans: naming.PlanTitles) -> Thing:
    return Thing(
        subject=terms.of_subject(enrollment),
        title=naming.title_of(enrollment, scope, plans),
        enrollment=enrollment,
        people=naming.people_of(enrollment, scope),
        day_words=days.words_of(enrollment),
        method=wording.saved(enrollment.method),
        fallback=wording.saved(enrollment.fallback) if enrollment.fallback else "",
        standing=naming.standing_of(enrollment),
        next=coming,
    )


def _others(scope: Scope, offered: Iterable[Subject]) -> set[str]:
    """What somebody else who may pay it has turned autopay on for."""
    coverages = [subject.coverage.pk for subject in offered if subject.coverage is not None]
    theirs = AutopayEnrollment.objects.in_force().filter(coverage_id__in=coverages).exclude(user_id=scope.user_id)
    return {f"{Covers.PREMIUM.value}-{pk}" for pk in theirs.values_list("coverage_id", flat=True)}
