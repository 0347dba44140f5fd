"""What a plan can be made of: the bills that may join one, and why others may not."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.visibility import Scope
from bills import naming
from bills.models import Bill, BillQuerySet
from payments.allocating import bills_to_pay
from payments.models import AutopayCharge, PaymentAllocation
from payments.states import IN_FLIGHT, PaymentStatus

MAX_OFFERED = 50
LOOKS_FIT_CENTS = 10_000  # below it pages do not speak of plans; what is offered says the rule of the state
ON_ITS_WAY = (AutopayCharge.Status.QUEUED, AutopayCharge.Status.SENT)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A bill, what is owed on it in US cents, and why it may not join a plan; empty where it may."""

    bill: Bill
    title: str
    owed_cents: int
    reason: str


def bills_to_plan(scope: Scope) -> BillQuerySet:
    """Medical bills that the viewer may agree about: their own, the household's, and of who gave them full leave.

    Not one that a confidential member shared to be paid: that leave ends whenever the member likes.
    """
    full = {member for member, grant in scope.grants.items() if grant == "full"}
    members = scope.own_ids | scope.held_ids | full
    return bills_to_pay(scope).filter(kind=Bill.Kind.MEDICAL, member_id__in=members)


def candidates(scope: Scope, numbers: Sequence[str] = ()) -> list[Candidate]:
    """The bills of these numbers, or all with a balance, due first, each with why it may not join. Three queries."""
    found = bills_to_plan(scope)
    found = found.filter(number__in=list(numbers)[:MAX_OFFERED]) if numbers else found.owed()
    return looked_at(list(found[:MAX_OFFERED]), scope)


def looked_at(bills: Sequence[Bill], scope: Scope) -> list[Candidate]:
    """Bills as candidates. Two queries."""
    moving = promised([bill.pk for bill in bills])
    return [
        Candidate(bill, naming.title_of(bill, scope), max(0, bill.balance_cents), why_not(bill, moving))
        for bill in bills
    ]


def why_not(bill: Bill, moving: Collection[int]) -> str:
    """Why a bill may not join a plan; empty where it may. `moving`: the bills whose money is on its way."""
    if bill.kind != Bill.Kind.MEDICAL or not bill.plan_eligible:
        return _("This bill cannot be paid by installments.")
    if bill.voided_at is not None or bill.balance_cents <= 0:
        return _("Nothing is owed on this bill.")
    if bill.on_plan_since is not None:
        return _("This bill is on a payment plan already.")
    if bill.held_since is not None:
        return _("This bill is under review. Nothing is due on it until we answer.")
    if bill.pk in moving:
        return _("A payment of this bill is on its way or scheduled. Wait until it has posted, or cancel it.")
    return ""


def promised(bill_ids: Collection[int]) -> set[int]:
    """Which of these bills have money on its way, or a payment that waits for its day. Two queries."""
    scheduled = Q(payment__status=PaymentStatus.DRAFT, payment__scheduled_on__isnull=False)
    paid = PaymentAllocation.objects.filter(Q(payment__status__in=IN_FLIGHT) | scheduled, bill_id__in=bill_ids)
    charged = AutopayCharge.objects.filter(bill_id__in=bill_ids, status__in=ON_ITS_WAY)
    return set(paid.values_list("bill_id", flat=True)) | {pk for pk in charged.values_list("bill_id", flat=True) if pk}


def looks_fit(bill: Bill) -> bool:
    """Whether a bill could join a plan by its own figures: no query, for pages that show many."""
    return not why_not(bill, ()) and bill.balance_cents >= LOOKS_FIT_CENTS


def can_be_offered(bill: Bill, scope: Scope) -> bool:
    """Whether the page of a bill offers a plan: by its own figures alone, the wizard looks at the rest. No query."""
    full = {member for member, grant in scope.grants.items() if grant == "full"}
    return bill.member_id in scope.own_ids | scope.held_ids | full and looks_fit(bill)
