"""A way on after a payment that failed: a new draft of the same amounts, for which another method can be chosen."""

from accounts.visibility import Scope
from payments import checkout
from payments.checkout import CheckoutError
from payments.models import Payment
from payments.states import PaymentStatus


def again(payment: Payment, scope: Scope) -> Payment | None:
    """The draft that follows a failed payment: the same one however often it is asked for (FAULTS A09).

    None where the payment has not failed, is not the viewer's own, or its bills can no longer take it.
    """
    payer = payment.payer
    if payment.status != PaymentStatus.FAILED or payer is None or payer.pk != scope.user_id:
        return None
    amounts = dict(payment.allocations.order_by("pk").values_list("bill__number", "amount_cents"))
    try:
        return checkout.begin(scope, payer=payer, amounts=amounts, client_key=f"again:{payment.pk}")
    except CheckoutError:
        return None
