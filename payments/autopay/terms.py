"""What is agreed to when autopay is turned on or changed, and the rules that it must keep."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Coverage, Member
from accounts.visibility import Scope
from payments import eligibility, readiness, wording
from payments.autopay import days, declining
from payments.models import AutopayCharge, AutopayEnrollment, Mandate, PaymentMethod, PaymentPlan

Covers = AutopayEnrollment.Covers
DayRule = AutopayEnrollment.DayRule
MAX_DAYS_BEFORE = 20
MAX_LIMIT_CENTS = 999_999_999


class AutopayError(Exception):
    """What cannot be done as asked; its text tells the member why and what to do."""


class NotYours(AutopayError):
    """Something that the viewer may not pay for."""


class MethodUnfit(AutopayError):
    """A method that may not or cannot pay it."""


class DayUnfit(AutopayError):
    """A day that no rule knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What autopay pays: the premiums of a coverage, medical bills of people, or a payment plan."""

    covers: str
    coverage: Coverage | None = None
    plan: PaymentPlan | None = None

    @property
    def key(self) -> str:
        """Names it in an address: `premium-12`, `medical`, `plan-7`."""
        named = self.coverage or self.plan
        return self.covers if named is None else f"{self.covers}-{named.pk}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How it pays. `limit_cents`: above it the member is asked. `members`: whose medical bills."""

    subject: Subject
    method: PaymentMethod
    fallback: PaymentMethod | None = None
    attestation: str = ""
    day_rule: str = DayRule.ON_DUE
    days_before: int | None = None
    day_of_month: int | None = None
    limit_cents: int | None = None
    members: tuple[Member, ...] = ()

    @property
    def day_words(self) -> str:
        """The day in words."""
        return days.words(rule=self.day_rule, days_before=self.days_before, day_of_month=self.day_of_month)

    @property
    def household_id(self) -> int:
        """Whose bills it pays. The terms were checked."""
        if self.subject.coverage is not None:
            return self.subject.coverage.household_id
        return self.subject.plan.household_id if self.subject.plan is not None else self.members[0].household_id


def of_subject(enrollment: AutopayEnrollment) -> Subject:
    """What an enrolment pays."""
    return Subject(covers=enrollment.covers, coverage=enrollment.coverage, plan=enrollment.plan)


def of(enrollment: AutopayEnrollment) -> Terms:
    """The terms as they stand."""
    return Terms(
        subject=of_subject(enrollment),
        method=enrollment.method,
        fallback=enrollment.fallback,
        attestation=enrollment.attestation,
        day_rule=enrollment.day_rule,
        days_before=enrollment.days_before,
        day_of_month=enrollment.day_of_month,
        limit_cents=enrollment.limit_cents,
        members=tuple(enrollment.members.order_by("pk")),
    )


def check(terms: Terms, scope: Scope) -> None:
    """Hold terms against the rules, for this viewer at this moment. Raises AutopayError."""
    check_subject(terms, scope)
    _check_day(terms)
    if terms.limit_cents is not None and not 0 < terms.limit_cents <= MAX_LIMIT_CENTS:
        raise AutopayError(_("Write a limit above 0, or leave it empty."))
    if terms.fallback is not None and terms.fallback.pk == terms.method.pk:
        raise MethodUnfit(_("Choose another method as the second one, or none."))
    for method in filter(None, (terms.method, terms.fallback)):
        if reason := why_not(method, terms.subject, scope, attestation=terms.attestation):
            raise MethodUnfit(f"{wording.saved(method)}: {reason}")


def why_not(
    method: PaymentMethod, subject: Subject, scope: Scope, *, attestation: str | None = None, on: dt.date | None = None
) -> str:
    """Why a method cannot be used by autopay for this, in words; empty where it can. `on`: the day of the charge.

    Without `attestation` it is not asked whether the right one was given. A bank account needs a mandate in force.
    """
    if not PaymentMethod.objects.visible_to(scope).filter(pk=method.pk).exists():
        return _("That payment method was removed. Choose another.")
    if reason := why_not_ready(method, on=on):
        return reason
    return why_not_pretax(method, subject, attestation=attestation)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of methods beyond their rows, by their ids at the provider."""

    declined: set[str] = field(default_factory=set)  # for good, by their banks
    mandated: set[str] = field(default_factory=set)  # bank accounts that may be debited


def facts_of(methods: Collection[PaymentMethod]) -> Facts:
    """Two queries however many there are, one where none is a bank account."""
    ids = [method.pk for method in methods]
    failed = AutopayCharge.objects.filter(method__in=ids, status="failed", code__in=declining.HARD)
    banks = [method.pk for method in methods if method.kind == PaymentMethod.Kind.BANK_ACCOUNT]
    latest = Mandate.objects.filter(method__in=banks).order_by("method_id", "-accepted_at", "-pk").distinct("method_id")
    rows = latest.values_list("method__stripe_id", "status") if banks else ()
    return Facts(
        declined=set(failed.values_list("method__stripe_id", flat=True).distinct()),
        mandated={stripe_id for stripe_id, status in rows if status == Mandate.Status.ACTIVE},
    )


def why_not_ready(method: PaymentMethod, *, on: dt.date | None = None, facts: Facts | None = None) -> str:
    """Why a method cannot be charged without its owner, in words: stopped, not verified, expired, without mandate.

    `facts`: of this method and others, where they were looked up for all at once.
    """
    if reason := readiness.why_not(method, method.user):
        return reason
    day = on or timezone.localdate()
    year, month = method.expires_year, method.expires_month
    if year is not None and month is not None and (year, month) < (day.year, day.month):
        return _("This card has expired by then. Choose another method.")
    facts = facts or facts_of([method])
    if method.stripe_id in facts.declined:
        return _("Its bank has declined automatic payments with it for good. Choose another method.")
    if method.kind == PaymentMethod.Kind.BANK_ACCOUNT and method.stripe_id not in facts.mandated:
        return _("Your authorization to debit this account is missing or has ended. Add the account again first.")
    return ""


def why_not_pretax(method: PaymentMethod, subject: Subject, *, attestation: str | None = None) -> str:
    """Why an HSA or FSA card may not pay it (RULES section 2); empty where it may, and for every other method."""
    if subject.coverage is None or not method.label:
        return ""
    if method.label == PaymentMethod.Label.FSA:
        return _("An FSA cannot pay a premium (IRS Publication 969). Choose another card or bank account.")
    allowed = exceptions_for(method, subject)
    if not allowed:
        return str(eligibility.NO_HSA_HERE)
    if attestation is not None and attestation not in allowed:
        return _(
            "An HSA pays a premium only in a few cases. Say which of them applies to you, or choose another way to pay."
        )
    return ""


def exceptions_for(method: PaymentMethod, subject: Subject) -> list[eligibility.Attestation]:
    """Under which exceptions this card, an HSA's, may pay the premium."""
    if subject.coverage is None:
        return []
    return eligibility.exceptions_of([subject.coverage.kind], owner_id=method.user_id)


def offered(methods: Iterable[PaymentMethod], subject: Subject, scope: Scope) -> list[tuple[PaymentMethod, str]]:
    """The viewer's methods, each with why it cannot be chosen; those that can first."""
    found = [(method, why_not(method, subject, scope)) for method in methods]
    return sorted(found, key=lambda each: bool(each[1]))


def check_subject(terms: Terms, scope: Scope) -> None:
    """Whether the viewer may have this paid at this moment. Raises AutopayError."""
    subject = terms.subject
    if subject.covers == Covers.PREMIUM:
        coverage = subject.coverage
        if coverage is None or coverage.subscriber_id not in scope.payable_ids:
            raise NotYours(_("You cannot pay the premiums of this coverage."))
        if coverage.end_on is not None and coverage.end_on < timezone.localdate():
            raise NotYours(_("This coverage has ended, so it has no more premiums."))
    elif subject.covers == Covers.PLAN:
        plan = subject.plan
        if plan is None or plan.owner_id != scope.user_id or plan.status != PaymentPlan.Status.ACTIVE:
            raise NotYours(_("This payment plan is not running any more."))
    else:
        _check_people(terms.members, scope)


def _check_people(members: tuple[Member, ...], scope: Scope) -> None:
    if not members:
        raise AutopayError(_("Choose at least one person whose medical bills are to be paid."))
    if any(member.pk not in scope.payable_ids for member in members):
        raise NotYours(_("You cannot pay the bills of one of these people any more. Choose again."))
    if len({member.household_id for member in members}) > 1:
        raise AutopayError(_("Choose people of one household. Bills of two households are never one charge."))


def _check_day(terms: Terms) -> None:
    if terms.day_rule == DayRule.DAYS_BEFORE and not 1 <= (terms.days_before or 0) <= MAX_DAYS_BEFORE:
        raise DayUnfit(_("Write from 1 to %(most)d days before the due date.") % {"most": MAX_DAYS_BEFORE})
    if terms.day_rule == DayRule.DAY_OF_MONTH and not 1 <= (terms.day_of_month or 0) <= 31:
        raise DayUnfit(_("Write a day of the month from 1 to 31."))
    if terms.day_rule not in DayRule.values:
        raise DayUnfit(_("Choose on which day to pay."))
