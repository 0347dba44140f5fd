"""The payments of one checkout that several methods share: each part is a payment of its own (payments.splitting).

What each is for is a rule and no choice: pre-tax money first, on what it may pay, and the rest by largest remainder.
"""

from collections.abc import Mapping, Sequence

from django.db.models import Sum

from bills.models import Bill
from ledger import money
from payments import eligibility
from payments.models import Payment, PaymentAllocation, PaymentSplit
from payments.states import PaymentStatus


class Changed(Exception):
    """The checkout was parted or joined between the look and the lock."""


def of(payment: Payment) -> list[Payment]:
    """The payments that share a payment's checkout, in the order in which they were made; itself alone if none do."""
    if payment.split_id is None:
        return [payment]
    return list(Payment.objects.filter(split_id=payment.split_id).select_related("payer", "method").order_by("pk"))


def locked(payment_id: int) -> list[Payment]:
    """The same, locked until the end of the transaction: the split first, then its payments in one order.

    Raises Changed.
    """
    split_id = Payment.objects.values_list("split_id", flat=True).get(pk=payment_id)
    if split_id is None:
        legs = list(Payment.objects.select_for_update().filter(pk=payment_id))
    else:
        PaymentSplit.objects.select_for_update().get(pk=split_id)
        legs = list(Payment.objects.select_for_update().filter(split_id=split_id).order_by("pk"))
    if {leg.split_id for leg in legs} != {split_id} or payment_id not in {leg.pk for leg in legs}:
        raise Changed(payment_id)
    return legs


def wanted_cents(legs: Sequence[Payment]) -> dict[int, int]:
    """What the payments are for together, US cents by bill, in the order of the first."""
    rows = PaymentAllocation.objects.filter(payment__in=legs).values_list("bill_id").annotate(Sum("amount_cents"))
    return dict(sorted(rows))


def share_out(legs: Sequence[Payment]) -> None:
    """Say anew which payment is for how much of which bill. For drafts, under `locked`."""
    if len(legs) < 2 or any(leg.status != PaymentStatus.DRAFT for leg in legs):
        return
    wanted = wanted_cents(legs)
    eligible = wanted
    if legs[0].kind == Bill.Kind.MEDICAL and any(eligibility.label_of(leg) for leg in legs):
        eligible = eligibility.eligible_cents(Bill.objects.filter(pk__in=wanted).select_related("receivable"))
    parts = shares(wanted, eligible, [(leg.pk, leg.amount_cents, bool(eligibility.label_of(leg))) for leg in legs])
    PaymentAllocation.objects.filter(payment__in=legs).delete()
    PaymentAllocation.objects.bulk_create(
        PaymentAllocation(payment_id=leg_id, bill_id=bill_id, amount_cents=cents)
        for leg_id, part in parts.items()
        for bill_id, cents in part.items()
        if cents
    )


def shares(
    wanted: Mapping[int, int], eligible: Mapping[int, int], legs: Sequence[tuple[int, int, bool]]
) -> dict[int, dict[int, int]]:
    """US cents of each leg for each bill. `legs`: id, amount, and whether it is pre-tax; the amounts sum to `wanted`.

    Pre-tax legs go first, on what is eligible, and only then on the rest, where `eligibility.why_not` refuses them.
    """
    left, room_left = dict(wanted), dict(eligible)  # what one pre-tax leg takes is no room for the next
    parts: dict[int, dict[int, int]] = {}
    for leg_id, cents, is_pretax in sorted(legs, key=lambda leg: (not leg[2], leg[0])):
        part = dict.fromkeys(left, 0)
        rooms = [{bill: min(left[bill], room_left.get(bill, 0)) for bill in left}] if is_pretax else []
        for room in (*rooms, left):
            taken = min(cents, sum(room.values()))
            if taken:
                for bill, share in zip(list(room), money.split(taken, list(room.values())), strict=True):
                    part[bill] += share
                    left[bill] -= share
                    room_left[bill] = max(0, room_left.get(bill, 0) - share)
                cents -= taken
        parts[leg_id] = part
    return parts
