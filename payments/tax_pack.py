"""What a year of care cost whom, for HSA and FSA claims and for taxes: every cent that was paid, and what came back.

One row for each entry of the ledger that paid a bill or took it back, so that the pack adds up to the book by
construction; and one where interest that had been paid was taken off, so that what it had paid was for care. Only bills
that the viewer sees with their services: of a confidential member the holder has no row, no amount and no gap. A
payment is of the year of its effective date, the member's own (FAULTS E24, E27; IRS Publication 502: in the year in
which it is paid).
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import Coverage, Member
from accounts.visibility import Scope
from bills import naming
from bills.models import Bill, BillLine
from ledger.chart import Code
from ledger.models import Transfer
from payments import care, receipts
from payments.care import Step
from payments.models import Payment
from payments.statement_sums import PAYMENTS

MAX_ROWS = 5_000  # in one pack: above it the CSV is still whole, page by page of the ledger
MAX_YEARS = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One amount that was paid, or came back (below nothing). US cents.

    `plan_paid_cents` stands once for each bill: where it was first paid, in whatever year.
    """

    on: dt.date
    person: str
    provider: str
    title: str
    service_on: dt.date | None
    number: str
    what: str
    plan_paid_cents: int
    paid_cents: int
    eligible_cents: int
    eligible: str
    method: str


@dataclass(frozen=True, slots=True)
class Pack:
    """A year's rows and their sums, US cents."""

    year: int
    person: Member | None
    rows: list[Row]

    @property
    def paid_cents(self) -> int:
        """What was paid, less what came back."""
        return sum(row.paid_cents for row in self.rows)

    @property
    def eligible_cents(self) -> int:
        """What of it an HSA or FSA may pay back."""
        return sum(row.eligible_cents for row in self.rows)

    @property
    def plan_paid_cents(self) -> int:
        """What the plan paid for the services of these bills."""
        return sum(row.plan_paid_cents for row in self.rows)

    @property
    def by_person(self) -> list[tuple[str, int, int]]:
        """Each person, what was paid and what of it is eligible."""
        people: dict[str, tuple[int, int]] = {}
        for row in self.rows:
            paid, eligible = people.get(row.person, (0, 0))
            people[row.person] = (paid + row.paid_cents, eligible + row.eligible_cents)
        return [(person, *sums) for person, sums in people.items()]


def of(scope: Scope, *, year: int, person: Member | None = None) -> Pack:
    """The pack of a year for everybody whose services the viewer sees, or for one of them."""
    wanted = scope.clinical_ids & {person.pk} if person else scope.clinical_ids
    bills = {
        bill.receivable_id: bill
        for bill in Bill.objects.visible_to(scope)
        .filter(member_id__in=wanted)
        .filter(pk__in=_paid_in(scope, year))
        .select_related("coverage")
    }
    steps = [
        step for step in care.steps(list(bills), until=dt.date(year, 12, 31)) if step.transfer.effective_on.year == year
    ]
    plan_paid = dict(
        BillLine.objects.filter(bill__receivable__in=bills)
        .values_list("bill__receivable")
        .annotate(Sum("plan_paid_cents"))
    )
    methods = _methods((step.transfer for step in steps), scope)
    return Pack(year, person, [_row(step, bills[step.account_id], plan_paid, methods, scope) for step in steps])


def years(today: dt.date) -> list[int]:
    """The years that a pack may be of."""
    return [today.year - back for back in range(MAX_YEARS)]


def _paid_in(scope: Scope, year: int) -> list[int]:
    """The ids of the bills of the viewer's households that were paid in a year: by the ledger's index of payments."""
    paid = Transfer.objects.filter(owner_id__in=scope.household_ids, code__in=PAYMENTS, effective_on__year=year)
    accounts = {account for pair in paid.values_list("debit_id", "credit_id") for account in pair}
    return list(Bill.objects.filter(receivable_id__in=accounts).values_list("pk", flat=True))


def _row(step: Step, bill: Bill, plan_paid: dict[int, int], methods: dict[str, str], scope: Scope) -> Row:
    eligible, words = _eligible(bill, step.care_cents)
    return Row(
        on=step.transfer.effective_on,
        person=bill.member.shown_name,
        provider=naming.provider_of(bill, scope),
        title=naming.title_of(bill, scope),
        service_on=bill.service_on or bill.period,
        number=bill.number,
        what=_what(step),
        plan_paid_cents=plan_paid.get(step.account_id, 0) if step.is_first else 0,
        paid_cents=step.paid_cents,
        eligible_cents=eligible,
        eligible=words,
        method=_method(step.transfer, methods),
    )


def _what(step: Step) -> str:
    if not step.paid_cents:
        return _("Interest or fee taken off")
    return _("Paid") if step.paid_cents > 0 else _("Came back")


def _eligible(bill: Bill, cents: int) -> tuple[int, str]:
    """What of an amount is a qualified expense, and for which account (RULES section 2; IRS Publications 502, 969).

    `cents`: without interest and fees, which are no medical care.
    """
    if not cents:
        return 0, _("No: interest or fee")
    if bill.kind == Bill.Kind.MEDICAL:
        return cents, _("HSA, FSA")
    assert bill.coverage is not None
    kind = bill.coverage.kind
    if kind == Coverage.Kind.COBRA:
        return cents, _("HSA")
    if kind in (Coverage.Kind.MEDICARE_ADVANTAGE, Coverage.Kind.MEDICARE_PART_D):
        return 0, _("HSA from age 65")
    return 0, _("No") if kind == Coverage.Kind.MEDIGAP else _("HSA only in a few cases")


def _methods(transfers: Iterable[Transfer], scope: Scope) -> dict[str, str]:
    """What each payment was made with, by its reference, as far as the viewer may read it."""
    numbers = {transfer.reference.removeprefix("payment:") for transfer in transfers}
    payments: Sequence[Payment] = list(Payment.objects.visible_to(scope).filter(number__in=numbers))
    lines = receipts.lines_of(payments, scope)
    return {f"payment:{payment.number}": receipts.method_of(payment, lines[payment.pk], scope) for payment in payments}


def _method(transfer: Transfer, methods: dict[str, str]) -> str:
    plain = {
        Code.LOCKBOX_PAYMENT: _("Paper check"), Code.CREDIT_APPLIED: _("Household credit"),
        Code.CREDIT_RAISED: _("Household credit"),
    }  # fmt: skip
    return plain.get(Code(transfer.code)) or methods.get(transfer.reference, "")
