"""What may be sent back of a payment, and when the payer sees it: the rules of `refunds`, which change nothing."""

import datetime as dt

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from accounts.households import is_of
from accounts.models import User
from bills.banking_days import add_banking_days
from bills.models import Bill
from ledger.money import format_usd
from payments import taking_back
from payments.models import Payment, PaymentMethod, Refund
from payments.states import PAPER_CHECK, PaymentStatus

REFUNDABLE = (PaymentStatus.SUCCEEDED, PaymentStatus.PARTIALLY_REFUNDED)
UNSENT = (Refund.Status.AWAITING_APPROVAL, Refund.Status.SUBMITTED)
STANDING = (*UNSENT, Refund.Status.PENDING, Refund.Status.SUCCEEDED)
ENDED = (Refund.Status.FAILED, Refund.Status.CANCELED)
# docs.stripe.com/payments/ach-direct-debit: a debit can be refunded within 180 days.
BANK_DAYS = 180
# Banking days until the money is seen: docs.stripe.com/refunds (cards), docs.stripe.com/payments/ach-direct-debit.
CARD_ARRIVES_DAYS = 10
BANK_ARRIVES_DAYS = 5


class RefundError(Exception):
    """A refund that cannot be made as asked; its text says why."""


class AmountExceedsRefundable(RefundError):
    """More than is left of the payment, or of its part for the bill."""


class NotRefundable(RefundError):
    """The payment has not succeeded, is disputed or returned (a refund would pay twice, FAULTS D11), or is too old."""


class OwnHousehold(RefundError):
    """Staff do not act on their own household."""


def refundable_cents(payment: Payment) -> int:
    """What can still be refunded of a payment, US cents."""
    if _why_not(payment):
        return 0
    asked = payment.refunds.filter(status__in=STANDING).aggregate(cents=Sum("amount_cents"))["cents"] or 0
    return payment.amount_cents - asked


def refundable_of(payment: Payment, bill: Bill) -> int:
    """What can still be refunded of a payment's part for one bill, US cents."""
    of_bill = taking_back.left_by_account(payment).get(bill.receivable_id, 0)
    asked = payment.refunds.filter(bill=bill, status__in=UNSENT).aggregate(cents=Sum("amount_cents"))["cents"] or 0
    return max(0, min(refundable_cents(payment), of_bill - asked))


def needs_second_person(payment: Payment, amount_cents: int) -> bool:
    """Whether a refund of this much is above what one person of staff may send.

    All that one person could send of the payment counts together: a large refund in small parts is a large refund.
    """
    alone = payment.refunds.filter(
        status__in=STANDING, decided_by__isnull=True, is_outside_portal=False, is_of_credit=False
    ).aggregate(cents=Sum("amount_cents"))
    return (alone["cents"] or 0) + amount_cents > settings.REFUND_SECOND_PERSON_CENTS


def arrives_on(refund: Refund) -> dt.date | None:
    """The day by which the payer should see the money; None where it does not come."""
    if refund.status in (*ENDED, Refund.Status.DECLINED, Refund.Status.AWAITING_APPROVAL):
        return None
    is_bank = refund.payment.method_kind == PaymentMethod.Kind.BANK_ACCOUNT
    sent_on = timezone.localdate(refund.decided_at or refund.created_at)
    return add_banking_days(sent_on, BANK_ARRIVES_DAYS if is_bank else CARD_ARRIVES_DAYS)


def refuse_not_refundable(payment: Payment) -> None:
    """Raise NotRefundable, saying why, where money of the payment cannot be sent back now."""
    if why := _why_not(payment):
        raise NotRefundable(why)


def refuse_own_household(payment: Payment, user: User) -> None:
    """Raise OwnHousehold where somebody of staff belongs to the household that paid, as its member or a delegate."""
    if is_of(user, [payment.household_id]):
        raise OwnHousehold("You cannot refund a payment of your own household.")


def _why_not(payment: Payment) -> str:
    if payment.frozen_at is not None:
        return f"Payment {payment.number} is frozen: Stripe does not know it. Nothing is sent back of it."
    if payment.method_kind == PAPER_CHECK:
        return f"Payment {payment.number} came by paper check: send the money back by check."
    if payment.credit_cents == payment.amount_cents:
        return f"Payment {payment.number} is household credit alone: send that back instead."
    if payment.status not in REFUNDABLE:
        named = payment.get_status_display().lower()
        return f"Payment {payment.number} is {named} ({payment.status}): it cannot be refunded."
    is_bank = payment.method_kind == PaymentMethod.Kind.BANK_ACCOUNT
    if is_bank and payment.settled_at and payment.settled_at < timezone.now() - dt.timedelta(days=BANK_DAYS):
        return f"A bank payment can be refunded within {BANK_DAYS} days. Send the money another way."
    return ""


def refuse_excess(payment: Payment, amount_cents: int, left: int) -> None:
    """Raise AmountExceedsRefundable for more than is left, and for nothing (FAULTS D13)."""
    if not 0 < amount_cents <= left:
        raise AmountExceedsRefundable(
            f"At most {format_usd(max(0, left))} of payment {payment.number} can be refunded."
        )
