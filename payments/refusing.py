"""A call that the provider did not take: nothing was charged, and somebody of staff has to look. Never a decline."""

from django.utils import timezone

from activity.recording import open_work
from payments import moving, settlement
from payments.models import Payment
from payments.provider import KeyReused, Refused, Unauthorized


def refused(payment: Payment, error: Unauthorized | Refused) -> Payment:
    """Act on a call that the provider did not take: nothing was charged, and somebody of staff has to look."""
    if isinstance(error, Refused) and not isinstance(error, KeyReused):
        return settlement.refuse(payment.pk, error)
    if isinstance(error, Unauthorized):
        report_unauthorized(f"payment:{payment.number}")
    else:
        open_work(
            "payment_conflict",
            subject=f"payment:{payment.number}",
            dedupe_key=f"key-reused:{payment.idempotency_key}",
            detail=f"The idempotency key {payment.idempotency_key} stands with other parameters ({error.code}).",
        )
    return moving.current(payment.pk)


def report_unauthorized(subject: str) -> None:
    """Open a work item, one a day, for a key of ours that the provider refuses (FAULTS B10)."""
    open_work(
        "payment_unknown",
        subject=subject,
        dedupe_key=f"unauthorized:{timezone.localdate()}",
        detail="The provider refused our key. Nothing can be charged until it is renewed.",
    )
