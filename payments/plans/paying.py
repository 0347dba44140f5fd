"""Paying a plan by hand: an instalment, ahead or all of it, through the ordinary checkout."""

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.visibility import Scope
from bills.models import Bill
from ledger.money import format_usd
from payments import checkout, readiness
from payments.checkout import AmountExceedsPayable, CheckoutError, NothingToPay
from payments.models import Payment, PaymentPlan
from payments.plans import allocating
from payments.plans.standing import Standing


def suggested_cents(where: Standing) -> int:
    """What is to be paid now, US cents: all that is due, or else the next instalment, and never more than is left."""
    due = where.due_cents(timezone.localdate())
    ahead = where.next_line.open_cents if where.next_line is not None else 0
    return min(due or ahead, where.left_cents)


def begin(scope: Scope, plan: PaymentPlan, *, payer: User, cents: int) -> Payment:
    """Draft a payment of so much of a plan; with the plan's method where it can pay. Raises CheckoutError."""
    if cents <= 0:
        raise NothingToPay(_("Choose an amount above $0.00."))
    shares = allocating.allocation(plan, cents)
    if sum(shares.values()) < cents:
        raise AmountExceedsPayable(
            _("At most %(amount)s of this plan can be paid now.")
            % {"amount": format_usd(allocating.payable_of(plan))}
        )  # fmt: skip
    numbers = dict(Bill.objects.filter(pk__in=shares).values_list("pk", "number"))
    amounts = {numbers[bill_id]: share for bill_id, share in shares.items()}
    payment = checkout.begin(scope, payer=payer, amounts=amounts)
    method = plan.method if plan.owner_id == payer.pk else None
    if method is None or readiness.why_not(method, payer):
        return payment
    try:
        return checkout.choose(payment, method=method)
    except CheckoutError:  # pre-tax money for what it may not pay: another method is chosen by hand
        return payment
