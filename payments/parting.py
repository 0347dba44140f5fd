"""When two people part: what one had planned to pay for the other is called off (FAULTS F06, F17).

A confidential request, a birthday, a departure and the end of a delegate all end what one may pay for another. Nothing
would be sent anyway (`sending_due` asks again); this takes it off the lists. Runs as often as it likes.
"""

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import Member
from accounts.visibility import scope_of
from payments import moving
from payments.allocating import bills_to_pay
from payments.models import Payment, PaymentAllocation
from payments.states import PaymentStatus

BATCH = 500


def part_ways() -> int:
    """Call off what is scheduled for bills that its payer may no longer pay; how many payments."""
    today = timezone.localdate()
    apart = Member.objects.apart(today)
    theirs = PaymentAllocation.objects.filter(payment_id=OuterRef("pk")).filter(
        Q(bill__member__in=apart.values("pk")) | ~Q(bill__member__user_id=OuterRef("payer_id"))
    )
    scheduled = Payment.objects.filter(
        Exists(theirs), status=PaymentStatus.DRAFT, scheduled_on__isnull=False, payer__isnull=False
    ).select_related("payer")
    ended = 0
    for payment in scheduled.order_by("pk")[:BATCH].iterator():
        bill_ids = set(payment.allocations.values_list("bill_id", flat=True))
        assert payment.payer is not None
        if bills_to_pay(scope_of(payment.payer)).filter(pk__in=bill_ids).count() < len(bill_ids):
            ended += _call_off(payment)
    return ended


def _call_off(payment: Payment) -> int:
    try:
        moving.move(
            payment.pk, PaymentStatus.CANCELED, actor="system", failure_code="parted", settled_at=timezone.now()
        )
    except (moving.LostRace, moving.MoveNotAllowed):
        return 0  # sent or called off meanwhile
    return 1
