"""What a year of care cost whom, for HSA and FSA claims and for taxes: every cent that was paid, and what came back.

One row for each entry of the ledger that paid a bill or took it back, so that the pack adds up to the book by
construction. Only bills that the viewer sees with their services: of a confidential member the holder has no row, no
amount and no gap. A payment is of the year of its effective date, the member's own (FAULTS E24, E27; IRS Publication
502: in the year in which it is paid).
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from accounts.models import Coverage, Member
from accounts.visibility import Scope
from bills import naming
from bills.models import Bill, BillLine
from ledger.chart import Code
from ledger.models import Transfer
from payments import receipts
from payments.eligibility import NOT_CARE
from payments.models import Payment
from payments.statement_sums import PAYMENTS

MAX_ROWS = 5_000  # in one pack: above it the CSV is still whole, page by page of the ledger
MAX_YEARS = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One amount that was paid, or came back (below nothing). US cents; `plan_paid_cents` once for each bill."""

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
    moved = Q(credit_id__in=bills) | Q(debit_id__in=bills)
    transfers = list(
        Transfer.objects.filter(moved, code__in=PAYMENTS, effective_on__year=year).order_by("effective_on", "pk")
    )
    plan_paid = dict(
        BillLine.objects.filter(bill__receivable__in=bills)
        .values_list("bill__receivable")
        .annotate(Sum("plan_paid_cents"))
    )
    not_care = _not_care(bills)
    methods = _methods(transfers, scope)
    return Pack(year, person, [_row(transfer, bills, plan_paid, not_care, methods, scope) for transfer in transfers])


def years(today: dt.date) -> list[int]:
    """The years that a pack may be of."""
    return [today.year - back for back in range(MAX_YEARS)]


def _paid_in(scope: Scope, year: int) -> list[int]:
    """The ids of the bills of the viewer's households that were paid in a year: by the ledger's index of payments."""
    paid = Transfer.objects.filter(owner_id__in=scope.household_ids, code__in=PAYMENTS, effective_on__year=year)
    accounts = {account for pair in paid.values_list("debit_id", "credit_id") for account in pair}
    return list(Bill.objects.filter(receivable_id__in=accounts).values_list("pk", flat=True))


def _row(
    transfer: Transfer, bills: dict[int, Bill], plan_paid: dict[int, int], not_care: dict[int, int],
    methods: dict[str, str], scope: Scope,
) -> Row:  # fmt: skip
    is_paid = transfer.credit_id in bills
    account_id = transfer.credit_id if is_paid else transfer.debit_id
    bill, cents = bills[account_id], transfer.amount_cents if is_paid else -transfer.amount_cents
    eligible, words = _eligible(bill, cents, not_care)
    return Row(
        on=transfer.effective_on,
        person=bill.member.shown_name,
        provider=naming.provider_of(bill, scope),
        title=naming.title_of(bill, scope),
        service_on=bill.service_on or bill.period,
        number=bill.number,
        what=_("Paid") if is_paid else _("Came back"),
        plan_paid_cents=plan_paid.pop(account_id, 0),
        paid_cents=cents,
        eligible_cents=eligible,
        eligible=words,
        method=_method(transfer, methods),
    )


def _eligible(bill: Bill, cents: int, not_care: dict[int, int]) -> tuple[int, str]:
    """What of an amount is a qualified expense, and for which account (RULES section 2; IRS Publications 502, 969)."""
    if bill.kind == Bill.Kind.MEDICAL:
        taken = max(0, min(not_care.get(bill.receivable_id, 0), cents))
        not_care[bill.receivable_id] = not_care.get(bill.receivable_id, 0) - taken
        return cents - taken, _("HSA, FSA") if cents > taken or cents < 0 else _("No: interest or fee")
    assert bill.coverage is not None
    kind = bill.coverage.kind
    if kind == Coverage.Kind.COBRA:
        return cents, _("HSA")
    if kind in (Coverage.Kind.MEDICARE_ADVANTAGE, Coverage.Kind.MEDICARE_PART_D):
        return 0, _("HSA from age 65")
    return 0, _("No") if kind == Coverage.Kind.MEDIGAP else _("HSA only in a few cases")


def _not_care(bills: dict[int, Bill]) -> dict[int, int]:
    """Interest and fees of each bill, US cents: no medical care, whoever paid them."""
    found: dict[int, int] = {}
    some = Transfer.objects.filter(Q(debit_id__in=bills) | Q(credit_id__in=bills), code__in=NOT_CARE)
    for transfer in some:
        is_charge = transfer.debit_id in bills
        account_id = transfer.debit_id if is_charge else transfer.credit_id
        found[account_id] = found.get(account_id, 0) + (transfer.amount_cents if is_charge else -transfer.amount_cents)
    return found


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
