"""What can still be paid on a bill: its balance less what is on its way (DESIGN section 6)."""

from collections.abc import Iterable

from django.db.models import Q, Sum

from accounts.visibility import Scope
from bills.models import Bill, BillQuerySet
from payments.models import PaymentAllocation
from payments.states import IN_FLIGHT


def bills_to_pay(scope: Scope) -> BillQuerySet:
    """The bills that the viewer may pay, whatever is owed on them: not those of a delegate who may only look."""
    may_pay = Q(member_id__in=scope.payable_ids) | Q(shared_at__isnull=False)
    return Bill.objects.visible_to(scope).filter(may_pay, voided_at__isnull=True)


def in_flight_cents(bill_ids: Iterable[int], *, but: int | None = None) -> dict[int, int]:
    """US cents on their way to each bill that has any, leaving out the payment `but`: one query."""
    rows = (
        PaymentAllocation.objects.filter(bill_id__in=list(bill_ids), payment__status__in=IN_FLIGHT)
        .exclude(payment_id=but or 0)
        .values_list("bill_id")
        .annotate(cents=Sum("amount_cents"))
    )
    return dict(rows)


def payable_cents(bills: Iterable[Bill], *, but: int | None = None) -> dict[int, int]:
    """US cents that can still be paid on each bill, by its id; 0 where everything owed is on its way."""
    bills = list(bills)
    waiting = in_flight_cents([bill.pk for bill in bills], but=but)
    return {bill.pk: max(0, bill.balance_cents - waiting.get(bill.pk, 0)) for bill in bills}
