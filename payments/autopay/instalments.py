"""Charges of a payment plan's instalments: as of a bill, but for what they are split over, which the plan says."""

from dataclasses import dataclass, field

from django.db import connection

from accounts.visibility import scope_of
from payments.allocating import bills_to_pay
from payments.models import Installment
from payments.plans import allocating, standing

RECEIVABLES = """
    SELECT b.receivable_id FROM payments_installment i JOIN payments_planbill l ON l.plan_id = i.plan_id
    JOIN bills_bill b ON b.id = l.bill_id WHERE i.id = ANY(%s) AND l.removed_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Due:
    """What an instalment comes to, US cents: `open_cents` of it is not paid, `shares` can be paid, by bill id."""

    plan_id: int
    open_cents: int = 0
    shares: dict[int, int] = field(default_factory=dict)
    is_on_its_way: bool = False
    is_gone: bool = False  # superseded, or its plan has ended
    is_paused: bool = False
    is_payable: bool = True


def receivables(installment_ids: list[int]) -> set[int]:
    """The receivables of all bills on their plans: to be locked before `due` is asked."""
    with connection.cursor() as cursor:
        cursor.execute(RECEIVABLES, [installment_ids])
        return {row[0] for row in cursor.fetchall()}


def due(installment_id: int, *, most_cents: int) -> Due:
    """What of an instalment can be charged now, at most so much: what was paid ahead is not charged again."""
    installment = Installment.objects.select_related("plan__owner", "plan__policy").get(pk=installment_id)
    plan = installment.plan
    if installment.superseded_at is not None or plan.status != plan.Status.ACTIVE:
        return Due(plan.pk, is_gone=True)
    where = standing.of(plan)
    open_cents = next((line.open_cents for line in where.lines if line.installment.pk == installment_id), 0)
    shares = allocating.allocation(plan, min(most_cents, open_cents))
    mine = bills_to_pay(scope_of(plan.owner)).filter(pk__in=shares).count()
    return Due(
        plan.pk, open_cents, shares, is_on_its_way=where.waiting_cents > 0, is_paused=where.is_waiting,
        is_payable=mine == len(shares),
    )  # fmt: skip
