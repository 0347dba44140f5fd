"""Sending money back: by staff with a reason, to the method it came from; and what others did at the provider.

A refund is posted when the provider has taken it, and its posting is reversed where it fails later (FAULTS D07 to D10).
Above a limit it waits for a second person of staff (payments.approvals); its money is reserved meanwhile.
"""

import datetime as dt
import logging
from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from activity.doorbell import ring
from activity.recording import open_work, record
from billing_portal.ids import is_id
from bills.models import Bill
from ledger.money import format_usd
from ledger.transactions import atomic_with_retry
from payments import following, gateway, staff_wording, taking_back
from payments.models import Payment, Refund
from payments.provider import GatewayError, KeyReused, RefundState, Refused, ServerError, Unauthorized, Unknown
from payments.refund_rules import ENDED, refuse_excess, refuse_not_refundable, refuse_own_household
from payments.refund_rules import AmountExceedsRefundable as AmountExceedsRefundable
from payments.refund_rules import NotRefundable as NotRefundable
from payments.refund_rules import OwnHousehold as OwnHousehold
from payments.refund_rules import RefundError as RefundError
from payments.refund_rules import needs_second_person as needs_second_person
from payments.refund_rules import refundable_cents as refundable_cents
from payments.refund_rules import refundable_of as refundable_of
from payments.taking_back import POSTED

logger = logging.getLogger(__name__)

BATCH = 100
DEADLINE = dt.timedelta(hours=1)  # after it, what is still unknown is work for staff too (M10)
KEY_LIFE = dt.timedelta(hours=20)  # the provider keeps an idempotency key for 24 hours
MAX_ATTEMPTS = 3

# Stripe's states of a refund, in ours (docs.stripe.com/api/refunds/object).
STATUSES = {
    "pending": Refund.Status.PENDING,
    "requires_action": Refund.Status.PENDING,
    "succeeded": Refund.Status.SUCCEEDED,
    "failed": Refund.Status.FAILED,
    "canceled": Refund.Status.CANCELED,
}


def issue(
    payment: Payment,
    *,
    amount_cents: int,
    reason: str,
    requested_by: User,
    bill: Bill | None = None,
    key: str | None = None,
) -> Refund:
    """Refund part or all of a payment, of one of its bills where `bill` is given. US cents.

    The row is committed, with its key, before the provider is called; a reply that is lost leaves it `submitted`, and
    the sweeper asks again with the same key. The same form `key` again returns the refund that stands. Above the limit
    for one person it is returned as `awaiting_approval`, and nothing is sent.
    Raises AmountExceedsRefundable, NotRefundable, OwnHousehold.
    """
    refund, is_new = _commit(payment.pk, amount_cents, reason, requested_by, bill, key)
    return send(refund) if is_new and refund.status == Refund.Status.SUBMITTED else refund


@atomic_with_retry
def commit_of_credit(
    payment_id: int, *, amount_cents: int, reason: str, requested_by: User, waits: bool = False
) -> Refund:
    """The row of a refund of overpaid money out of household credit; `send` it after commit, unless it `waits`.

    Raises AmountExceedsRefundable and NotRefundable.
    """
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    refuse_not_refundable(payment)
    refuse_excess(payment, amount_cents, refundable_cents(payment))
    status = Refund.Status.AWAITING_APPROVAL if waits else Refund.Status.SUBMITTED
    refund = _written(payment, amount_cents, reason, requested_by, is_of_credit=True, status=status)
    if waits:
        _ask_second_person(refund)
    return refund


def send(refund: Refund) -> Refund:
    """Make the refund's call and apply what comes back. Safe to repeat: the key is the row's."""
    try:
        return _transmit(refund)
    except (Unknown, Unauthorized):
        return refund


def _transmit(refund: Refund) -> Refund:
    """Make the call with the committed key. Raises provider.Unknown, provider.Unauthorized."""
    assert refund.payment.stripe_payment_intent_id is not None
    try:
        state = gateway.refund(
            key=refund.idempotency_key,
            intent_id=refund.payment.stripe_payment_intent_id,
            amount_cents=refund.amount_cents,
            refund_id=refund.pk,
        )
    except KeyReused as error:  # the key stands with another refund: our bug, and no answer about this one (FAULTS B07)
        open_work(
            "payment_conflict",
            subject=f"payment:{refund.payment.number}",
            dedupe_key=f"key-reused:{refund.idempotency_key}",
            detail=f"The idempotency key {refund.idempotency_key} stands with other parameters ({error.code}).",
        )
        return refund
    except Refused as error:
        return _fail(refund.pk, error.code)
    return apply(refund.pk, state)


@atomic_with_retry
def apply(refund_id: int, state: RefundState) -> Refund:
    """Bring a refund to where it stands at the provider, in any order and however often."""
    refund = locked(refund_id)
    if fault := _mismatch(refund, state):
        open_work(
            "payment_conflict",
            subject=f"payment:{refund.payment.number}",
            dedupe_key=f"refund-conflict:{refund.pk}:{state.status[:20]}:{state.amount_cents}",
            detail=fault,
        )
        return refund
    target = STATUSES[state.status]
    is_over = refund.status in ENDED and (refund.stripe_refund_id is not None or target not in POSTED)
    if refund.status == target or is_over:
        return refund
    was = refund.status
    if was == Refund.Status.SUCCEEDED and target == Refund.Status.PENDING:
        return refund
    Refund.objects.filter(pk=refund_id).update(
        status=target,
        stripe_refund_id=state.id,
        failure_code=state.failure_code,
        settled_at=timezone.now() if target != Refund.Status.PENDING else None,
    )
    refund.refresh_from_db()
    if target in POSTED and was not in POSTED:
        taking_back.post(taking_back.of_refund(refund, on=timezone.localdate()))
    if target in ENDED and was in POSTED:
        taking_back.undo(taking_back.of_refund(refund, on=timezone.localdate()))
    following.follow(refund.payment_id, reason=f"refund:{refund.pk}")
    _record(refund, was)
    if target in ENDED:
        _ask_staff(refund)
    return refund


def refresh(payment: Payment) -> None:
    """Fetch every refund of a payment as it stands, those made outside the portal too (FAULTS D08, D09).

    Raises provider.GatewayError.
    """
    assert payment.stripe_payment_intent_id is not None
    for state in gateway.refunds_of(payment.stripe_payment_intent_id):
        refund = _own_row(payment, state)
        apply(refund.pk, state)


def sweep(*, older_than: dt.timedelta = dt.timedelta(seconds=30)) -> int:
    """Ask again about refunds whose reply was lost; how many. Stops when our key is refused."""
    sent_at = Coalesce(F("decided_at"), F("created_at"))
    lost = Refund.objects.annotate(sent_at=sent_at).filter(
        status=Refund.Status.SUBMITTED, sent_at__lte=timezone.now() - older_than
    )
    asked = list(lost.select_related("payment").order_by("pk")[:BATCH])
    for refund in asked:
        try:
            _ask_again(refund)
        except Unauthorized:
            break
        except GatewayError:
            continue
        except Exception:  # whatever is wrong with one must not stop the others
            logger.exception("refund %s could not be asked about", refund.pk)
    return len(asked)


def _ask_again(refund: Refund) -> Refund:
    """Look for the refund first; where there is none, repeat the call with its key while the provider keeps that.

    A forgotten key would make a second refund of the same money (FAULTS D07). Raises provider.GatewayError.
    """
    age = timezone.now() - (refund.decided_at or refund.created_at)
    if age > DEADLINE:
        open_work(
            "payment_unknown",
            subject=f"payment:{refund.payment.number}",
            dedupe_key=f"refund-unknown:{refund.pk}",
            detail=f"The provider has not said what became of refund {refund.pk}. Look it up there.",
        )
    if (found := _find(refund)) is not None:
        return apply(refund.pk, found)
    if age > KEY_LIFE:
        return _fail(refund.pk, "never_sent")
    try:
        return _transmit(refund)
    except ServerError:
        # A stored 5xx is answered to this key for ever. Another key only once the provider has no refund (FAULTS B04).
        if (found := _find(refund)) is not None:
            return apply(refund.pk, found)
        Refund.objects.filter(
            pk=refund.pk, attempt=refund.attempt, attempt__lt=MAX_ATTEMPTS, status=Refund.Status.SUBMITTED
        ).update(attempt=F("attempt") + 1)
        raise


def _find(refund: Refund) -> RefundState | None:
    assert refund.payment.stripe_payment_intent_id is not None
    states = gateway.refunds_of(refund.payment.stripe_payment_intent_id)
    return next((state for state in states if state.refund_id == str(refund.pk)), None)


def locked(refund_id: int) -> Refund:
    """The refund, locked: its payment first, so that two refunds of one payment are posted one after the other."""
    payment_id = Refund.objects.values_list("payment_id", flat=True).get(pk=refund_id)
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    refund = Refund.objects.select_for_update().get(pk=refund_id)
    refund.payment = payment
    return refund


@atomic_with_retry
def _commit(
    payment_id: int, amount_cents: int, reason: str, requested_by: User, bill: Bill | None, key: str | None
) -> tuple[Refund, bool]:
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    if key is not None and (standing := payment.refunds.filter(form_key=key).first()):
        return standing, False
    refuse_not_refundable(payment)
    refuse_own_household(payment, requested_by)
    left = refundable_cents(payment) if bill is None else refundable_of(payment, bill)
    refuse_excess(payment, amount_cents, left)
    waits = needs_second_person(payment, amount_cents)
    status = Refund.Status.AWAITING_APPROVAL if waits else Refund.Status.SUBMITTED
    refund = _written(payment, amount_cents, reason, requested_by, bill=bill, form_key=key, status=status)
    if waits:
        _ask_second_person(refund)
    return refund, True


def _ask_second_person(refund: Refund) -> None:
    open_work(
        "refund_approval",
        subject=f"payment:{refund.payment.number}",
        dedupe_key=f"refund-approval:{refund.pk}",
        detail=f"Refund {refund.pk} of {format_usd(refund.amount_cents)} waits for a second person.",
    )


def _mismatch(refund: Refund, state: RefundState) -> str:
    """Why what the provider says is not to be applied to a refund; empty where it is (FAULTS B19, D21)."""
    if state.status not in STATUSES:
        return f"Refund {state.id} has the unknown status {state.status[:40]}."
    if state.amount_cents != refund.amount_cents:
        named, ours = format_usd(state.amount_cents), format_usd(refund.amount_cents)
        return f"Refund {state.id} is of {named} at the provider, and of {ours} here."
    return ""


def _written(payment: Payment, amount_cents: int, reason: str, requested_by: User, **more: Any) -> Refund:
    refund = Refund.objects.create(
        payment=payment, amount_cents=amount_cents, reason=reason, requested_by=requested_by, **more
    )
    record(
        f"refund.{refund.status}",
        subject=f"payment:{payment.number}",
        owner_id=payment.household_id,
        to_status=refund.status,
        actor=f"user:{requested_by.pk}",
        reason=reason,
        payment_id=payment.pk,
        refund_id=refund.pk,
    )
    ring("payments.tasks.sweep")
    return refund


@atomic_with_retry
def _own_row(payment: Payment, state: RefundState) -> Refund:
    """Our row of a refund at the provider; made, and shown to staff, where the refund was made outside the portal."""
    Payment.objects.select_for_update().get(pk=payment.pk)
    if is_id(state.refund_id):
        ours = Refund.objects.filter(pk=int(state.refund_id), payment=payment).first()
        if ours is not None:
            return ours
    refund, is_new = Refund.objects.get_or_create(
        stripe_refund_id=state.id,
        defaults={
            "payment": payment,
            "amount_cents": state.amount_cents,
            "reason": "Refunded outside the portal",
            "is_outside_portal": True,
        },
    )
    if is_new:
        open_work(
            "refund_outside",
            subject=f"payment:{payment.number}",
            dedupe_key=f"outside:{state.id}",
            detail=f"Refund {state.id} of {format_usd(state.amount_cents)} was made at the provider. It is booked.",
        )
    return refund


@atomic_with_retry
def _fail(refund_id: int, code: str) -> Refund:
    refund = locked(refund_id)
    if refund.status == Refund.Status.SUBMITTED:
        Refund.objects.filter(pk=refund_id).update(
            status=Refund.Status.FAILED, failure_code=code[:60], settled_at=timezone.now()
        )
        refund.refresh_from_db()
        _record(refund, Refund.Status.SUBMITTED)
        _ask_staff(refund)
    return refund


def _record(refund: Refund, was: str) -> None:
    """Write down where the refund stands now; whoever is to be told of it hears from the event."""
    record(
        f"refund.{refund.status}",
        subject=f"payment:{refund.payment.number}",
        owner_id=refund.payment.household_id,
        from_status=was,
        to_status=refund.status,
        actor="stripe",
        payment_id=refund.payment_id,
        refund_id=refund.pk,
    )
    ring("notifications.tasks.work_off")


def _ask_staff(refund: Refund) -> None:
    open_work(
        "refund_failed",
        subject=f"payment:{refund.payment.number}",
        dedupe_key=f"refund-failed:{refund.pk}",
        detail=f"Refund {refund.pk} failed: {staff_wording.refund_failure(refund.failure_code or refund.status)}",
    )
