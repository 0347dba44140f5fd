"""Taking over a standing order: on as it was where everything that a charge needs is there, else stopped and told.

Nothing is charged without leave: without the words that were agreed to, with a method that the provider does not know
as the member's, or with an expired card, the enrolment begins suspended, and only the member's new consent starts it.
"""

import datetime as dt
import logging
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import households
from accounts.models import User
from accounts.visibility import scope_of
from ledger.transactions import atomic_with_retry
from payments import gateway
from payments.autopay import enrolling, terms
from payments.autopay.enrolling import note
from payments.autopay.import_rows import Order
from payments.autopay.terms import AutopayError, Subject, Terms
from payments.models import (
    AutopayConsent,
    AutopayEnrollment,
    ImportedAutopay,
    Mandate,
    PaymentMethod,
    StripeCustomer,
)
from payments.provider import GatewayError, MethodSummary, Refused

Code, DayRule, Status = ImportedAutopay.Code, AutopayEnrollment.DayRule, AutopayEnrollment.Status
AGENT = "imported"
FINAL = (Code.ALREADY_ON,)
WAITING = (Code.NO_USER, Code.NOT_PAYABLE)
MOST_A_DAY = 5_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an order: `new`, `changed`, `same`, or `older` than what stands."""

    outcome: str
    row: ImportedAutopay


def take(order: Order, *, source: str, batch_id: int) -> Taken:
    """Keep an order, and enrol its member where there is an account. A repeat changes nothing. Raises GatewayError.

    Once it is enrolled, or autopay was on already, it is the member's: later statements change nothing.
    """
    standing = ImportedAutopay.objects.filter(source=source, source_id=order.source_id).first()
    if standing is not None and order.as_of < standing.as_of:
        return Taken("older", standing)
    if standing is not None and (
        standing.digest == order.digest or standing.enrollment_id is not None or standing.code in FINAL
    ):
        if standing.enrollment_id is None and standing.code in WAITING:  # the provider may not have answered
            enroll(standing)
        return Taken("same", standing)
    row = _keep(order, source=source, batch_id=batch_id)
    enroll(row)
    return Taken("changed" if standing is not None else "new", row)


def take_waiting() -> int:
    """Enrol those who have signed up since, or may pay by now; how many."""
    waiting = ImportedAutopay.objects.filter(code__in=WAITING, enrollment=None, member__user__isnull=False)
    count = 0
    for row in waiting.select_related("member__user", "coverage").order_by("pk")[:MOST_A_DAY]:
        try:
            enroll(row)
        except GatewayError as error:  # unknown: the next day asks again
            logger.warning("imported autopay %s waits: %s", row.pk, type(error).__name__)
            continue
        count += row.enrollment_id is not None
    return count


def enroll(row: ImportedAutopay) -> None:
    """Turn autopay on for a row that waits, or say why not. Raises GatewayError; then nothing has changed."""
    user = row.member.user
    if user is None:
        return
    _enroll(row, user, _known(row, user))


@atomic_with_retry
def _keep(order: Order, *, source: str, batch_id: int) -> ImportedAutopay:
    given = {name: getattr(order, name) for name in order.__slots__ if name not in ("source_id", "paperless")}
    row, is_new = ImportedAutopay.objects.update_or_create(
        source=source, source_id=order.source_id, defaults=given | {"batch_id": batch_id},
        create_defaults=given | {"batch_id": batch_id, "code": Code.NO_USER},
    )  # fmt: skip
    for document, is_paperless in order.paperless.items() if is_new else ():
        households.set_paperless(
            order.member.household_id, is_paperless=is_paperless, actor="import", document=document
        )
    return row


def _known(row: ImportedAutopay, user: User) -> MethodSummary | None:
    """The method as the provider knows it; None where it does not, or not as this member's."""
    try:
        found = gateway.method_summary(row.stripe_method_id)
    except Refused:
        return None
    if not found.customer_id or (found.kind, found.last4) != (row.method_kind, row.last4):
        return None
    own = StripeCustomer.objects.filter(user=user).first()
    if own is not None:
        return found if own.stripe_id == found.customer_id else None
    is_anothers = StripeCustomer.objects.filter(stripe_id=found.customer_id).exists()
    return None if is_anothers else found


@atomic_with_retry
def _enroll(row: ImportedAutopay, user: User, known: MethodSummary | None) -> None:
    held = ImportedAutopay.objects.select_for_update().get(pk=row.pk)
    if held.enrollment_id is not None or held.code in FINAL:
        return
    subject = Subject(covers=held.covers, coverage=held.coverage)
    if enrolling.standing(subject, user) is not None:
        _settle(row, Code.ALREADY_ON)
        return
    method = _method(held, user, known)
    if method is None:
        _settle(row, Code.NOT_PAYABLE)
        return
    wanted = Terms(
        subject=subject, method=method, day_rule=held.day_rule, days_before=_of(held, DayRule.DAYS_BEFORE),
        day_of_month=_of(held, DayRule.DAY_OF_MONTH), limit_cents=held.limit_cents,
        members=() if held.coverage is not None else (held.member,),
    )  # fmt: skip
    try:
        terms.check_subject(wanted, scope_of(user))
    except AutopayError:
        _settle(row, Code.NOT_PAYABLE)
        return
    try:
        with transaction.atomic():
            _begin(row, user, wanted, _why_not(held, known, wanted, user))
    except IntegrityError:
        _settle(row, Code.ALREADY_ON)


def _begin(row: ImportedAutopay, user: User, wanted: Terms, code: str) -> None:
    enrollment = AutopayEnrollment.objects.create(
        user=user, household_id=wanted.household_id, covers=wanted.subject.covers, coverage=wanted.subject.coverage,
        imported_from=_name(row), status=Status.SUSPENDED if code else Status.ACTIVE, suspended_code=code,
        **enrolling.columns(wanted),
    )  # fmt: skip
    enrollment.members.set(wanted.members)
    _settle(row, code, enrollment)
    if code:
        note("autopay.suspended", enrollment, actor="import", code=code)
        return
    consent = AutopayConsent.objects.create(
        enrollment=enrollment, text=row.mandate_text, version=row.mandate_version, language="en",
        accepted_at=_accepted_at(row), user_agent=AGENT,
    )  # fmt: skip
    note("autopay.enrolled", enrollment, actor="import", consent_id=consent.pk, **enrolling.members_of(wanted))


def _why_not(row: ImportedAutopay, known: MethodSummary | None, wanted: Terms, user: User) -> str:
    """Why it cannot charge as it is; empty where it can."""
    today = timezone.localdate()
    if known is None:
        return Code.METHOD_UNKNOWN
    if not row.mandate_text:
        return Code.NO_MANDATE
    year, month = wanted.method.expires_year, wanted.method.expires_month
    if year is not None and month is not None and (year, month) < (today.year, today.month):
        return Code.CARD_EXPIRED
    return Code.METHOD_UNFIT if terms.why_not(wanted.method, wanted.subject, scope_of(user), attestation="") else ""


def _method(row: ImportedAutopay, user: User, known: MethodSummary | None) -> PaymentMethod | None:
    """The saved method: the member's own that stands, or a new one; None where it is another's.

    One that the provider does not know as the member's is kept stopped, so that nothing ever asks it for money.
    """
    standing = PaymentMethod.objects.filter(stripe_id=row.stripe_method_id).first()
    if standing is not None:
        return standing if standing.user_id == user.pk else None
    named = {
        "brand": row.brand, "expires_month": row.expires_month, "expires_year": row.expires_year,
        "blocked_at": timezone.now(), "blocked_code": Code.METHOD_UNKNOWN.value,
    }  # fmt: skip
    if known is not None:
        StripeCustomer.objects.get_or_create(user=user, defaults={"stripe_id": known.customer_id})
        named = {
            "brand": known.brand, "expires_month": known.expires_month, "expires_year": known.expires_year,
            "bank_name": known.bank_name, "fingerprint": known.fingerprint, "wallet": known.wallet,
        }  # fmt: skip
    method = PaymentMethod.objects.create(
        user=user, kind=row.method_kind, stripe_id=row.stripe_method_id, last4=row.last4, **named
    )
    if known is not None and row.mandate_text and row.method_kind == PaymentMethod.Kind.BANK_ACCOUNT:
        Mandate.objects.create(
            user=user, method=method, imported_from=_name(row), text=row.mandate_text, version=row.mandate_version,
            language="en", accepted_at=_accepted_at(row), user_agent=AGENT, last4=row.last4,
            bank_name=known.bank_name, fingerprint=known.fingerprint,
        )  # fmt: skip
    return method


def _settle(row: ImportedAutopay, code: str, enrollment: AutopayEnrollment | None = None) -> None:
    ImportedAutopay.objects.filter(pk=row.pk).update(code=code, enrollment=enrollment)
    row.code, row.enrollment = code, enrollment


def _name(row: ImportedAutopay) -> str:
    return f"{row.source}:{row.source_id}"


def _of(row: ImportedAutopay, rule: str) -> int | None:
    return row.day if row.day_rule == rule else None


def _accepted_at(row: ImportedAutopay) -> dt.datetime:
    assert row.mandate_accepted_on is not None
    return timezone.make_aware(dt.datetime.combine(row.mandate_accepted_on, dt.time(12)))
