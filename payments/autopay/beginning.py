"""Beginning the enrolments of standing orders that were taken over, of many at once, each under its own rules.

What the rules ask is looked up for all of them first; what follows for each is worked out in the file's order, each
seeing what those before it have begun; then it is written, a statement a table. The caller's transaction holds it all.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from accounts.visibility import Scope, scopes_of
from activity import doorbell, recording
from activity.models import Event
from payments.autopay import enrolling, terms
from payments.autopay.terms import AutopayError, Facts, Subject, Terms
from payments.models import (
    AutopayConsent,
    AutopayEnrollment,
    ImportedAutopay,
    Mandate,
    PaymentMethod,
    StripeCustomer,
)
from payments.provider import MethodSummary

Code, DayRule, Status = ImportedAutopay.Code, AutopayEnrollment.DayRule, AutopayEnrollment.Status
Answers = Mapping[str, MethodSummary | None]
AGENT = "imported"
SETTLE = """
    UPDATE payments_importedautopay i SET code = d.code, enrollment_id = d.enrollment_id
    FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS d (id, code, enrollment_id) WHERE i.id = d.id
"""


@dataclass(slots=True)
class _Standing:
    """What stands of all whom the rows name, and what was begun since for a row before."""

    scopes: dict[int, Scope]
    customers: dict[int, str]  # by user
    holders: dict[str, int]  # users by customer
    methods: dict[str, PaymentMethod]  # by the provider's id
    facts: Facts
    is_on: set[tuple[str, int]]  # a coverage's premiums, or a user's medical bills


@dataclass(slots=True)
class _Begun:
    """What is to be written."""

    customers: list[StripeCustomer] = field(default_factory=list)
    methods: list[PaymentMethod] = field(default_factory=list)
    mandates: list[Mandate] = field(default_factory=list)
    enrolled: list[tuple[ImportedAutopay, Terms, AutopayEnrollment]] = field(default_factory=list)


def begin(rows: Sequence[ImportedAutopay], answers: Answers) -> int:
    """Turn autopay on for rows whose members have an account, or keep why not; for how many it was turned on.

    `answers`: what the provider said of each row's method. The rows are locked, and none has an enrolment. Raises
    IntegrityError where somebody else turned one on, or saved one of the methods, at the same moment.
    """
    if not rows:
        return 0
    standing, begun = _look_up(rows, answers), _Begun()
    for row in rows:
        row.code = _decide(row, answers[row.stripe_method_id], standing, begun)
    _write(begun)
    _settle(rows)
    return len(begun.enrolled)


def _look_up(rows: Sequence[ImportedAutopay], answers: Answers) -> _Standing:
    users = {row.member.user for row in rows if row.member.user is not None}
    named = {known.customer_id for known in answers.values() if known is not None and known.customer_id}
    customers = list(StripeCustomer.objects.filter(Q(user__in=users) | Q(stripe_id__in=named)))
    saved = PaymentMethod.objects.filter(stripe_id__in={row.stripe_method_id for row in rows}).select_related("user")
    methods = {method.stripe_id: method for method in saved}
    premium = Q(covers=terms.Covers.PREMIUM, coverage__in=[row.coverage_id for row in rows if row.coverage_id])
    medical = Q(covers=terms.Covers.MEDICAL, user__in=users)
    on = AutopayEnrollment.objects.in_force().filter(premium | medical).values_list("covers", "coverage_id", "user_id")
    return _Standing(
        scopes=scopes_of(users),
        customers={each.user_id: each.stripe_id for each in customers},
        holders={each.stripe_id: each.user_id for each in customers},
        methods=methods,
        facts=terms.facts_of(methods.values()) if methods else Facts(),
        is_on={(covers, coverage_id or user_id) for covers, coverage_id, user_id in on},
    )


def _decide(row: ImportedAutopay, answer: MethodSummary | None, standing: _Standing, begun: _Begun) -> str:
    """Why the row does not charge, empty where it does; what that takes is added to `begun`."""
    user = row.member.user
    assert user is not None
    thing = (row.covers, row.coverage_id or user.pk)
    if thing in standing.is_on:
        return Code.ALREADY_ON
    known = _own(row, user, answer, standing)
    method = standing.methods.get(row.stripe_method_id)
    is_new = method is None
    if method is None:
        method = _method(row, user, known)
    elif method.user_id != user.pk:
        return Code.NOT_PAYABLE
    wanted = _terms(row, method)
    try:
        terms.check_subject(wanted, standing.scopes[user.pk])
    except AutopayError:
        return Code.NOT_PAYABLE
    if is_new:
        _add(row, method, known, standing, begun)
    code = _why_not(row, known, wanted, standing)
    row.enrollment = AutopayEnrollment(
        user=user, household_id=wanted.household_id, covers=row.covers, coverage=row.coverage,
        imported_from=_name(row), status=Status.SUSPENDED if code else Status.ACTIVE, suspended_code=code,
        **enrolling.columns(wanted),
    )  # fmt: skip
    standing.is_on.add(thing)
    begun.enrolled.append((row, wanted, row.enrollment))
    return code


def _own(
    row: ImportedAutopay, user: User, answer: MethodSummary | None, standing: _Standing
) -> MethodSummary | None:  # fmt: skip
    """The method as the provider knows it; None where it does not, or not as this member's."""
    if answer is None or not answer.customer_id or (answer.kind, answer.last4) != (row.method_kind, row.last4):
        return None
    own = standing.customers.get(user.pk)
    if own is not None:
        return answer if own == answer.customer_id else None
    return None if answer.customer_id in standing.holders else answer


def _method(row: ImportedAutopay, user: User, known: MethodSummary | None) -> PaymentMethod:
    """The method that is saved now.

    One that the provider does not know as the member's is kept stopped, so that nothing ever asks it for money.
    """
    named = {
        "brand": row.brand, "expires_month": row.expires_month, "expires_year": row.expires_year,
        "blocked_at": timezone.now(), "blocked_code": Code.METHOD_UNKNOWN.value,
    }  # fmt: skip
    if known is not None:
        named = {
            "brand": known.brand, "expires_month": known.expires_month, "expires_year": known.expires_year,
            "bank_name": known.bank_name, "fingerprint": known.fingerprint, "wallet": known.wallet,
        }  # fmt: skip
    return PaymentMethod(
        user=user, kind=row.method_kind, stripe_id=row.stripe_method_id, last4=row.last4, **named
    )  # fmt: skip


def _terms(row: ImportedAutopay, method: PaymentMethod) -> Terms:
    def of(rule: str) -> int | None:
        return row.day if row.day_rule == rule else None

    return Terms(
        subject=Subject(covers=row.covers, coverage=row.coverage), method=method, day_rule=row.day_rule,
        days_before=of(DayRule.DAYS_BEFORE), day_of_month=of(DayRule.DAY_OF_MONTH), limit_cents=row.limit_cents,
        members=() if row.coverage is not None else (row.member,),
    )  # fmt: skip


def _add(
    row: ImportedAutopay, method: PaymentMethod, known: MethodSummary | None, standing: _Standing, begun: _Begun
) -> None:
    """Save the method, with the customer that it belongs to, and of a bank account the words that it is debited by."""
    begun.methods.append(method)
    standing.methods[method.stripe_id] = method
    if known is None:
        return
    user_id = method.user_id
    if user_id not in standing.customers:
        begun.customers.append(StripeCustomer(user_id=user_id, stripe_id=known.customer_id))
        standing.customers[user_id], standing.holders[known.customer_id] = known.customer_id, user_id
    if row.mandate_text and row.method_kind == PaymentMethod.Kind.BANK_ACCOUNT:
        standing.facts.mandated.add(method.stripe_id)
        begun.mandates.append(
            Mandate(
                user_id=user_id, method=method, imported_from=_name(row), text=row.mandate_text,
                version=row.mandate_version, language="en", accepted_at=_accepted_at(row), user_agent=AGENT,
                last4=row.last4, bank_name=known.bank_name, fingerprint=known.fingerprint,
            )
        )  # fmt: skip


def _why_not(row: ImportedAutopay, known: MethodSummary | None, wanted: Terms, standing: _Standing) -> str:
    """Why it cannot charge as it is; empty where it can."""
    today = timezone.localdate()
    if known is None:
        return Code.METHOD_UNKNOWN
    if not row.mandate_text:
        return Code.NO_MANDATE
    year, month = wanted.method.expires_year, wanted.method.expires_month
    if year is not None and month is not None and (year, month) < (today.year, today.month):
        return Code.CARD_EXPIRED
    unfit = terms.why_not_ready(wanted.method, facts=standing.facts)
    return Code.METHOD_UNFIT if unfit or terms.why_not_pretax(wanted.method, wanted.subject, attestation="") else ""


def _write(begun: _Begun) -> None:
    """A statement a table, in the order in which the rows name each other."""
    StripeCustomer.objects.bulk_create(begun.customers)
    PaymentMethod.objects.bulk_create(begun.methods)
    Mandate.objects.bulk_create(begun.mandates)
    AutopayEnrollment.objects.bulk_create([enrollment for _row, _wanted, enrollment in begun.enrolled])
    whose = AutopayEnrollment.members.through
    whose.objects.bulk_create(
        whose(autopayenrollment_id=enrollment.pk, member_id=member.pk)
        for _row, wanted, enrollment in begun.enrolled
        for member in wanted.members
    )
    consents = {
        enrollment.pk: AutopayConsent(
            enrollment=enrollment, text=row.mandate_text, version=row.mandate_version, language="en",
            accepted_at=_accepted_at(row), user_agent=AGENT,
        )
        for row, _wanted, enrollment in begun.enrolled
        if not enrollment.suspended_code
    }  # fmt: skip
    AutopayConsent.objects.bulk_create(consents.values())
    recording.record_many(
        _event(enrollment, wanted, consents.get(enrollment.pk)) for _row, wanted, enrollment in begun.enrolled
    )
    if begun.enrolled:
        doorbell.ring("notifications.tasks.work_off")


def _settle(rows: Sequence[ImportedAutopay]) -> None:
    """Write down how each ended. Not bulk_update, whose CASE costs more than all the rest."""
    enrollments = [row.enrollment.pk if row.enrollment is not None else None for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, [[row.pk for row in rows], [str(row.code) for row in rows], enrollments])


def _event(enrollment: AutopayEnrollment, wanted: Terms, consent: AutopayConsent | None) -> Event:
    if consent is None:
        return enrolling.event_of("autopay.suspended", enrollment, actor="import", code=enrollment.suspended_code)
    agreed = enrolling.members_of(wanted)
    return enrolling.event_of("autopay.enrolled", enrollment, actor="import", consent_id=consent.pk, **agreed)


def _name(row: ImportedAutopay) -> str:
    return f"{row.source}:{row.source_id}"


def _accepted_at(row: ImportedAutopay) -> dt.datetime:
    assert row.mandate_accepted_on is not None
    return timezone.make_aware(dt.datetime.combine(row.mandate_accepted_on, dt.time(12)))
