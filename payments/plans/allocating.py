"""What an amount paid toward a plan is for: its bills, the one due first before the others, never more than is payable.

What is on its way counts as paid, and a bill that waits (bills.holds) takes nothing.
"""

from collections.abc import Sequence

from bills.models import Bill
from payments.allocating import payable_cents
from payments.models import PaymentPlan


def bills_of(plan: PaymentPlan) -> list[Bill]:
    """The bills that are on the plan, the one due first before the others. One query."""
    on_it = plan.plan_bills.standing().values("bill_id")
    return list(Bill.objects.filter(pk__in=on_it).select_related("receivable", "member").order_by("due_on", "pk"))


def allocation(plan: PaymentPlan, cents: int) -> dict[int, int]:
    """US cents of an amount for each bill, by its id; together the amount, or less where less can be paid."""
    return share_out(bills_of(plan), cents)


def payable_of(plan: PaymentPlan) -> int:
    """US cents that can still be paid on the plan: owed, not on its way, and not waiting."""
    return sum(allocation(plan, sum(bill.balance_cents for bill in bills_of(plan))).values())


def share_out(bills: Sequence[Bill], cents: int) -> dict[int, int]:
    """The same, of bills in order. One query."""
    payable = payable_cents(bills)
    shares: dict[int, int] = {}
    for bill in bills:
        share = min(cents, payable[bill.pk]) if bill.held_since is None and bill.voided_at is None else 0
        if share > 0:
            shares[bill.pk] = share
            cents -= share
    return shares
