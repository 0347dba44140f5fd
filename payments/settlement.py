"""Applying what the provider says of a payment: the status, the transfers and the event in one transaction.

Whoever hears it first (the reply, the return page, a webhook, the sweeper) calls `apply`; the others find it done.
"""

from typing import Any

from django.utils import timezone

import ledger
from activity.recording import open_work, record
from ledger import Posting
from ledger.chart import Code, SystemAccount
from ledger.locking import hold
from ledger.money import format_usd
from ledger.opening import system_id
from ledger.transactions import atomic_with_retry
from payments import guest_receipts, mandates, methods, moving, returns
from payments.models import Mandate, Payment, PaymentMethod
from payments.provider import Intent, Refused
from payments.states import SETTLED, PaymentStatus

# Stripe's states of a payment intent, in ours (docs.stripe.com/payments/paymentintents/lifecycle).
STATUSES = {
    "requires_payment_method": PaymentStatus.FAILED,
    "requires_confirmation": PaymentStatus.REQUIRES_ACTION,
    "requires_action": PaymentStatus.REQUIRES_ACTION,
    "processing": PaymentStatus.PROCESSING,
    "succeeded": PaymentStatus.SUCCEEDED,
    "canceled": PaymentStatus.CANCELED,
}
# Declines of a charge without the payer that the payer can answer, confirming the same intent.
WANTS_PAYER = ("authentication_required", "mobile_device_authentication_required")
ASKABLE = (PaymentStatus.SUBMITTED, PaymentStatus.REQUIRES_ACTION)


@atomic_with_retry
def apply(payment_id: int, intent: Intent, *, actor: str = "stripe") -> Payment:
    """Bring a payment to where its intent stands, in any order and however often.

    What does not fit (another amount, another payment's intent, a state we do not know) becomes work for staff and
    changes nothing.
    """
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    if fault := mismatch(payment, intent):
        open_work(
            "payment_conflict",
            subject=f"payment:{payment.number}",
            dedupe_key=f"conflict:{payment.pk}:{intent.id}:{intent.status}",
            detail=fault,
        )
        return moving.current(payment_id)
    if intent.mandate_id and (mandate := Mandate.objects.filter(payment=payment, stripe_id="").first()):
        mandates.note_provider_id(mandate, intent.mandate_id, fingerprint=intent.method.fingerprint)
    target = _target(payment, intent)
    if payment.status in SETTLED or payment.status == target or _is_older(payment, target):
        _remember(payment, intent)
        return moving.current(payment_id)
    moved = moving.move(payment_id, target, actor=actor, **_changes(payment, intent, target))
    if target == PaymentStatus.SUCCEEDED:
        _post(moved)
        if moved.saves_method and moved.payer is not None:
            methods.keep(moved, intent.method)
        if moved.channel == Payment.Channel.GUEST:
            guest_receipts.send(moved)
    if target == PaymentStatus.FAILED and moved.method_kind == PaymentMethod.Kind.BANK_ACCOUNT:
        returns.act_on_failure(moved, was_on_its_way=payment.status == PaymentStatus.PROCESSING)
    return moved


@atomic_with_retry
def refuse(payment_id: int, refusal: Refused) -> Payment:
    """End a payment whose request the provider did not take as such: nothing was charged, and staff have to look.

    The member reads that it cannot be paid now, and never "declined" (FAULTS B11).
    """
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    if payment.status != PaymentStatus.SUBMITTED:
        return moving.current(payment_id)
    open_work(
        "payment_conflict",
        subject=f"payment:{payment.number}",
        dedupe_key=f"refused:{payment.pk}:{payment.attempt}",
        detail=f"The provider refused the request: {refusal.code} {refusal.parameter}".strip(),
    )
    return moving.move(payment_id, PaymentStatus.FAILED, actor="stripe", failure_code="cannot_pay_now")


def mismatch(payment: Payment, intent: Intent) -> str:
    """Why an intent is not to be applied to a payment; empty where it is (FAULTS B21, B22, D21, B19)."""
    # A charge that a person put to bills (payments.findings) names no payment, or another.
    if payment.channel != Payment.Channel.STAFF and intent.payment_number != payment.number:
        return f"Intent {intent.id} was made for another payment."
    if intent.amount_cents != payment.amount_cents:
        named, ours = format_usd(intent.amount_cents), format_usd(payment.amount_cents)
        return f"Intent {intent.id} is for {named}, the payment for {ours}."
    if intent.status == "succeeded" and intent.received_cents != payment.amount_cents:
        return f"Intent {intent.id} received {format_usd(intent.received_cents)} of {format_usd(payment.amount_cents)}."
    if payment.stripe_payment_intent_id not in (None, intent.id):
        return f"Intent {intent.id} is a second one beside {payment.stripe_payment_intent_id}."
    if intent.status not in STATUSES:
        return f"Intent {intent.id} has the unknown status {intent.status[:40]}."
    return ""


def _target(payment: Payment, intent: Intent) -> PaymentStatus:
    """Where an intent brings a payment. A bank that wants a payer who is not there waits for the payer (FAULTS B15)."""
    target = STATUSES[intent.status]
    is_asked = payment.channel in moving.OFF_SESSION and intent.failure_code in WANTS_PAYER
    if target == PaymentStatus.FAILED and is_asked and payment.status in ASKABLE:
        return PaymentStatus.REQUIRES_ACTION
    return target


def _is_older(payment: Payment, target: PaymentStatus) -> bool:
    """Whether the news is of a state that the payment has left behind (FAULTS C11)."""
    ended = payment.status in (PaymentStatus.FAILED, PaymentStatus.CANCELED)
    return (ended and target != PaymentStatus.SUCCEEDED) or (
        payment.status == PaymentStatus.PROCESSING and target == PaymentStatus.REQUIRES_ACTION
    )


def _remember(payment: Payment, intent: Intent) -> None:
    """Keep the provider's ids on a payment whose state does not change."""
    Payment.objects.filter(pk=payment.pk).update(
        asked_at=timezone.now(),
        stripe_payment_intent_id=intent.id,
        stripe_charge_id=intent.charge_id or payment.stripe_charge_id,
    )


def _changes(payment: Payment, intent: Intent, target: PaymentStatus) -> dict[str, Any]:
    changes: dict[str, Any] = {"stripe_payment_intent_id": intent.id, "asked_at": timezone.now()}
    if intent.charge_id:
        changes["stripe_charge_id"] = intent.charge_id
    if intent.method.kind:
        changes |= {
            "method_kind": intent.method.kind,
            "method_brand": intent.method.brand,
            "method_last4": intent.method.last4,
            "method_wallet": intent.method.wallet,
        }
    if target in (PaymentStatus.SUCCEEDED, PaymentStatus.FAILED, PaymentStatus.CANCELED):
        changes["settled_at"] = timezone.now()
    if target == PaymentStatus.FAILED:
        changes["failure_code"] = intent.failure_code or "card_declined"
    if target == PaymentStatus.CANCELED:
        changes["failure_code"] = "abandoned"
    if target == PaymentStatus.SUCCEEDED:
        changes["failure_code"] = ""
    return changes


def _post(payment: Payment) -> None:
    """Post a payment that succeeded: to each bill what it still owes, and the rest to household credit."""
    allocations = list(payment.allocations.select_related("bill").order_by("bill__receivable_id"))
    credit_id = payment.household.credit_id
    assert credit_id is not None
    balances = hold([credit_id, *(allocation.bill.receivable_id for allocation in allocations)])
    postings, over_cents = [], 0
    for allocation in allocations:
        bill = allocation.bill
        owed = min(allocation.amount_cents, balances[bill.receivable_id])
        over = allocation.amount_cents - owed
        for cents, code, account_id, suffix in (
            (owed, Code.PAYMENT, bill.receivable_id, ""),
            (over, Code.OVERPAYMENT, credit_id, ":over"),
        ):
            if cents:
                made = posting(payment, bill_id=bill.pk, account_id=account_id, cents=cents, code=code, suffix=suffix)
                postings.append(made)
        over_cents += over
    ledger.post_many(postings)
    if over_cents:
        _tell_of_overpayment(payment, over_cents)


def posting(
    payment: Payment, *, bill_id: int, account_id: int, cents: int, code: Code, suffix: str = ""
) -> Posting:  # fmt: skip
    """What a payment that succeeded moves to one account for one bill, US cents: with this key, once."""
    return Posting(
        debit_id=system_id(SystemAccount.STRIPE_CLEARING),
        credit_id=account_id,
        amount_cents=cents,
        code=code,
        key=f"payment:{payment.pk}:bill:{bill_id}{suffix}",
        reference=f"payment:{payment.number}",
        effective_on=payment.effective_on or timezone.localdate(),
        owner_id=payment.household_id,
    )


def _tell_of_overpayment(payment: Payment, over_cents: int) -> None:
    """The bill was voided, adjusted or paid elsewhere meanwhile: the money is kept, and somebody looks (FAULTS A10)."""
    record(
        "payment.overpaid",
        subject=f"payment:{payment.number}",
        owner_id=payment.household_id,
        actor="system",
        payment_id=payment.pk,
        over_cents=over_cents,
    )
    open_work(
        "unexpected_money",
        subject=f"payment:{payment.number}",
        dedupe_key=f"over:{payment.pk}",
        detail=f"{format_usd(over_cents)} was more than the bills owed and is household credit now.",
    )
