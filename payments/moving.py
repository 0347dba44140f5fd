"""Moving a payment from one state to the next: compare and set, with its event, in one transaction."""

from typing import Any

from django.db import transaction

from activity.doorbell import ring
from activity.recording import record
from payments.autopay import outcomes
from payments.models import Payment
from payments.states import ALLOWED, PaymentStatus

OFF_SESSION = (Payment.Channel.AUTOPAY, Payment.Channel.PLAN)  # charged without the payer being there


class MoveNotAllowed(Exception):
    """The table of states has no such move."""


class LostRace(Exception):
    """Somebody else has moved the payment meanwhile."""


def current(payment_id: int) -> Payment:
    """The payment as it stands in the database."""
    return Payment.objects.select_related("payer", "method").get(pk=payment_id)


@transaction.atomic
def move(payment_id: int, to: PaymentStatus, *, actor: str, reason: str = "", **changes: Any) -> Payment:
    """Move a payment on and record it. A move to where it stands is a no-op that changes nothing.

    Raises MoveNotAllowed, and LostRace where the row changed between the look and the move.
    """
    payment = current(payment_id)
    if payment.status == to:
        return payment
    if (PaymentStatus(payment.status), to) not in ALLOWED:
        raise MoveNotAllowed(f"payment {payment.number}: {payment.status} to {to}")
    if not Payment.objects.filter(pk=payment_id, status=payment.status).update(status=to, **changes):
        raise LostRace(f"payment {payment.number} is no longer {payment.status}")
    record(
        f"payment.{to}",
        subject=f"payment:{payment.number}",
        owner_id=payment.household_id,
        from_status=payment.status,
        to_status=to,
        actor=actor,
        reason=reason,
        payment_id=payment_id,
        code=changes.get("failure_code", ""),
    )
    if to != PaymentStatus.SUBMITTED:
        ring("notifications.tasks.work_off")
    moved = current(payment_id)
    if moved.channel in OFF_SESSION:
        outcomes.follow(moved, before=payment.status)
    return moved
