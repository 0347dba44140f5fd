"""Notices about payments, as things stand now."""

from collections.abc import Sequence

from django.urls import reverse

from notifications.kinds import KINDS
from notifications.models import Notification
from notifications.news.looking import Looked, News, NotToBeSent, name_of, reader
from payments.models import Payment


def of_payments(notices: Sequence[Notification]) -> dict[int, Looked]:
    numbers = {name_of(notice) for notice in notices}
    payments = {payment.number: payment for payment in Payment.objects.filter(number__in=numbers)}
    found: dict[int, Looked] = {}
    for notice in notices:
        payment, true_in = payments.get(name_of(notice)), KINDS[notice.kind].true_in
        if payment is None or not _sees(notice, payment):
            found[notice.pk] = NotToBeSent("the payment is not visible to the user")
        elif true_in is not None and payment.status not in true_in:
            found[notice.pk] = NotToBeSent(f"the payment is {payment.status} by now")
        else:
            # Of a checkout that several methods share one receipt tells, before all of them have answered.
            amount_cents = None if payment.split_id else payment.amount_cents
            found[notice.pk] = News(reverse("payment", args=[payment.number]), amount_cents=amount_cents)
    return found


def _sees(notice: Notification, payment: Payment) -> bool:
    """A payer sees the own payment; of others' the gate is asked."""
    is_own = payment.payer_id == notice.user_id
    return is_own or Payment.objects.visible_to(reader(notice)).filter(pk=payment.pk).exists()
