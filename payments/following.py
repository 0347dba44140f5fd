"""What a payment is called after money of it went back: said by its refunds, returns and disputes, and by nothing else.

Called under the payment's lock, so that no older answer is set over a newer one (FAULTS M9).
"""

from django.db.models import Sum

from payments import moving
from payments.models import Dispute, Payment
from payments.states import SETTLED, PaymentStatus
from payments.taking_back import POSTED

# An inquiry (`warning_…`) asks a question and takes nothing; `prevented` was given back before it began (Stripe's
# dispute statuses: docs.stripe.com/api/disputes/object).
OPEN = ("needs_response", "under_review", "appeal_needs_response", "appeal_under_review")


def follow(payment_id: int, *, reason: str, actor: str = "stripe") -> Payment:
    """Bring a settled payment to what went back of it. It does nothing to one that has not settled."""
    payment = Payment.objects.get(pk=payment_id)
    if payment.status not in SETTLED:
        return payment
    return moving.move(payment_id, status_of(payment), actor=actor, reason=reason)


def status_of(payment: Payment) -> PaymentStatus:
    """What a settled payment is to be called: what a bank took comes before what was sent back by choice."""
    disputes = list(payment.disputes.all())
    if any(each.kind == Dispute.Kind.RETURN and each.booked_cents for each in disputes):
        return PaymentStatus.RETURNED
    if any(each.kind == Dispute.Kind.DISPUTE and (each.booked_cents or each.status in OPEN) for each in disputes):
        return PaymentStatus.DISPUTED
    refunded = payment.refunds.filter(status__in=POSTED).aggregate(cents=Sum("amount_cents"))["cents"] or 0
    if not refunded:
        return PaymentStatus.SUCCEEDED
    return PaymentStatus.REFUNDED if refunded >= payment.amount_cents else PaymentStatus.PARTIALLY_REFUNDED
