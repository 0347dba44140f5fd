"""Sending scheduled payments on their day, once, and only what is still owed; the day before, a reminder.

Each payment is claimed and submitted in one transaction, under the locks of its bills, so that two workers, or a member
who pays by hand at that moment, never charge the same money twice (FAULTS A05 to A07, E14, E16).
"""

import datetime as dt
import logging

from django.utils import timezone

from accounts.visibility import scope_of
from activity.doorbell import ring
from activity.models import Event
from activity.recording import record
from bills.models import Bill
from ledger.transactions import atomic_with_retry
from payments import checkout, eligibility, moving, scheduling
from payments.allocating import bills_to_pay, payable_cents
from payments.autopay import debiting_again
from payments.checkout import MIN_CENTS
from payments.models import Payment
from payments.states import PaymentStatus

logger = logging.getLogger(__name__)

BATCH = 200
MOST_DAYS_LATE = 7  # after a standstill; a payment later than that is not what its payer expects any more


def send_due(*, today: dt.date | None = None, limit: int = BATCH) -> int:
    """Send what was scheduled for today or before; how many were looked at. Safe to run twice, and in two workers."""
    today = today or timezone.localdate()
    waiting = Payment.objects.filter(status=PaymentStatus.DRAFT, scheduled_on__lte=today).order_by("scheduled_on", "pk")
    ids = list(waiting.values_list("pk", flat=True)[:limit])
    for payment_id in ids:
        try:
            payment = _submit(payment_id, today)
            if payment is not None:
                checkout.send(payment)
        except Exception:  # whatever is wrong with one payment must not stop the others
            logger.exception("scheduled payment %s could not be sent", payment_id)
    return len(ids)


def remind(*, today: dt.date | None = None) -> int:
    """Record, once for each payment and day, that it will be sent tomorrow; how many."""
    tomorrow = (today or timezone.localdate()) + dt.timedelta(days=1)
    waiting = Payment.objects.filter(status=PaymentStatus.DRAFT, scheduled_on=tomorrow).order_by("pk")
    return sum(_remind(payment_id, tomorrow) for payment_id in waiting.values_list("pk", flat=True))


@atomic_with_retry
def _submit(payment_id: int, today: dt.date) -> Payment | None:
    """Claim a payment and commit its attempt; None where somebody else has it, or it is not to be charged."""
    payment = (
        Payment.objects.select_for_update(skip_locked=True)
        .filter(pk=payment_id, status=PaymentStatus.DRAFT, scheduled_on__lte=today)
        .first()
    )
    if payment is None or payment.payer is None:
        return None
    assert payment.scheduled_on is not None
    if (today - payment.scheduled_on).days > MOST_DAYS_LATE:
        return _given_up(payment, "too_late")
    wanted = dict(payment.allocations.values_list("bill_id", "amount_cents"))
    if not payment.payer.is_active or bills_to_pay(scope_of(payment.payer)).filter(pk__in=wanted).count() < len(wanted):
        return _given_up(payment, "bill_not_payable")  # voided, or no longer the payer's to see (FAULTS F27, F31)
    if Bill.objects.filter(pk__in=wanted, held_since__isnull=False).exists():
        return _given_up(payment, "bill_held")  # under review nothing is due: it is paid by hand, on purpose, alone
    if payment.retry_of_id is not None and not debiting_again.is_let(payment.retry_of_id, on=today):
        return _given_up(payment, debiting_again.ENDED)
    if scheduling.why_unusable(payment, today):
        return _given_up(payment, "method_unusable")  # FAULTS A07
    bills = checkout.held_bills(wanted)
    payable = payable_cents(bills)
    left = {bill.pk: min(wanted[bill.pk], payable[bill.pk]) for bill in bills}
    if sum(left.values()) < MIN_CENTS:
        return _given_up(payment, "paid_meanwhile")  # FAULTS A05
    if left != wanted and payment.retry_of_id is not None:
        return _given_up(payment, "paid_meanwhile")  # a returned debit is sent again as it was, or not (RULES 3.2)
    if left != wanted:
        _shrink(payment, left)
    if eligibility.why_not([payment]):
        return _given_up(payment, "not_eligible")
    return checkout.submitted(payment)


def _shrink(payment: Payment, left: dict[int, int]) -> None:
    """Lower a payment to what its bills still owe, and let the member be told."""
    for bill_id, cents in left.items():
        allocation = payment.allocations.filter(bill_id=bill_id)
        if cents:
            allocation.update(amount_cents=cents)
        else:
            allocation.delete()
    was_cents, payment.amount_cents = payment.amount_cents, sum(left.values())
    Payment.objects.filter(pk=payment.pk).update(amount_cents=payment.amount_cents)
    record(
        "payment.scheduled_less", subject=f"payment:{payment.number}", owner_id=payment.household_id, actor="system",
        payment_id=payment.pk, was_cents=was_cents, is_cents=payment.amount_cents,
    )  # fmt: skip


def _given_up(payment: Payment, code: str) -> Payment | None:
    """End a payment that is not to be charged, and let the member be told why; None, as nothing is to be sent."""
    moving.move(payment.pk, PaymentStatus.CANCELED, actor="system", failure_code=code, settled_at=timezone.now())
    record(
        "payment.not_sent", subject=f"payment:{payment.number}", owner_id=payment.household_id, actor="system",
        payment_id=payment.pk, code=code,
    )  # fmt: skip
    ring("notifications.tasks.work_off")
    return None


@atomic_with_retry
def _remind(payment_id: int, day: dt.date) -> bool:
    payment = (
        Payment.objects.select_for_update().filter(pk=payment_id, status=PaymentStatus.DRAFT, scheduled_on=day).first()
    )
    if payment is None:
        return False
    subject, kind, on = f"payment:{payment.number}", "payment.scheduled_ahead", day.isoformat()
    if Event.objects.filter(subject=subject, kind=kind, data__on=on).exists():
        return False
    record(kind, subject=subject, owner_id=payment.household_id, actor="system", payment_id=payment.pk, on=on)
    ring("notifications.tasks.work_off")
    return True
