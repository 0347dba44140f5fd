"""Issuing a bill, correcting it and voiding it. What was issued is never edited: every change is a transfer."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

import ledger
from accounts.models import Coverage, Member
from activity.recording import record
from bills import numbers, relief
from bills.models import Bill, BillLine
from ledger import Posting, opening
from ledger.chart import Code, SystemAccount
from ledger.models import Transfer
from ledger.money import format_usd
from ledger.opening import system_id
from ledger.transactions import atomic_with_retry

CHARGES = (Code.BILL_ISSUED, Code.BILL_RAISED, Code.BILL_LOWERED, Code.BILL_VOIDED)
TAKEN_OFF = (Code.ADJUSTMENT, Code.WRITE_OFF)
REVENUE = {
    Bill.Kind.MEDICAL: SystemAccount.MEDICAL_REVENUE,
    Bill.Kind.PREMIUM: SystemAccount.PREMIUM_REVENUE,
}
CORRECTIONS = (Code.BILL_RAISED, Code.BILL_LOWERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a bill to be issued, US cents: `amount_cents` is the member's share."""

    description: str
    amount_cents: int
    service_on: dt.date | None = None
    charged_cents: int = 0
    discount_cents: int = 0
    plan_paid_cents: int = 0
    other_paid_cents: int = 0
    deductible_cents: int = 0
    copay_cents: int = 0
    coinsurance_cents: int = 0
    not_covered_cents: int = 0


@atomic_with_retry
def issue(
    *,
    member: Member,
    kind: str,
    amount_cents: int,
    title: str,
    issued_on: dt.date,
    due_on: dt.date,
    source: str,
    source_id: str,
    lines: Sequence[Line] = (),
    provider_name: str = "",
    service_on: dt.date | None = None,
    coverage: Coverage | None = None,
    period: dt.date | None = None,
    actor: str = "system",
) -> Bill:
    """Issue a bill and charge it: once for its source and source id (django.db.IntegrityError on a repeat).

    `amount_cents` is what the member owes, US cents, at least 0.
    """
    control_id = member.premium_control_id if kind == Bill.Kind.PREMIUM else member.medical_control_id
    receivable = opening.receivable(owner_id=member.household_id, control_id=control_id, matures_on=due_on)
    bill = Bill.objects.create(
        number=numbers.draw(),
        kind=kind,
        household_id=member.household_id,
        member=member,
        issued_on=issued_on,
        due_on=due_on,
        service_on=service_on,
        title=title,
        provider_name=provider_name,
        amount_cents=amount_cents,
        receivable=receivable,
        coverage=coverage,
        period=period,
        source=source,
        source_id=source_id,
    )
    BillLine.objects.bulk_create(
        BillLine(bill=bill, position=position, **{name: getattr(line, name) for name in Line.__slots__})
        for position, line in enumerate(lines, 1)
    )
    if amount_cents:
        ledger.post(charge_of(bill))
    receivable.refresh_from_db(fields=["balance_cents"])
    record("bill.issued", subject=f"bill:{bill.number}", owner_id=bill.household_id, actor=actor, bill_id=bill.pk)
    return bill


def charge_of(bill: Bill) -> Posting:
    """The posting that charges a bill when it is issued."""
    return Posting(
        debit_id=bill.receivable_id,
        credit_id=system_id(REVENUE[Bill.Kind(bill.kind)]),
        amount_cents=bill.amount_cents,
        code=Code.BILL_ISSUED,
        key=f"bill:{bill.pk}:issued",
        reference=f"bill:{bill.number}",
        effective_on=bill.issued_on,
        owner_id=bill.household_id,
    )


@atomic_with_retry
def correct(bill: Bill, *, by_cents: int, key: str, on: dt.date, reason: str, actor: str = "system") -> None:
    """Change what a bill charges by a corrected claim or premium: up (positive) or down (negative), US cents.

    What is lowered beyond the balance was paid already, and becomes household credit; what the plan itself had taken
    off (adjustment, subsidy) is taken back instead. Once for its key, whatever the bill's balance is by then.
    """
    if by_cents == 0:
        return
    if by_cents > 0:
        relief.hold(bill)
        raised = relief.posting_for(
            bill, Code.BILL_RAISED, by_cents, key, on, debit_id=bill.receivable_id, credit_id=_revenue(bill)
        )
        is_new = ledger.post(raised).is_new
    else:
        is_new = _lower(bill, -by_cents, Code.BILL_LOWERED, key, on, debit_id=_revenue(bill))
    if not is_new:
        return
    record(
        "bill.corrected",
        subject=f"bill:{bill.number}",
        owner_id=bill.household_id,
        actor=actor,
        reason=reason,
        bill_id=bill.pk,
        by_cents=by_cents,
    )


@atomic_with_retry
def correct_by_hand(bill: Bill, *, to_cents: int, draft_key: str, on: dt.date, reason: str, actor: str) -> None:
    """Lower a bill to ask for `to_cents`, as staff found, once for the draft: as a corrected claim would.

    Raises NotLower where it asks for no more than that.
    """
    relief.hold(bill)
    key = key_by_hand(bill, draft_key)
    if relief.stands(bill, key):
        return
    asked = asked_cents(bill)
    if to_cents >= asked:
        raise NotLower(f"The bill asks for {format_usd(asked)}: write an amount below that.")
    correct(bill, by_cents=to_cents - asked, key=key, on=on, reason=reason, actor=actor)


@atomic_with_retry
def void(bill: Bill, *, on: dt.date, reason: str, actor: str) -> bool:
    """Void a bill: charge it back whole; what was paid becomes household credit. False where it is void already.

    What the plan itself had taken off is taken back. `bill` carries its receivable.
    """
    relief.hold(bill)  # first: what it charges must not change between the look and the posting
    if not Bill.objects.filter(pk=bill.pk, voided_at__isnull=True).update(voided_at=timezone.now()):
        return False
    charged = charged_cents(bill)
    if charged:
        _lower(bill, charged, Code.BILL_VOIDED, f"bill:{bill.pk}:voided", on, debit_id=_revenue(bill))
    record("bill.voided", subject=f"bill:{bill.number}", owner_id=bill.household_id, actor=actor, reason=reason)
    return True


@atomic_with_retry
def adjust(
    bill: Bill, *, amount_cents: int, key: str, on: dt.date, reason: str, actor: str, code: Code = Code.ADJUSTMENT
) -> None:
    """Take `amount_cents` off what is owed on a bill at the plan's expense (adjustment or write-off, by staff).

    Raises AmountExceedsBalance where that is more than the balance. Once for its key.
    """
    balance = relief.hold(bill)
    if amount_cents > balance and not relief.stands(bill, key):
        raise AmountExceedsBalance(f"only {format_usd(balance)} are owed on bill {bill.number}")
    expense = system_id(SystemAccount.ADJUSTMENT_EXPENSE)
    if not ledger.post(
        relief.posting_for(bill, code, amount_cents, key, on, debit_id=expense, credit_id=bill.receivable_id)
    ).is_new:
        return
    record(
        "bill.adjusted",
        subject=f"bill:{bill.number}",
        owner_id=bill.household_id,
        actor=actor,
        reason=reason,
        bill_id=bill.pk,
        amount_cents=amount_cents,
    )


class AmountExceedsBalance(Exception):
    """More would be taken off a bill than is owed on it."""


class NotLower(Exception):
    """A bill would be corrected to what it asks for already, or to more."""


def key_by_hand(bill: Bill, draft_key: str) -> str:
    """The key of what staff do to a bill with one draft of a form."""
    return f"bill:{bill.pk}:staff:{draft_key}"


def charged_cents(bill: Bill) -> int:
    """What a bill charges now, US cents: as issued, and every correction since."""
    return _net_cents(bill, CHARGES)


def asked_cents(bill: Bill) -> int:
    """What a bill asks its member for, US cents: what it charges, less what staff took off it or gave up.

    Neither what was paid nor help is taken off: it was asked for.
    """
    return _net_cents(bill, (*CHARGES, *TAKEN_OFF))


def corrected_by_hand_cents(bill: Bill) -> int:
    """By how much staff lowered a bill, US cents."""
    lowered = Transfer.objects.filter(
        credit_id=bill.receivable_id, code=Code.BILL_LOWERED, key__startswith=key_by_hand(bill, "")
    )
    return int(lowered.aggregate(cents=Coalesce(Sum("amount_cents"), 0))["cents"])


def _net_cents(bill: Bill, codes: Sequence[Code]) -> int:
    from_ledger = (
        "SELECT coalesce(sum(CASE WHEN debit_id = %s THEN amount_cents ELSE -amount_cents END), 0)"
        " FROM ledger_transfer WHERE (debit_id = %s OR credit_id = %s) AND code = ANY(%s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(from_ledger, [*[bill.receivable_id] * 3, [int(code) for code in codes]])
        return int(cursor.fetchone()[0])


def last_correction_id(bill: Bill) -> int:
    """The last transfer by which a bill was corrected, up or down; 0 where it never was."""
    sides = Q(debit_id=bill.receivable_id) | Q(credit_id=bill.receivable_id)
    found = Transfer.objects.filter(sides, code__in=CORRECTIONS).aggregate(last=Max("pk"))["last"]
    return int(found or 0)


def _lower(bill: Bill, cents: int, code: Code, key: str, on: dt.date, *, debit_id: int) -> bool:
    """Take `cents` off a bill, once for its key; what goes beyond its balance is carried off as `relief.excess` says.

    All in one statement: the first alone would carry the receivable beyond its limit. False where the key stands.
    """
    lowered = relief.posting_for(bill, code, cents, key, on, debit_id=debit_id, credit_id=bill.receivable_id)
    over_cents = cents - relief.hold(bill)
    if relief.stands(bill, key):  # the balance is another by now: only the first time says what goes beyond it
        return ledger.post(lowered).is_new
    ledger.post_many([lowered, *(relief.excess(bill, over_cents, key=key, on=on) if over_cents > 0 else ())])
    return True


def _revenue(bill: Bill) -> int:
    return system_id(REVENUE[Bill.Kind(bill.kind)])
