"""The second person of a large refund: another of staff, who sends it or turns it down. Never who asked for it."""

from django.utils import timezone

from accounts.models import User
from activity.recording import close_work, record
from ledger.transactions import atomic_with_retry
from payments import refunds
from payments.models import Payment, Refund
from payments.refund_rules import (
    RefundError,
    refundable_cents,
    refuse_excess,
    refuse_not_refundable,
    refuse_own_household,
)

WAITING = Refund.Status.AWAITING_APPROVAL


class SamePerson(RefundError):
    """Who asked for a refund does not decide on it."""


class AlreadyDecided(RefundError):
    """Somebody was quicker, or the refund never waited."""


def approve(refund: Refund, *, by: User, reason: str) -> Refund:
    """Send a refund that waits. It is looked at again first: the payment may have been returned meanwhile.

    Raises SamePerson, AlreadyDecided, and as `refunds.issue`.
    """
    return refunds.send(_decide(refund.pk, by, reason, Refund.Status.SUBMITTED))


def decline(refund: Refund, *, by: User, reason: str) -> Refund:
    """Turn a refund down; its money is free for another. Raises SamePerson, AlreadyDecided, refunds.OwnHousehold."""
    return _decide(refund.pk, by, reason, Refund.Status.DECLINED)


def withdraw_waiting(payment: Payment, *, reason: str) -> None:
    """Turn down what waits of a payment whose money a bank has taken: it would be sent twice (FAULTS D11).

    Under the payment's lock.
    """
    for refund in payment.refunds.select_for_update().filter(status=WAITING):
        _end(refund, Refund.Status.DECLINED, actor="system", reason=reason)


@atomic_with_retry
def _decide(refund_id: int, by: User, reason: str, to: Refund.Status) -> Refund:
    refund = refunds.locked(refund_id)
    if refund.status != WAITING:
        raise AlreadyDecided(f"Refund {refund.pk} is {refund.get_status_display().lower()}: nothing is to be decided.")
    if refund.requested_by_id == by.pk:
        raise SamePerson("You asked for this refund: somebody else has to approve it or turn it down.")
    refuse_own_household(refund.payment, by)
    if to == Refund.Status.SUBMITTED:
        refuse_not_refundable(refund.payment)
        refuse_excess(refund.payment, refund.amount_cents, refundable_cents(refund.payment) + refund.amount_cents)
    return _end(refund, to, actor=f"user:{by.pk}", reason=reason, by=by)


def _end(refund: Refund, to: Refund.Status, *, actor: str, reason: str, by: User | None = None) -> Refund:
    Refund.objects.filter(pk=refund.pk).update(
        status=to, decided_by=by, decided_at=timezone.now(), decision_reason=reason[:500]
    )
    record(
        f"refund.{to}",
        subject=f"payment:{refund.payment.number}",
        owner_id=refund.payment.household_id,
        from_status=WAITING,
        to_status=to,
        actor=actor,
        reason=reason,
        payment_id=refund.payment_id,
        refund_id=refund.pk,
    )
    close_work(f"refund-approval:{refund.pk}", reason=f"{to}: {reason}")
    refund.refresh_from_db()
    return refund
