"""Money on its way: methods, payments and what they are for, refunds, disputes, and the inbox of Stripe's events."""

from payments.models.events import StripeEvent
from payments.models.methods import PaymentMethod, PaymentMethodQuerySet, StripeCustomer
from payments.models.overpaid import CreditMove
from payments.models.payment import Payment, PaymentAllocation, PaymentAllocationQuerySet, PaymentQuerySet, PaymentSplit
from payments.models.taken_back import Dispute, Refund, RefundQuerySet

__all__ = [
    "CreditMove",
    "Dispute",
    "Payment",
    "PaymentAllocation",
    "PaymentAllocationQuerySet",
    "PaymentMethod",
    "PaymentMethodQuerySet",
    "PaymentQuerySet",
    "PaymentSplit",
    "Refund",
    "RefundQuerySet",
    "StripeCustomer",
    "StripeEvent",
]
