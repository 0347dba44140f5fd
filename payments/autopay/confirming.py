"""Finishing a charge for which the payer's bank wants the payer: the same intent, confirmed while the payer is there.

Nothing is charged anew, so that whatever is clicked twice, or comes back late, is one charge (FAULTS B15).
"""

from django.conf import settings

from payments import checkout, gateway, moving, settlement
from payments.models import Payment
from payments.provider import Intent, Refused
from payments.states import PaymentStatus

UNANSWERED = "requires_payment_method"  # Stripe's state of an intent that was declined without the payer


def waits(payment: Payment, intent: Intent | None) -> bool:
    """Whether the bank's question was not put to the payer yet."""
    return intent is not None and intent.status == UNANSWERED and payment.channel in moving.OFF_SESSION


def begin(payment: Payment) -> Payment:
    """Put the bank's question to the payer who is there; where the bank asks nothing, it is charged.

    Raises provider.GatewayError.
    """
    payment = moving.current(payment.pk)
    if payment.status != PaymentStatus.REQUIRES_ACTION or not payment.stripe_payment_intent_id:
        return payment
    intent = gateway.intent(payment.stripe_payment_intent_id)
    if waits(payment, intent) and payment.method is not None and payment.method.is_ready:
        try:
            intent = gateway.confirm(
                payment.stripe_payment_intent_id, method_id=payment.method.stripe_id,
                return_url=settings.PORTAL_URL + checkout.return_path(payment),
            )  # fmt: skip
        except Refused:  # another tab was quicker: the intent says how it stands
            intent = gateway.intent(payment.stripe_payment_intent_id)
    return settlement.apply(payment.pk, intent, actor=f"user:{payment.payer_id}")
