"""What the household owes, by person and kind, and where each part stands. Its parts add up to the overview's total."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from accounts.models import Household, Member
from accounts.visibility import Scope
from bills.models import Bill
from payments import overview
from payments.overview import InFlight

MOST_BILLS = 1_000  # that are looked at one by one for what is on a plan or under review

PARTS = ("to_pay", "on_plan", "under_review")


@dataclass(slots=True)
class Owed:
    """What is owed of one kind, US cents: on its way apart, the rest by how it stands."""

    on_its_way_cents: int = 0
    on_plan_cents: int = 0
    under_review_cents: int = 0
    to_pay_cents: int = 0

    @property
    def total_cents(self) -> int:
        """What is still to be paid, as the overview says it: what is on its way aside."""
        return self.to_pay_cents + self.on_plan_cents + self.under_review_cents

    def add(self, other: "Owed") -> None:
        """Add what another owes."""
        self.on_its_way_cents += other.on_its_way_cents
        self.on_plan_cents += other.on_plan_cents
        self.under_review_cents += other.under_review_cents
        self.to_pay_cents += other.to_pay_cents


@dataclass(slots=True)
class Share:
    """One person's part: a member whom the viewer sees, or None for bills that somebody shares with the viewer."""

    member: Member | None
    medical: Owed = field(default_factory=Owed)
    premium: Owed = field(default_factory=Owed)

    @property
    def total_cents(self) -> int:
        """Medical and premium together."""
        return self.medical.total_cents + self.premium.total_cents


@dataclass(slots=True)
class Account:
    """One household account: a viewer may see people of several."""

    household: Household
    shares: list[Share]

    @property
    def total_cents(self) -> int:
        """All that its people still have to pay."""
        return sum(share.total_cents for share in self.shares)

    @property
    def whole(self) -> dict[str, Owed]:
        """Each kind over all people."""
        sums = {"medical": Owed(), "premium": Owed()}
        for share in self.shares:
            sums["medical"].add(share.medical)
            sums["premium"].add(share.premium)
        return sums


def owed(scope: Scope) -> list[Account]:
    """What each person owes, by account: sums from control accounts, less what the few special bills say."""
    members = overview.members_seen(scope)
    waiting = overview.in_flight(scope)
    shares = {member.pk: _of(member) for member in members}
    accounts: dict[int, Account] = {}
    for member in members:
        account = accounts.setdefault(member.household_id, Account(member.household, []))
        account.shares.append(shares[member.pk])
    for bill in _special(scope, waiting):
        share = shares.get(bill.member_id)
        if share is None:  # shared by somebody who is apart
            account = accounts.setdefault(bill.household_id, Account(bill.household, []))
            share = shares[bill.member_id] = Share(None)
            account.shares.append(share)
        _place(bill, share, waiting, is_counted=share.member is not None)
    return list(accounts.values())


def _of(member: Member) -> Share:
    return Share(
        member,
        Owed(to_pay_cents=member.medical_control.balance_cents),
        Owed(to_pay_cents=member.premium_control.balance_cents),
    )


def _special(scope: Scope, waiting: InFlight) -> Sequence[Bill]:
    """Bills that are not simply to be paid: on their way, on a plan, under review; and those that are shared."""
    bills = Bill.objects.visible_to(scope)
    found = {bill.pk: bill for bill in bills.filter(pk__in=waiting.by_bill)}
    open_ones = bills.owed()
    found |= {bill.pk: bill for bill in open_ones.set_apart()[:MOST_BILLS]}
    if scope.confidential_ids:
        shared = open_ones.filter(member_id__in=scope.confidential_ids - scope.member_ids)
        found |= {bill.pk: bill for bill in shared[: overview.MAX_SHARED_BILLS]}
    return [found[pk] for pk in sorted(found)]


def _place(bill: Bill, share: Share, waiting: InFlight, *, is_counted: bool) -> None:
    """Take a bill out of what is simply to be paid, and put its parts where they stand."""
    owed = share.premium if bill.kind == Bill.Kind.PREMIUM else share.medical
    if not is_counted:
        owed.to_pay_cents += bill.balance_cents
    moving = min(waiting.by_bill.get(bill.pk, 0), max(0, bill.balance_cents))
    left = max(0, bill.balance_cents) - moving
    owed.on_its_way_cents += moving
    owed.to_pay_cents -= moving
    if bill.held_since is not None:
        owed.under_review_cents += left
        owed.to_pay_cents -= left
    elif bill.on_plan_since is not None:
        owed.on_plan_cents += left
        owed.to_pay_cents -= left
