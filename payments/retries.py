"""Sending a returned debit again: only for want of money, only where the payer had given leave to be debited off-hand.

Nacha's rules of reinitiation (RULES section 3.2): R01 and R09, at most two more times, within 180 days, of the same
amount, and described as a retry. A payment that a person started by hand is not among them: that leave was for once, so
its payer is offered to pay again instead (docs/decisions/0603). A retry is a scheduled draft: the payer is told of its
day, and may call it off until then as any scheduled payment. Where autopay made the first, it must
still let it be made (docs/decisions/2192).
"""

import datetime as dt

from django.utils import timezone

from activity.doorbell import ring
from activity.recording import record
from bills import numbers
from bills.banking_days import add_banking_days, is_banking_day
from payments.autopay import debiting_again
from payments.models import Payment, PaymentAllocation
from payments.return_codes import Retry, ReturnCode

STANDING_LEAVE = (Payment.Channel.AUTOPAY, Payment.Channel.PLAN)
MOST = 2
WITHIN_DAYS = 180
PAYDAYS = (1, 15)  # of a month: most wages are paid on or just before these
NOTICE_DAYS = 3  # banking days in which the payer can still call it off
DESCRIPTOR = "RETRY PYMT"


def plan(payment: Payment, code: ReturnCode, *, on: dt.date) -> Payment | None:
    """Plan the next try of a returned debit; None where there is none to be made. Safe to repeat.

    Under the lock of the payment.
    """
    if code.retry is not Retry.TWICE or payment.channel not in STANDING_LEAVE:
        return None
    if payment.method is None or not payment.method.is_ready:
        return None
    first = payment.retry_of or payment
    number = (payment.retry_number or 0) + 1
    day = next_payday(on)
    began_on = timezone.localdate(first.submitted_at or first.created_at)
    if not debiting_again.is_let(first.pk, on=day):
        return None
    if number > MOST or day > began_on + dt.timedelta(days=WITHIN_DAYS):
        return None
    retry, is_new = Payment.objects.get_or_create(
        retry_of=first, retry_number=number, defaults=_same_again(first, payment, day)
    )
    if is_new:
        PaymentAllocation.objects.bulk_create(
            PaymentAllocation(payment=retry, bill_id=bill_id, amount_cents=cents)
            for bill_id, cents in first.allocations.order_by("pk").values_list("bill_id", "amount_cents")
        )
        record(
            "payment.retry_planned",
            subject=f"payment:{retry.number}",
            owner_id=retry.household_id,
            actor="system",
            payment_id=retry.pk,
            first_id=first.pk,
        )
        ring("notifications.tasks.work_off")
    return retry


def next_payday(after: dt.date) -> dt.date:
    """The first banking day on or after a payday that leaves the payer time to call it off."""
    earliest = add_banking_days(after, NOTICE_DAYS)
    day = earliest
    while day.day not in PAYDAYS:
        day += dt.timedelta(days=1)
    while not is_banking_day(day):
        day += dt.timedelta(days=1)
    return day


def _same_again(first: Payment, returned: Payment, day: dt.date) -> dict[str, object]:
    return {
        "number": numbers.draw(groups=3),
        "household_id": first.household_id,
        "payer_id": first.payer_id,
        "kind": first.kind,
        "channel": first.channel,
        "amount_cents": first.amount_cents,
        "method_id": returned.method_id,
        "method_kind": returned.method_kind,
        "method_brand": returned.method_brand,
        "method_last4": returned.method_last4,
        "method_label": returned.method_label,
        "scheduled_on": day,
    }
