"""What banks take of settled payments: a card's dispute, and the return of a bank debit, which Stripe tells as one.

What has moved is read from the dispute's own balance transactions and from nothing else: not from its state, not from
the order of events. An inquiry (`warning_…`) has moved nothing and is a flag (FAULTS D15); what was taken is one debit,
what was put back is one credit (M7). Members are told, and staff are asked, from the events and work opened here.
"""

from typing import Any

from django.utils import timezone

from activity.doorbell import ring
from activity.recording import close_work, open_work, record
from ledger.money import format_usd
from ledger.transactions import atomic_with_retry
from payments import approvals, fees, following, gateway, return_codes, returns, staff_wording, taking_back
from payments.models import Dispute, Payment
from payments.provider import DisputeState, Unknown
from payments.states import SETTLED
from payments.taking_back import POSTED

# docs.stripe.com/api/disputes/object: a decided one may still be appealed by the other side.
CLOSED = ("won", "lost", "prevented", "warning_closed")
KNOWN = (
    *CLOSED, *following.OPEN, "warning_needs_response", "warning_under_review",
)  # fmt: skip


class NotSettled(Unknown):
    """The payment has not settled here yet: ask again later."""


def refresh(payment: Payment) -> None:
    """Fetch every dispute and return of a payment as it stands. Raises provider.GatewayError."""
    assert payment.stripe_payment_intent_id is not None
    for state in gateway.disputes_of(payment.stripe_payment_intent_id):
        apply(payment.pk, state)


@atomic_with_retry
def apply(payment_id: int, state: DisputeState) -> Dispute:
    """Bring a dispute and its payment to where the dispute stands, in any order and however often.

    Raises NotSettled where the payment's own success is not known here yet.
    """
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    if payment.status not in SETTLED:
        raise NotSettled(f"payment {payment.number} is {payment.status}")
    dispute = _row(payment, state)
    if _is_older(dispute, state):
        return dispute
    was, was_booked = dispute.status, dispute.booked_cents
    _remember(dispute, state)
    _book(dispute, state)
    following.follow(payment.pk, reason=f"dispute:{dispute.pk}")
    if dispute.booked_cents and not was_booked:
        _taken(dispute)
    elif was_booked and not dispute.booked_cents:
        _record("dispute.reinstated", dispute, was)
    if dispute.status != was:
        _moved_on(dispute, was)
    for movement in state.movements:
        fees.post_of_provider(movement)
    return dispute


def _row(payment: Payment, state: DisputeState) -> Dispute:
    kind = Dispute.Kind.RETURN if state.is_bank_debit else Dispute.Kind.DISPUTE
    dispute, _is_new = Dispute.objects.select_for_update().get_or_create(
        stripe_dispute_id=state.id, defaults={"payment": payment, "kind": kind, "amount_cents": state.amount_cents}
    )
    dispute.payment = payment
    return dispute


def _is_older(dispute: Dispute, state: DisputeState) -> bool:
    """Whether the news was fetched before what is known: money never un-moves, and what is closed is not reopened."""
    if len(state.movements) != dispute.movements:
        return len(state.movements) < dispute.movements
    return dispute.closed_at is not None and state.status not in CLOSED and not state.status.startswith("appeal")


def _remember(dispute: Dispute, state: DisputeState) -> None:
    dispute.status = state.status[:30]
    dispute.reason = state.reason[:60]
    dispute.return_code = state.return_code
    dispute.amount_cents = state.amount_cents
    dispute.is_refundable = state.is_refundable
    dispute.due_by = state.due_by
    if state.status not in CLOSED:
        dispute.closed_at = None
    elif dispute.closed_at is None:
        dispute.closed_at = timezone.now()


def _book(dispute: Dispute, state: DisputeState) -> None:
    """Make the book say what the dispute's balance transactions say, dated today."""
    today = timezone.localdate()
    dispute.movements = len(state.movements)
    if state.withdrawn_cents != dispute.booked_cents:
        if dispute.booked_cents:
            taking_back.undo(taking_back.of_dispute(dispute, on=today))
        dispute.booked_cents, dispute.booked_as = state.withdrawn_cents, dispute.movements
        dispute.booked_at = timezone.now()
        if dispute.booked_cents:
            taking_back.post(taking_back.of_dispute(dispute, on=today))
    dispute.save()


def _taken(dispute: Dispute) -> None:
    """Money was taken: what was to be sent back besides is stopped, and what follows from a return is done."""
    payment = dispute.payment
    is_return = dispute.kind == Dispute.Kind.RETURN
    _record("payment.bank_returned" if is_return else "payment.dispute_taken", dispute, "")
    approvals.withdraw_waiting(payment, reason="Its bank has taken the payment back.")
    _look_for_twice(dispute)
    if is_return:
        code = return_codes.of(dispute.return_code, reason=dispute.reason)
        returns.act(payment, code)


def _moved_on(dispute: Dispute, was: str) -> None:
    """The dispute's state has changed: written down, and in the queue of staff while something is to be done."""
    number = dispute.payment.number
    if dispute.status not in KNOWN:
        open_work(
            "payment_conflict",
            subject=f"payment:{number}",
            dedupe_key=f"dispute-unknown:{dispute.pk}:{dispute.status}",
            detail=f"Dispute {dispute.stripe_dispute_id} has the unknown status {dispute.status}. Look it up there.",
        )
    if dispute.kind == Dispute.Kind.RETURN:  # the bank's word is final: what follows is done in `_taken`
        return
    is_closed, is_inquiry = dispute.status in CLOSED, dispute.status.startswith("warning")
    _record("dispute.closed" if is_closed else "dispute.open", dispute, was)
    key = f"dispute:{dispute.stripe_dispute_id}"
    if not is_inquiry or is_closed:
        close_work(f"{key}:inquiry", reason=f"The question is over: {dispute.status}.")
    if is_closed:
        close_work(key, reason=f"The dispute is closed: {dispute.status}.")
    else:
        open_work(
            "dispute",
            subject=f"payment:{number}",
            dedupe_key=f"{key}:inquiry" if is_inquiry else key,
            detail=staff_wording.next_step(dispute),
            due_at=dispute.due_by,
        )


def _look_for_twice(dispute: Dispute) -> None:
    """More went back than was paid (a refund crossed the bank's own taking), or a void bill owes: a person looks."""
    payment = dispute.payment
    back = sum(payment.refunds.filter(status__in=POSTED).values_list("amount_cents", flat=True))
    back += sum(payment.disputes.values_list("booked_cents", flat=True))
    if back > payment.amount_cents:
        open_work(
            "payment_conflict",
            subject=f"payment:{payment.number}",
            dedupe_key=f"back-twice:{dispute.pk}",
            detail=f"{format_usd(back)} went back of {format_usd(payment.amount_cents)}: a refund, and the bank's own"
            " taking. What is too much is owed on the bill again. Answer the dispute with the refund's receipt.",
        )
    void = payment.allocations.filter(bill__voided_at__isnull=False, bill__receivable__balance_cents__gt=0)
    for allocation in void.select_related("bill"):
        open_work(
            "unexpected_money",
            subject=f"bill:{allocation.bill.number}",
            dedupe_key=f"void-owes:{allocation.bill_id}:{dispute.pk}",
            detail="The bill is void, its payment was taken back, and the credit that it had left is spent: it owes.",
        )


def _record(kind: str, dispute: Dispute, was: str, **more: Any) -> None:
    payment = dispute.payment
    record(
        kind,
        subject=f"payment:{payment.number}",
        owner_id=payment.household_id,
        from_status=was[:20],
        to_status=dispute.status[:20],
        actor="stripe",
        payment_id=payment.pk,
        dispute_id=dispute.pk,
        code=dispute.return_code,
        **more,
    )
    ring("notifications.tasks.work_off")
