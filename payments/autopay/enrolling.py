"""Turning autopay on: under consent that is kept word for word, once for each thing that it pays."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.visibility import scope_of
from activity.doorbell import ring
from activity.models import Event
from activity.recording import record_many
from ledger.transactions import atomic_with_retry
from payments.autopay import consents, terms
from payments.autopay.terms import AutopayError, Subject, Terms
from payments.mandates import Acceptance
from payments.models import AutopayEnrollment


class AlreadyOn(AutopayError):
    """Autopay pays it already."""


@atomic_with_retry
def enrol(user: User, wanted: Terms, acceptance: Acceptance) -> AutopayEnrollment:
    """Turn autopay on. `acceptance`: of `consents.text_of` these terms. Raises AutopayError."""
    terms.check(wanted, scope_of(user))
    try:
        with transaction.atomic():
            enrollment = AutopayEnrollment.objects.create(
                user=user,
                household_id=wanted.household_id,
                covers=wanted.subject.covers,
                coverage=wanted.subject.coverage,
                plan=wanted.subject.plan,
                **columns(wanted),
            )
    except IntegrityError as error:
        raise AlreadyOn(_("Autopay is already on for this.")) from error
    enrollment.members.set(wanted.members)
    consent = consents.keep(enrollment, wanted, acceptance)
    note("autopay.enrolled", enrollment, actor=f"user:{user.pk}", consent_id=consent.pk, **members_of(wanted))
    return enrollment


def columns(wanted: Terms) -> dict[str, Any]:
    """The terms as columns of an enrolment."""
    return {
        "method": wanted.method,
        "fallback": wanted.fallback,
        "attestation": wanted.attestation,
        "day_rule": wanted.day_rule,
        "days_before": wanted.days_before if wanted.day_rule == terms.DayRule.DAYS_BEFORE else None,
        "day_of_month": wanted.day_of_month if wanted.day_rule == terms.DayRule.DAY_OF_MONTH else None,
        "limit_cents": wanted.limit_cents,
    }


def members_of(wanted: Terms) -> dict[str, Any]:
    """Whose medical bills were agreed to, and with which methods, for the event that keeps it."""
    return {
        "member_ids": [member.pk for member in wanted.members],
        "method_id": wanted.method.pk,
        "fallback_id": wanted.fallback.pk if wanted.fallback else None,
    }


def standing(subject: Subject, user: User) -> AutopayEnrollment | None:
    """The enrolment that pays this now, whoever turned it on; of medical bills the user's own."""
    of = AutopayEnrollment.objects.in_force().filter(covers=subject.covers)
    if subject.coverage is not None:
        return of.filter(coverage=subject.coverage).first()
    if subject.plan is not None:
        return of.filter(plan=subject.plan).first()
    return of.filter(user=user).first()


def note(kind: str, enrollment: AutopayEnrollment, *, actor: str, **data: Any) -> None:
    """Record what happened to an enrolment, and have it told."""
    record_many([event_of(kind, enrollment, actor=actor, **data)])
    ring("notifications.tasks.work_off")


def event_of(kind: str, enrollment: AutopayEnrollment, *, actor: str, **data: Any) -> Event:
    """What happened to an enrolment, to be recorded."""
    return Event(
        kind=kind, subject=f"autopay:{enrollment.pk}", owner_id=enrollment.household_id, actor=actor,
        data={"enrollment_id": enrollment.pk, **data},
    )  # fmt: skip
