"""Holding the lines of Stripe's book against ours: most in one statement, the rest each with its question to Stripe.

What is ours and was not heard of (webhooks down, a restored database) is taken in by the same function that the webhook
would have called. What is not ours goes to suspense. What Stripe has not decided waits for the next run.
"""

import logging
from collections.abc import Callable
from enum import StrEnum

from django.db import connection

from payments import balance_lines, disputes, findings, gateway, refunds, statement, sweeping
from payments.models import BalanceTransaction, Dispute, Finding, Payment, ReconciliationRun, Refund
from payments.provider import DisputeState, Refused
from payments.states import IN_FLIGHT, SETTLED

logger = logging.getLogger(__name__)

Outcome = BalanceTransaction.Outcome


class Came(StrEnum):
    """What came of a line."""

    MATCHED = "matched"
    ADOPTED = "adopted"
    ONLY_THERE = "only_there"
    DIFFERS = "differs"
    WAITING = "waiting"


_CHARGES_THAT_MATCH = """
    UPDATE payments_balancetransaction b SET outcome = 'matched'
    FROM payments_payment p
    WHERE b.outcome = 'waiting' AND b.stripe_id = ANY(%(ids)s) AND b.type = ANY(%(types)s)
      AND p.stripe_charge_id = b.source_id AND p.amount_cents = b.amount_cents AND p.status = ANY(%(settled)s)
      AND p.settled_at >= (SELECT min(created_at) - interval '1 day' FROM payments_balancetransaction
                           WHERE stripe_id = ANY(%(ids)s))
    RETURNING b.amount_cents
"""
_REFUNDS_THAT_MATCH = """
    UPDATE payments_balancetransaction b SET outcome = 'matched'
    FROM payments_refund r
    WHERE b.outcome = 'waiting' AND b.stripe_id = ANY(%(ids)s)
      AND r.stripe_refund_id = b.source_id AND r.amount_cents = abs(b.amount_cents)
      AND ((b.type = ANY(%(types)s) AND b.amount_cents < 0 AND r.status IN ('pending', 'succeeded'))
        OR (b.type = ANY(%(failures)s) AND b.amount_cents > 0 AND r.status IN ('failed', 'canceled')))
    RETURNING b.amount_cents
"""


def in_bulk(stripe_ids: list[str]) -> list[int]:
    """Match the lines that need no question: charges of settled payments, and refunds that are booked. US cents each.

    Payments are found by the index of when they settled: none settled long before its charge was written.
    """
    params = {
        "ids": stripe_ids, "settled": [str(status) for status in SETTLED], "types": list(balance_lines.CHARGES),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_CHARGES_THAT_MATCH, params)
        found = [row[0] for row in cursor.fetchall()]
        params |= {"types": list(balance_lines.REFUNDS), "failures": list(balance_lines.FAILED_REFUNDS)}
        cursor.execute(_REFUNDS_THAT_MATCH, params)
        return found + [row[0] for row in cursor.fetchall()]


def one(line: BalanceTransaction, *, run: ReconciliationRun) -> Came:
    """Find out what a line is, asking Stripe, and book it. Raises provider.GatewayError."""
    return _HANDLERS.get(line.type, _unclassed)(line, run)


def _charge(line: BalanceTransaction, run: ReconciliationRun) -> Came:
    charge = statement.charge(line.source_id)
    payment = _payment_of(charge.intent_id, charge.payment_number)
    if payment is not None:
        was_settled = payment.status in SETTLED
        payment = _brought_up_to_date(payment, charge.intent_id)
        if payment.status in SETTLED and payment.stripe_charge_id == line.source_id:
            if payment.amount_cents != line.amount_cents:
                return _differs(line, run, payment, here_cents=payment.amount_cents)
            return _matched(line, Came.MATCHED if was_settled else Came.ADOPTED)
        if charge.status == "pending" and payment.status in IN_FLIGHT:
            return Came.WAITING
    whose = f"It names payment {payment.number}, which it does not fit." if payment else "It names no payment here."
    findings.suspend(
        line, line.source_id, run=run, intent_id=charge.intent_id,
        detail=f"Charge {line.source_id} is not in the book. {whose} Its money is in suspense.",
    )  # fmt: skip
    return Came.ONLY_THERE


def _refund(line: BalanceTransaction, run: ReconciliationRun) -> Came:
    state = gateway.refund_state(line.source_id)
    payment = _payment_of(state.intent_id, "")
    if payment is None:
        detail = f"Refund {state.id} is of a charge that is not in the book."
        findings.suspend(line, state.charge_id or state.id, run=run, detail=detail, intent_id=state.intent_id)
        return Came.ONLY_THERE
    known = Refund.objects.filter(stripe_refund_id=state.id).exists()
    refunds.refresh(_brought_up_to_date(payment, state.intent_id))
    refund = Refund.objects.filter(stripe_refund_id=state.id).first()
    if refund is None:
        return Came.WAITING
    if refund.amount_cents != abs(line.amount_cents):
        return _differs(line, run, payment, here_cents=refund.amount_cents)
    return _matched(line, Came.MATCHED if known else Came.ADOPTED)


def _dispute(line: BalanceTransaction, run: ReconciliationRun) -> Came:
    if not line.source_id.startswith(("dp_", "du_", "pdp_")):
        return _unclassed(line, run)
    state = statement.dispute(line.source_id)
    payment = _payment_of(state.intent_id, "") or _payment_of_charge(state.charge_id)
    if payment is None:
        detail = f"Dispute {state.id} is of a charge that is not in the book."
        findings.suspend(line, state.charge_id or state.id, run=run, detail=detail, intent_id=state.intent_id)
        return Came.ONLY_THERE
    before = _booked(state.id)
    dispute = disputes.apply(_brought_up_to_date(payment, state.intent_id).pk, state)
    if dispute.booked_cents != state.withdrawn_cents:
        return _differs(line, run, payment, here_cents=-dispute.booked_cents)
    return _matched(line, Came.MATCHED if before == _booked(state.id) else Came.ADOPTED)


def take_dispute(state: DisputeState) -> None:
    """Bring a dispute of ours to where it stands at Stripe, whatever it has moved."""
    payment = _payment_of(state.intent_id, "") or _payment_of_charge(state.charge_id)
    if payment is not None:
        try:
            disputes.apply(_brought_up_to_date(payment, state.intent_id).pk, state)
        except disputes.NotSettled:
            logger.warning("dispute %s is of a payment that has not settled", state.id)


def _failed_charge(line: BalanceTransaction, run: ReconciliationRun) -> Came:
    """A bank debit that was written as pending and failed: the two lines of its charge come to nothing."""
    lines = BalanceTransaction.objects.filter(source_id=line.source_id)
    if sum(lines.values_list("amount_cents", flat=True)) == 0:
        lines.filter(outcome=Outcome.WAITING).update(outcome=Outcome.MATCHED)
        return Came.MATCHED
    return _unclassed(line, run)


def _unclassed(line: BalanceTransaction, run: ReconciliationRun) -> Came:
    detail = f"Stripe moved money as {line.type} ({line.category or 'no category'}), which the portal does not know."
    findings.suspend(line, line.source_id or line.stripe_id, run=run, detail=detail)
    return Came.ONLY_THERE


_HANDLERS: dict[str, Callable[[BalanceTransaction, ReconciliationRun], Came]] = {
    **dict.fromkeys(balance_lines.CHARGES, _charge),
    **dict.fromkeys((*balance_lines.REFUNDS, *balance_lines.FAILED_REFUNDS), _refund),
    **dict.fromkeys(balance_lines.DISPUTES, _dispute),
    **dict.fromkeys(balance_lines.FAILED_CHARGES, _failed_charge),
}


def _payment_of(intent_id: str, number: str) -> Payment | None:
    """Our payment: by its intent, or where the reply that named that was lost, by what the charge says of itself."""
    found = Payment.objects.filter(stripe_payment_intent_id=intent_id).first() if intent_id else None
    return found or (Payment.objects.filter(number=number).first() if number else None)


def _payment_of_charge(charge_id: str) -> Payment | None:
    finding = Finding.objects.filter(subject=charge_id, payment__isnull=False).first()
    return finding.payment if finding else None


def _brought_up_to_date(payment: Payment, intent_id: str) -> Payment:
    if payment.stripe_payment_intent_id is None and intent_id:
        return sweeping.adopt(payment, intent_id)
    try:
        return sweeping.refresh(payment)
    except Refused:
        return payment


def _booked(stripe_dispute_id: str) -> tuple[int, int] | None:
    row = Dispute.objects.filter(stripe_dispute_id=stripe_dispute_id).values_list("booked_cents", "movements").first()
    return (row[0], row[1]) if row else None


def _matched(line: BalanceTransaction, came: Came) -> Came:
    BalanceTransaction.objects.filter(pk=line.pk, outcome=Outcome.WAITING).update(outcome=Outcome.MATCHED)
    return came


def _differs(line: BalanceTransaction, run: ReconciliationRun, payment: Payment, *, here_cents: int) -> Came:
    """Alarm: nobody knows which is right, so nothing is changed (FAULTS D21)."""
    finding, _is_new = findings.open_finding(
        Finding.Kind.DIFFERS, line.source_id, run=run, payment=payment, here_cents=here_cents,
        there_cents=line.amount_cents,
        detail=f"{line.source_id} is not of the amount that payment {payment.number} has here. Nothing was changed.",
    )  # fmt: skip
    BalanceTransaction.objects.filter(pk=line.pk).update(outcome=Outcome.DIFFERS, finding=finding)
    return Came.DIFFERS
