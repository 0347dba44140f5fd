"""Bank debits that are on their way for longer than banks take: work for staff, closed when the bank has spoken."""

import datetime as dt

from django.utils import timezone

from activity.models import WorkItem
from activity.recording import close_work, open_work
from bills.banking_days import add_banking_days
from payments.models import Payment
from payments.states import PaymentStatus

GRACE_DAYS = 3  # banking days after the day on which it was expected
KEY = "bank-debit-late:"


def look(*, now: dt.datetime) -> int:
    """Ask staff about every debit that is late, once; close what has been decided meanwhile. How many are late."""
    today, late = timezone.localdate(now), 0
    waiting = Payment.objects.filter(status=PaymentStatus.PROCESSING, expected_on__lt=today).order_by("pk")
    for payment in waiting.iterator(chunk_size=200):
        assert payment.expected_on is not None
        if add_banking_days(payment.expected_on, GRACE_DAYS) < today:
            late += 1
            open_work(
                WorkItem.Kind.BANK_DEBIT_LATE,
                subject=f"payment:{payment.number}",
                dedupe_key=f"{KEY}{payment.pk}",
                detail=f"Expected on {payment.expected_on}; the bank has not said what became of it.",
            )
    for item in WorkItem.objects.filter(kind=WorkItem.Kind.BANK_DEBIT_LATE, done_at__isnull=True):
        payment_id = int(item.dedupe_key.removeprefix(KEY))
        if not Payment.objects.filter(pk=payment_id, status=PaymentStatus.PROCESSING).exists():
            close_work(item.dedupe_key, reason="The bank has said what became of it.")
    return late
