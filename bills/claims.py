"""Claims that stand: corrected, cancelled, replaced. A claim says what its source says now, its bill follows.

Whoever calls these holds the claim's row by the importers' lock, in a transaction.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import connection

from accounts.models import Member
from bills import issuing, open_claims
from bills.models import Bill, Claim
from ledger.chart import Code

Sums = tuple[int, int, int, int]  # member, year, deductible cents, out-of-pocket cents

ACCUMULATE = """
    INSERT INTO bills_accumulator (member_id, year, deductible_cents, out_of_pocket_cents)
    SELECT * FROM unnest(%s::bigint[], %s::int[], %s::bigint[], %s::bigint[])
    ON CONFLICT (member_id, year) DO UPDATE SET
        deductible_cents = bills_accumulator.deductible_cents + excluded.deductible_cents,
        out_of_pocket_cents = bills_accumulator.out_of_pocket_cents + excluded.out_of_pocket_cents
"""
STANDING = (Claim.Status.ACTIVE, Claim.Status.OPEN)
MAX_BILLS_OF_A_CLAIM = 100  # cancelled and made active again, each time with a new bill
COUNT_CORRECTIONS = "SELECT count(*) FROM ledger_transfer WHERE (debit_id = %s OR credit_id = %s) AND code = ANY(%s)"


def accumulate(sums: Iterable[Sums]) -> None:
    """Add to the sums of members' active claims by plan year, the calendar year of the service; US cents."""
    total: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for member_id, year, deductible, out_of_pocket in sums:
        total[member_id, year][0] += deductible
        total[member_id, year][1] += out_of_pocket
    rows = [(*key, *cents) for key, cents in sorted(total.items()) if any(cents)]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(ACCUMULATE, [list(column) for column in zip(*rows, strict=True)])


def counted(claim: Claim, *, sign: int = 1) -> Sums:
    """What a claim adds to its member's year (sign 1), or takes back out of it (sign -1)."""
    out_of_pocket = claim.deductible_cents + claim.copay_cents + claim.coinsurance_cents
    return claim.member_id, claim.service_on.year, sign * claim.deductible_cents, sign * out_of_pocket


def charge(
    claim: Claim,
    *,
    due_cents: int,
    on: dt.date,
    issued_on: dt.date,
    due_on: dt.date,
    title: str,
    lines: Sequence[issuing.Line],
    reason: str,
) -> bool:
    """Make the claim's bill charge `due_cents`: issue one where there is none, else correct it by the difference, `on`.

    Returns whether anything was posted. Once for each version of the claim.
    """
    bill = claim.bill
    if bill is None or bill.voided_at is not None:
        if not due_cents:
            return False
        claim.bill = issuing.issue(
            member=Member.objects.get(pk=claim.member_id),
            kind=Bill.Kind.MEDICAL,
            amount_cents=due_cents,
            title=title,
            issued_on=issued_on,
            due_on=due_on,
            source=claim.source,
            source_id=free_source_id(claim.source, claim.source_id),
            lines=lines,
            provider_name=claim.provider_name,
            service_on=claim.service_on,
            actor="import",
        )
        claim.save(update_fields=["bill"])
        return True
    by_cents = due_cents - issuing.charged_cents(bill)
    if by_cents:
        # A claim may go from one amount to another and back: each step is its own, so the steps before it are counted.
        key = f"bill:{bill.pk}:claim:{claim.source_version[:16]}:{_corrections(bill)}"
        issuing.correct(bill, by_cents=by_cents, key=key, on=on, reason=reason, actor="import")
    return bool(by_cents)


def withdraw(claim: Claim, *, status: str, on: dt.date, reason: str) -> None:
    """Take a claim out: cancelled, or replaced. Its bill is voided, unless the claim that replaces it took it over."""
    if claim.status == Claim.Status.ACTIVE:
        accumulate([counted(claim, sign=-1)])
    claim.status = status
    claim.save(update_fields=["status"])
    bill = claim.bill
    if bill is not None and not bill.claims.filter(status__in=STANDING).exclude(pk=claim.pk).exists():
        issuing.void(bill, on=on, reason=reason, actor="import")
    open_claims.keep([claim])


def supersede(original: Claim, successor: Claim, *, on: dt.date) -> None:
    """Let a corrected claim take the place of the original, and its bill with what was paid on it."""
    if original.status == Claim.Status.ACTIVE:
        accumulate([counted(original, sign=-1)])
    original.status = Claim.Status.REPLACED
    original.save(update_fields=["status"])
    successor.replaces = original
    if successor.bill_id is None and original.bill is not None and original.bill.voided_at is None:
        successor.bill = original.bill
    elif original.bill is not None and original.bill_id != successor.bill_id:
        issuing.void(original.bill, on=on, reason="replaced by a corrected claim", actor="import")
    successor.save(update_fields=["replaces", "bill"])
    open_claims.keep([original])


def free_source_id(source: str, source_id: str) -> str:
    """The claim's own id; with a number behind it where an earlier bill of the claim was voided."""
    plain = source_id.partition("#")[0]
    names = [plain, *(f"{plain}#{n}" for n in range(2, MAX_BILLS_OF_A_CLAIM + 1))]
    taken = set(Bill.objects.filter(source=source, source_id__in=names).values_list("source_id", flat=True))
    return next(name for name in names if name not in taken)


def _corrections(bill: Bill) -> int:
    with connection.cursor() as cursor:
        codes = [int(Code.BILL_RAISED), int(Code.BILL_LOWERED)]
        cursor.execute(COUNT_CORRECTIONS, [bill.receivable_id, bill.receivable_id, codes])
        return int(cursor.fetchone()[0])
