"""What can still be paid on a bill: its balance less what is on its way (DESIGN section 6)."""

from collections.abc import Collection, Iterable

from django.db.models import Q, Sum

from accounts.visibility import Scope
from bills.models import Bill, BillQuerySet
from payments.models import PaymentAllocation
from payments.states import IN_FLIGHT


def bills_to_pay(scope: Scope) -> BillQuerySet:
    """The bills that the viewer may pay, whatever is owed on them: not those of a delegate who may only look."""
    shared = Q(member_id__in=scope.confidential_ids, shared_at__isnull=False)
    may_pay = Q(member_id__in=scope.payable_ids) | shared
    return Bill.objects.visible_to(scope).filter(may_pay, voided_at__isnull=True)


def in_flight_cents(bills: Collection[Bill], *, but: int | None = None) -> dict[int, int]:
    """US cents on their way to each bill that has any, by its id, leaving out the payment `but`: one query.

    Asked for by household, which has few payments on their way, if any: a payment is for bills of one household.
    """
    rows = (
        PaymentAllocation.objects.filter(
            bill_id__in=[bill.pk for bill in bills],
            payment__household_id__in={bill.household_id for bill in bills},
            payment__status__in=IN_FLIGHT,
        )
        .exclude(payment_id=but or 0)
        .values_list("bill_id")
        .annotate(cents=Sum("amount_cents"))
    )
    return dict(rows)


def payable_cents(bills: Iterable[Bill], *, but: int | None = None) -> dict[int, int]:
    """US cents that can still be paid on each bill, by its id; 0 where everything owed is on its way."""
    bills = list(bills)
    waiting = in_flight_cents(bills, but=but)
    return {bill.pk: max(0, bill.balance_cents - waiting.get(bill.pk, 0)) for bill in bills}
