"""New claims and their bills, a chunk at once: the rows of `issuing.issue`, written by COPY."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils import timezone

import ledger
from bills import claims, issuing, numbers, open_claims
from bills.explained_claims import Kind
from bills.imports.people import Known
from bills.imports.records import AMOUNT_NAMES, Line, Record
from bills.imports.run import Run
from bills.imports.writing import copy, draw_ids, due_after, execute
from bills.models import Bill, Claim
from ledger import Posting, opening
from ledger.chart import Code, SystemAccount
from ledger.opening import system_id

RECEIVABLES = "SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::date[])"
BILL = (
    "id", "number", "kind", "household_id", "member_id", "issued_on", "due_on", "service_on", "title", "provider_name",
    "amount_cents", "receivable_id", "plan_eligible", "hold_reason", "source", "source_id", "created_at",
)  # fmt: skip
BILL_LINE = (
    "bill_id", "position", "description", "service_on", "charged_cents", "discount_cents", "plan_paid_cents",
    "other_paid_cents", "deductible_cents", "copay_cents", "coinsurance_cents", "not_covered_cents", "amount_cents",
)  # fmt: skip
CLAIM = (
    "id", "number", "member_id", "household_id", "bill_id", "kind", "status", "provider_name", "service_on",
    "service_end_on", "processed_on", *AMOUNT_NAMES, "member_owes_cents", "remark_codes", "source", "source_id",
    "source_version", "source_updated_at", "created_at",
)  # fmt: skip
CLAIM_LINE = ("claim_id", "position", "description", "service_on", *AMOUNT_NAMES)
BILLED = (Claim.Status.ACTIVE, Claim.Status.OPEN)
EVENT = ("kind", "subject", "owner_id", "actor", "data")


@dataclass(slots=True)
class _Rows:
    receivables: list[tuple[object, ...]] = field(default_factory=list)
    bills: list[tuple[object, ...]] = field(default_factory=list)
    bill_lines: list[tuple[object, ...]] = field(default_factory=list)
    claim_rows: list[tuple[object, ...]] = field(default_factory=list)
    claim_lines: list[tuple[object, ...]] = field(default_factory=list)
    events: list[tuple[object, ...]] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    sums: list[claims.Sums] = field(default_factory=list)


def insert(records: Sequence[tuple[Record, Known]], run: Run, *, with_bills: bool = True) -> list[int]:
    """Insert claims that do not stand yet, each with the bill of what is due; return the claims' ids in order."""
    billed = [with_bills and r.due_cents > 0 and r.status in BILLED for r, _member in records]
    claim_ids = draw_ids("bills_claim", len(records))
    bill_ids = iter(draw_ids("bills_bill", sum(billed)))
    account_ids = iter(draw_ids("ledger_account", sum(billed)))
    bill_numbers = iter(_free_numbers(sum(billed)))
    rows, now = _Rows(), timezone.now()
    for (record, member), claim_id, is_billed in zip(records, claim_ids, billed, strict=True):
        bill_id = None
        if is_billed:
            bill_id = next(bill_ids)
            _add_bill(rows, record, member, bill_id, next(account_ids), next(bill_numbers), run, now)
        _add_claim(rows, record, member, claim_id, bill_id, run, now)
    if rows.receivables:
        opening.receivables_from(RECEIVABLES, [list(column) for column in zip(*rows.receivables, strict=True)])
    copy("bills_bill", BILL, rows.bills)
    copy("bills_billline", BILL_LINE, rows.bill_lines)
    ledger.post_many(rows.postings)
    copy("bills_claim", CLAIM, rows.claim_rows)
    copy("bills_claimline", CLAIM_LINE, rows.claim_lines)
    copy("activity_event", EVENT, rows.events)
    claims.accumulate(rows.sums)
    # A biller's bill may be of an open claim that came before it; what the plan has decided is compared with itself.
    waiting = [
        claim_id
        for claim_id, (record, _member), is_billed in zip(claim_ids, records, billed, strict=True)
        if record.status == Claim.Status.OPEN or (is_billed and record.kind not in Kind.values)
    ]
    if waiting:
        open_claims.keep(Claim.objects.filter(pk__in=waiting).order_by("pk"))
    return claim_ids


def _free_numbers(count: int) -> list[str]:
    """Bill numbers that none has."""
    drawn: set[str] = set()
    while len(drawn) < count:
        fresh = {numbers.draw() for _ in range(count - len(drawn))}
        drawn |= fresh - set(Bill.objects.filter(number__in=fresh).values_list("number", flat=True))
    return list(drawn)


def _add_bill(
    rows: _Rows, record: Record, member: Known, bill_id: int, account_id: int, number: str, run: Run, now: dt.datetime
) -> None:
    issued_on, due_on = dates(record, run)
    owner_id = member.household_id
    rows.receivables.append((account_id, owner_id, member.medical_control_id, due_on))
    rows.bills.append(
        (
            bill_id, number, "medical", owner_id, member.id, issued_on, due_on, record.service_on, record.title,
            record.provider_name, record.due_cents, account_id, True, "", run.source, record.source_id, now,
        )
    )  # fmt: skip
    for position, line in enumerate(record.bill_lines, 1):
        amounts = line.amounts
        rows.bill_lines.append(
            (
                bill_id, position, line.description, line.service_on, amounts.billed_cents, amounts.discount_cents,
                amounts.plan_paid_cents, amounts.other_paid_cents, amounts.deductible_cents, amounts.copay_cents,
                amounts.coinsurance_cents, amounts.not_covered_cents, line.share_cents,
            )
        )  # fmt: skip
    rows.postings.append(
        Posting(
            debit_id=account_id,
            credit_id=system_id(SystemAccount.MEDICAL_REVENUE),
            amount_cents=record.due_cents,
            code=Code.BILL_ISSUED,
            key=f"bill:{bill_id}:issued",
            reference=f"bill:{number}",
            effective_on=issued_on,
            owner_id=owner_id,
        )
    )
    rows.events.append(("bill.issued", f"bill:{number}", owner_id, "import", f'{{"bill_id": {bill_id}}}'))


def _add_claim(
    rows: _Rows, record: Record, member: Known, claim_id: int, bill_id: int | None, run: Run, now: dt.datetime
) -> None:
    rows.claim_rows.append(
        (
            claim_id, record.number, member.id, member.household_id, bill_id, record.kind, str(record.status),
            record.provider_name, record.service_on, record.service_end_on, record.processed_on,
            *record.amounts, record.owes_cents, record.remark_codes, run.source, record.source_id,
            record.version, record.updated_at, now,
        )
    )  # fmt: skip
    for position, line in enumerate(record.lines, 1):
        rows.claim_lines.append((claim_id, position, line.description, line.service_on, *line.amounts))
    if record.status == Claim.Status.ACTIVE:
        amounts = record.amounts
        rows.sums.append((member.id, record.service_on.year, amounts.deductible_cents, amounts.out_of_pocket_cents))


def dates(record: Record, run: Run) -> tuple[dt.date, dt.date]:
    """When the bill is issued and when it is due: as the record says, else by the run."""
    issued_on = record.issued_on or run.issued_on
    return issued_on, record.due_on or due_after(issued_on, run.due_after_days)


def issuing_lines(lines: Sequence[Line]) -> list[issuing.Line]:
    """The lines of a record as `issuing.issue` takes them."""
    return [
        issuing.Line(
            description=line.description,
            amount_cents=line.share_cents,
            service_on=line.service_on,
            charged_cents=line.amounts.billed_cents,
            discount_cents=line.amounts.discount_cents,
            plan_paid_cents=line.amounts.plan_paid_cents,
            other_paid_cents=line.amounts.other_paid_cents,
            deductible_cents=line.amounts.deductible_cents,
            copay_cents=line.amounts.copay_cents,
            coinsurance_cents=line.amounts.coinsurance_cents,
            not_covered_cents=line.amounts.not_covered_cents,
        )
        for line in lines
    ]


def replace_lines(claim_id: int, lines: Sequence[Line]) -> None:
    """The lines of a claim whose source has changed them."""
    execute("DELETE FROM bills_claimline WHERE claim_id = %s", [claim_id])
    rows = [(claim_id, n, line.description, line.service_on, *line.amounts) for n, line in enumerate(lines, 1)]
    copy("bills_claimline", CLAIM_LINE, rows)
