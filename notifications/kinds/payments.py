"""Notices of payments: sent, taken back by a bank, scheduled, refunded."""

from django.utils.translation import gettext_lazy as _

from notifications import audience
from notifications.kinds.kind import Kind, Topic
from payments.states import SETTLED, PaymentStatus

NEVER_RETURNED = frozenset(map(str, SETTLED)) - {str(PaymentStatus.RETURNED)}

KINDS: tuple[Kind, ...] = (
    # Payments
    Kind(
        name="receipt", label=_("Your payment receipt"), topic=Topic.PAYMENTS, events=("payment.succeeded",),
        told=audience.payer_of_checkout, is_required=True, may_state_amount=True, true_in=NEVER_RETURNED,
    ),
    Kind(
        name="guest_paid", label=_("Somebody paid toward a bill for you"), topic=Topic.PAYMENTS,
        events=("payment.succeeded",), told=audience.owners_of_guest_payment, may_state_amount=True,
        true_in=NEVER_RETURNED,
    ),
    Kind(
        name="payment_failed", label=_("Your payment did not go through"), topic=Topic.PAYMENTS,
        events=("payment.failed",), told=audience.payer_by_hand, is_required=True, true_in=frozenset({"failed"}),
    ),
    Kind(
        name="payment_on_its_way", label=_("Your payment is on its way"), topic=Topic.PAYMENTS,
        events=("payment.processing",), told=audience.payer, true_in=frozenset({"processing"}),
    ),
    # Payments that a bank took back
    Kind(
        name="payment_returned", label=_("A payment was returned by your bank"), topic=Topic.PAYMENTS,
        events=("payment.bank_returned",), told=audience.payer_each_time, is_required=True,
        true_in=frozenset({"returned"}),
    ),
    Kind(
        name="payment_disputed", label=_("A payment is disputed with your bank"), topic=Topic.PAYMENTS,
        events=("payment.dispute_taken",), told=audience.payer_each_time, is_required=True,
        true_in=frozenset({"disputed"}),
    ),
    Kind(
        name="dispute_closed", label=_("Your bank has decided about a payment"), topic=Topic.PAYMENTS,
        events=("dispute.closed",), told=audience.payer_each_time, is_required=True,
    ),
    Kind(
        name="guest_payment_returned", label=_("A payment that somebody made for you was taken back"),
        topic=Topic.PAYMENTS, events=("payment.bank_returned", "payment.dispute_taken"),
        told=audience.owners_of_guest_payment, is_required=True, true_in=frozenset({"returned", "disputed"}),
    ),
    Kind(
        name="payment_retry", label=_("A returned payment is sent again"), topic=Topic.PAYMENTS,
        events=("payment.retry_planned",), told=audience.payer, is_required=True, true_in=frozenset({"draft"}),
    ),
    # Payments that wait for their day
    Kind(
        name="scheduled_ahead", label=_("A scheduled payment is sent tomorrow"), topic=Topic.PAYMENTS,
        events=("payment.scheduled_ahead",), told=audience.payer_of_day, is_required=True,
        true_in=frozenset({"draft"}),
    ),
    Kind(
        name="scheduled_not_sent", label=_("A scheduled payment was not sent"), topic=Topic.PAYMENTS,
        events=("payment.not_sent",), told=audience.payer, is_required=True, true_in=frozenset({"canceled"}),
    ),
    Kind(
        name="scheduled_less", label=_("A scheduled payment was lowered"), topic=Topic.PAYMENTS,
        events=("payment.scheduled_less",), told=audience.payer, is_required=True,
    ),
    # Refunds
    Kind(
        name="refund_pending", label=_("A refund was started"), topic=Topic.PAYMENTS, events=("refund.pending",),
        told=audience.payer_of_refund, is_required=True,
    ),
    Kind(
        name="refund_sent", label=_("A refund is on its way to you"), topic=Topic.PAYMENTS,
        events=("refund.succeeded",), told=audience.payer_of_refund, is_required=True,
    ),
    Kind(
        name="refund_failed", label=_("A refund could not be sent"), topic=Topic.PAYMENTS,
        events=("refund.failed", "refund.canceled"), told=audience.payer_of_refund, is_required=True,
    ),
)  # fmt: skip
