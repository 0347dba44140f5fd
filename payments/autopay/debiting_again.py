"""Whether autopay still lets a debit that came back be debited again, and calling off the tries that it does not.

Such a try is a scheduled payment (payments.retries) beside the charges of autopay: what turns autopay off, pauses it or
narrows it reaches it too.
"""

import datetime as dt

from django.db.models import Sum
from django.utils import timezone

from activity.doorbell import ring
from activity.models import Event
from activity.recording import record
from payments import moving
from payments.models import AutopayCharge, AutopayEnrollment, Payment, PaymentQuerySet
from payments.models.autopay import APPROVED
from payments.states import IN_FLIGHT, PaymentStatus

SAID_YES = ("autopay.answered", "autopay.unskipped")
ENDED = "autopay_ended"  # the code of a try that autopay does not let be made any more


def is_let(first_id: int, *, on: dt.date) -> bool:
    """Whether the autopay that made a payment lets it be made once more on a day; of any other payment, yes."""
    charge = AutopayCharge.objects.filter(payment_id=first_id).select_related("enrollment", "bill", "payment").first()
    if charge is None or charge.payment is None:
        return True
    enrollment = charge.enrollment
    is_over = enrollment.paused_until is not None and enrollment.paused_until <= on
    is_on = enrollment.status == enrollment.Status.ACTIVE or (enrollment.status == enrollment.Status.PAUSED and is_over)
    is_chosen = (
        enrollment.covers != enrollment.Covers.MEDICAL
        or charge.bill is None
        or enrollment.members.filter(pk=charge.bill.member_id).exists()
    )
    is_within = enrollment.limit_cents is None or charge.payment.amount_cents <= enrollment.limit_cents
    return is_on and is_chosen and (is_within or was_agreed_to(charge))


def call_off(enrollment: AutopayEnrollment, *, actor: str) -> int:
    """Cancel the tries of an enrolment that it does not let be made any more, and let their payer be told; how many."""
    waiting = planned(enrollment).select_for_update(of=("self",)).order_by("pk")
    gone = [each for each in waiting if each.scheduled_on and not is_let(each.retry_of_id or 0, on=each.scheduled_on)]
    for payment in gone:
        moving.move(payment.pk, PaymentStatus.CANCELED, actor=actor, failure_code=ENDED, settled_at=timezone.now())
        record(
            "payment.not_sent", subject=f"payment:{payment.number}", owner_id=payment.household_id, actor=actor,
            payment_id=payment.pk, code=ENDED,
        )  # fmt: skip
        ring("notifications.tasks.work_off")
    return len(gone)


def planned(enrollment: AutopayEnrollment) -> PaymentQuerySet:
    """The debits of an enrolment that are to be sent again."""
    again = Payment.objects.filter(retry_of__autopay_charge__enrollment=enrollment)
    return again.filter(status=PaymentStatus.DRAFT, scheduled_on__isnull=False)


def on_its_way_cents(enrollment: AutopayEnrollment) -> int:
    """What of them has gone to the bank already, US cents."""
    sent = Payment.objects.filter(retry_of__autopay_charge__enrollment=enrollment, status__in=IN_FLIGHT)
    return sent.aggregate(cents=Sum("amount_cents"))["cents"] or 0


def was_agreed_to(charge: AutopayCharge) -> bool:
    """Whether its member said yes to the amount: a charge that was made does not bear the code any more."""
    said = Event.objects.filter(subject=f"autopay:{charge.enrollment_id}", kind__in=SAID_YES)
    return said.filter(data__charge_id=charge.pk, data__code=APPROVED).exists()
