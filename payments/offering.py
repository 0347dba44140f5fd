"""What a member is offered to pay at the first step: bills with something left to pay, by charge.

Medical bills and premiums are never one charge, nor are bills of two households (checkout.MixedKinds).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.visibility import Scope
from bills import naming
from bills.models import Bill
from payments import eligibility, methods, wording
from payments.allocating import bills_to_pay, payable_cents
from payments.checkout import MAX_BILLS
from payments.models import Payment, PaymentMethod


@dataclass(frozen=True, slots=True)
class Offer:
    """One bill that can be paid, and up to how much in US cents; 0 where all that is owed is paid or on its way."""

    bill: Bill
    title: str
    payable_cents: int
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The bills that one charge can pay. `is_cut` where there are more than a charge takes."""

    kind: str
    household_id: int
    offers: tuple[Offer, ...]
    is_cut: bool

    @property
    def key(self) -> str:
        """What names the group in the form."""
        return f"{self.kind}-{self.household_id}"


@dataclass(frozen=True, slots=True)
class Choice:
    """A saved method as it is offered for one payment; `reason` says why it cannot be chosen, empty where it can."""

    option: wording.Option
    reason: str
    is_pretax: bool


def choices(payment: Payment, saved: Sequence[PaymentMethod]) -> list[Choice]:
    """The saved methods for a payment: on medical bills HSA and FSA first, on premiums last (RULES section 2)."""
    is_premium = payment.kind == Bill.Kind.PREMIUM
    pays_no_premium = is_premium and not eligibility.exceptions_for(payment)
    offered_methods = []
    for method in sorted(saved, key=lambda each: bool(each.label) == is_premium):
        reason = eligibility.why_no_premium(method.label) if is_premium else ""
        if method.label and pays_no_premium and not reason:
            reason = str(eligibility.NO_HSA_HERE)
        offered_methods.append(Choice(wording.option(method), reason, bool(method.label)))
    return offered_methods


def preselected(payment: Payment, offered_methods: Sequence[Choice], taken: Sequence[int] = ()) -> str:
    """The method chosen before, else the first that can be; none that `taken` parts of the checkout have.

    A pre-tax card is never suggested for a premium.
    """
    if payment.method_id is not None:
        return str(payment.method_id)
    for choice in offered_methods:
        method = choice.option.method
        is_fit = not choice.reason and not methods.is_expired(method) and method.pk not in taken
        if is_fit and not (choice.is_pretax and payment.kind == Bill.Kind.PREMIUM):
            return choice.option.key
    return ""


def is_payable(payment: Payment, scope: Scope) -> bool:
    """Whether the viewer may still pay every bill of a draft: a right can end between its steps (FAULTS F31)."""
    wanted = payment.allocations.values("bill_id")
    return bills_to_pay(scope).filter(pk__in=wanted).count() == payment.allocations.count()


def offered(scope: Scope, numbers: Sequence[str] = ()) -> list[Group]:
    """The bills of these numbers, or without numbers all that can be paid, the earliest due first, by charge.

    A number that the viewer may not pay is left out. Two queries, three without numbers.
    """
    if numbers:
        found = list(bills_to_pay(scope).filter(number__in=list(numbers)[: 2 * MAX_BILLS]).order_by("due_on", "pk"))
    else:
        found = [
            bill for kind in Bill.Kind.values for bill in bills_to_pay(scope).filter(kind=kind).owed()[: MAX_BILLS + 1]
        ]
    payable = payable_cents(found)
    groups: dict[tuple[str, int], list[Offer]] = {}
    for bill in found:
        if numbers or payable[bill.pk]:
            offer = Offer(bill, naming.title_of(bill, scope), payable[bill.pk], bool(numbers))
            groups.setdefault((bill.kind, bill.household_id), []).append(offer)
    return [
        Group(kind, household_id, tuple(offers[:MAX_BILLS]), len(offers) > MAX_BILLS)
        for (kind, household_id), offers in groups.items()
    ]
