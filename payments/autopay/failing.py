"""What follows from an autopay charge that failed: the next try, another method, or autopay stopped until one acts.

All in the transaction of the failure. The member hears of it by the event `autopay.failed`, with the day of the next
try (empty where there is none); `autopay.suspended` says that nothing more is charged until a method is given.
"""

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from activity.doorbell import ring
from activity.models import Event
from activity.recording import record
from payments import return_codes
from payments.autopay import debiting_again, declining
from payments.models import AutopayCharge, AutopayEnrollment, Payment, PaymentMethod
from payments.models.autopay import APPROVED, ChargeStatus
from payments.return_codes import ReturnCode

Status = AutopayEnrollment.Status
STOPPABLE = (Status.ACTIVE, Status.PAUSED)


def leave(charge_id: int, status: ChargeStatus, code: str, *, enrollment_id: int, today: dt.date) -> None:
    """Do not charge a queued charge: it goes on waiting, is not needed, or cannot be charged at all.

    Where none of its methods can be charged, autopay stops until the member gives one (FAULTS A07).
    """
    queued = AutopayCharge.objects.filter(pk=charge_id, status=ChargeStatus.QUEUED)
    if status in (ChargeStatus.ANNOUNCED, ChargeStatus.ASKED):
        queued.update(status=ChargeStatus.ANNOUNCED)  # its code stays: a yes that was given is not asked for again
        if status == ChargeStatus.ASKED:
            ask(AutopayCharge.objects.get(pk=charge_id))
        return
    if not queued.update(status=status, code=code):
        return
    charge = AutopayCharge.objects.get(pk=charge_id)
    if status == ChargeStatus.NOT_NEEDED:
        _record("autopay.not_needed", charge, code=code)
    if status == ChargeStatus.FAILED:
        _record("autopay.failed", charge, code=code, next_on="", attempt=charge.attempt)
        suspend(charge.enrollment, code)


def ask(charge: AutopayCharge) -> None:
    """Let an announced charge wait for its member's yes or no, and ask."""
    waiting = AutopayCharge.objects.filter(pk=charge.pk, status=ChargeStatus.ANNOUNCED)
    if waiting.update(status=ChargeStatus.ASKED, code=""):
        _record("autopay.asked", charge)


def after(charge: AutopayCharge, payment: Payment) -> None:
    """Decide on the next try of a charge whose payment failed, and record it. The charge is failed already."""
    code = payment.failure_code
    today = timezone.localdate()
    other = _other_method(charge, payment, today)
    first_on = tries_of(charge).values_list("charge_on", flat=True).get(attempt=1)
    is_over = charge.enrollment.status == Status.ENDED  # turned off while the payment was on its way
    day = (
        None
        if is_over
        else declining.next_day(
            code, tries=charge.attempt, first_on=first_on, today=today, is_other_method=other is not None
        )
    )
    method = other if other is not None and code not in declining.OURS else payment.method
    next_on = ""
    if day is not None and method is not None:
        next_on = _try_again(charge, method, day, is_agreed=charge.code == APPROVED)
    _record(
        "autopay.failed", charge, code=code, next_on=next_on, attempt=charge.attempt, payment_id=payment.pk
    )  # fmt: skip
    if code in declining.HARD:
        _drop_method(charge.enrollment, payment, other, code)


def returned(payment: Payment, code: ReturnCode, retry: Payment | None) -> None:
    """Do what a bank's return code says of autopay (RULES section 3.3). `retry`: the same debit once more, if planned.

    Safe to repeat. Under the payment's lock.
    """
    charge = AutopayCharge.objects.select_for_update().filter(payment_id=payment.retry_of_id or payment.pk).first()
    if charge is not None and not _was_told(charge, payment):
        AutopayCharge.objects.filter(pk=charge.pk, status__in=(ChargeStatus.SENT, ChargeStatus.DONE)).update(
            status=ChargeStatus.FAILED
        )
        AutopayCharge.objects.filter(pk=charge.pk, status=ChargeStatus.FAILED).update(code=code.code or "returned")
        planned_on = retry.scheduled_on if retry is not None else None
        next_on = planned_on.isoformat() if planned_on is not None else _pay_otherwise(charge, payment, code)
        _record(
            "autopay.failed", charge, code=code.code or "returned", next_on=next_on, attempt=charge.attempt,
            payment_id=payment.pk,
        )  # fmt: skip
    if code.autopay in (return_codes.Autopay.SUSPENDED, return_codes.Autopay.CANCELED):
        _stop_all_on(payment, code)


def _pay_otherwise(charge: AutopayCharge, payment: Payment, code: ReturnCode) -> str:
    """Announce a try with the other method, where its bank says that the account cannot pay it; its day as text.

    Not where the leave is gone or the payer stopped this one, nor where a person looks at what the bank did.
    """
    day = timezone.localdate() + dt.timedelta(days=declining.OTHER_METHOD_DAYS)
    cannot_pay = code.autopay is return_codes.Autopay.SUSPENDED or code.retry is return_codes.Retry.TWICE
    if not cannot_pay or charge.attempt >= declining.MOST_TRIES:
        return ""
    other = _other_method(charge, payment, timezone.localdate())
    if other is None or not debiting_again.is_let(payment.retry_of_id or payment.pk, on=day):
        return ""
    return _try_again(charge, other, day, is_agreed=debiting_again.was_agreed_to(charge))


def suspend(enrollment: AutopayEnrollment, code: str) -> bool:
    """Stop an enrolment until the member acts; whether it was not stopped before."""
    stopped = AutopayEnrollment.objects.filter(pk=enrollment.pk, status__in=STOPPABLE).update(
        status=Status.SUSPENDED, suspended_code=code[:40]
    )
    if stopped:
        _tell_of_stop(enrollment, code)
    return bool(stopped)


def _stop_all_on(payment: Payment, code: ReturnCode) -> None:
    """Every enrolment that charges the account that a bank has closed to us: its second method takes over, if any.

    Where the leave to debit is gone, autopay ends: it takes a new consent, not just another account.
    """
    if payment.method is None:
        return
    same = Q(method_id=payment.method_id)
    if payment.method.fingerprint:
        same |= Q(method__user_id=payment.method.user_id, method__fingerprint=payment.method.fingerprint)
    enrollments = AutopayEnrollment.objects.select_for_update(of=("self",)).filter(same, status__in=STOPPABLE)
    for enrollment in enrollments.select_related("fallback").order_by("pk"):
        if code.autopay == return_codes.Autopay.CANCELED:
            ended = AutopayEnrollment.objects.filter(pk=enrollment.pk, status__in=STOPPABLE).update(
                status=Status.ENDED, ended_at=timezone.now(), ended_code=code.code
            )
            if ended:
                _tell_of_stop(enrollment, code.code)
        elif enrollment.fallback is not None and enrollment.fallback.is_ready:
            _take_fallback(enrollment)
        else:
            suspend(enrollment, code.code)


def _drop_method(enrollment: AutopayEnrollment, payment: Payment, other: PaymentMethod | None, code: str) -> None:
    """Take a method that was declined for good out of the enrolment, or stop it where that was its last."""
    if enrollment.method_id != payment.method_id:
        AutopayEnrollment.objects.filter(pk=enrollment.pk, fallback_id=payment.method_id).update(fallback=None)
    elif other is not None:
        _take_fallback(enrollment)
    else:
        suspend(enrollment, code)


def _take_fallback(enrollment: AutopayEnrollment) -> None:
    AutopayEnrollment.objects.filter(pk=enrollment.pk, fallback_id=enrollment.fallback_id).update(
        method_id=enrollment.fallback_id, fallback=None
    )


def _other_method(charge: AutopayCharge, payment: Payment, today: dt.date) -> PaymentMethod | None:
    """The enrolment's other method, where there is one that can be charged."""
    enrollment = charge.enrollment
    for method in (enrollment.fallback, enrollment.method):
        if method is None or method.pk == payment.method_id or not method.is_ready:
            continue
        if (method.expires_year or today.year, method.expires_month or today.month) < (today.year, today.month):
            continue
        if not AutopayCharge.objects.filter(method=method, status="failed", code__in=declining.HARD).exists():
            return method
    return None


def _try_again(charge: AutopayCharge, method: PaymentMethod, day: dt.date, *, is_agreed: bool) -> str:
    """Announce the next try, once; its day as text. A yes to the amount is one to each try of it."""
    on = declining.banking_day(day, is_bank_debit=method.kind == PaymentMethod.Kind.BANK_ACCOUNT)
    standing = tries_of(charge).filter(attempt=charge.attempt + 1).first()
    made = standing or AutopayCharge.objects.create(
        enrollment_id=charge.enrollment_id, household_id=charge.household_id, bill_id=charge.bill_id,
        installment_id=charge.installment_id, cycle=charge.cycle, attempt=charge.attempt + 1, due_on=charge.due_on,
        amount_cents=charge.amount_cents, charge_on=on, method=method,
        code=APPROVED if is_agreed else "",
    )  # fmt: skip
    return made.charge_on.isoformat()


def tries_of(charge: AutopayCharge) -> QuerySet[AutopayCharge]:
    """All tries of the same bill or instalment in the same cycle, this one too."""
    thing = Q(bill_id=charge.bill_id) if charge.bill_id else Q(installment_id=charge.installment_id)
    return AutopayCharge.objects.filter(thing, cycle=charge.cycle)


def _was_told(charge: AutopayCharge, payment: Payment) -> bool:
    return Event.objects.filter(
        subject=f"autopay:{charge.enrollment_id}", kind="autopay.failed", data__payment_id=payment.pk
    ).exists()


def _tell_of_stop(enrollment: AutopayEnrollment, code: str) -> None:
    record(
        "autopay.suspended", subject=f"autopay:{enrollment.pk}", owner_id=enrollment.household_id, actor="system",
        enrollment_id=enrollment.pk, code=code,
    )  # fmt: skip
    ring("notifications.tasks.work_off")


def _record(kind: str, charge: AutopayCharge, **data: Any) -> None:
    record(
        kind, subject=f"autopay:{charge.enrollment_id}", owner_id=charge.household_id, actor="system",
        charge_id=charge.pk, enrollment_id=charge.enrollment_id, **data,
    )  # fmt: skip
    ring("notifications.tasks.work_off")
