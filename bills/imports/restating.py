"""A claim that its source states anew: changed, cancelled, or correcting another one."""

from bills import claims, issuing, open_claims, relief
from bills.imports.inserting import dates, insert, issuing_lines, replace_lines
from bills.imports.people import Known
from bills.imports.problems import NeedsReview, Parked
from bills.imports.records import Record
from bills.imports.run import Run
from bills.models import Bill, Claim

CORRECTED = "corrected claim"


def restate(claim_id: int, record: Record, member: Known, run: Run) -> None:
    """Bring a claim to what its source says now; its bill follows by transfers.

    Raises NeedsReview or Parked before anything is written.
    """
    claim = Claim.objects.select_related("bill", "bill__receivable", "bill__household").get(pk=claim_id)
    if claim.member_id != member.id:
        raise NeedsReview("another_person", "The id stands for another person's claim.", "patient")
    was_active = claim.status == Claim.Status.ACTIVE
    if was_active and claim.bill is not None and claim.bill.voided_at is not None and record.due_cents:
        raise NeedsReview("bill_voided", "The claim changed, and its bill was voided by hand.", "total")
    _refuse_what_staff_corrected(claim.bill, record)
    _refuse_where_others_paid(claim, record)
    original = _corrected(claim, record, member, run)
    # A claim that a corrected one has taken the place of is never billed again, whatever it says.
    status = Claim.Status.REPLACED if claim.replaced_by.exists() else record.status
    if was_active:
        claims.accumulate([claims.counted(claim, sign=-1)])
    stands = status in (Claim.Status.ACTIVE, Claim.Status.OPEN)
    _update(claim, record, run, status if stands else claim.status)
    if was_active and status != Claim.Status.OPEN:
        claims.accumulate([claims.counted(claim)])
    if not stands:
        reason = "cancelled claim" if status == Claim.Status.CANCELED else "replaced claim"
        claims.withdraw(claim, status=status, on=run.issued_on, reason=reason)
        return
    if not was_active and status == Claim.Status.ACTIVE:
        claims.accumulate([claims.counted(claim)])
    if original is not None:
        claims.supersede(original, claim, on=run.issued_on)
    _charge(claim, record, run)


def _refuse_what_staff_corrected(bill: Bill | None, record: Record) -> None:
    """A bill that staff lowered is not raised again by a claim that says something else anew."""
    if bill is None or bill.voided_at is not None or not record.is_charged:
        return
    if record.due_cents > issuing.charged_cents(bill) and issuing.corrected_by_hand_cents(bill):
        raise NeedsReview("bill_corrected", "The claim changed, and its bill was lowered by hand.", "total")


def _refuse_where_others_paid(claim: Claim, record: Record) -> None:
    """A bill that was moved is lowered below what was paid on it by staff: who paid it would be told of credit."""
    bill = claim.bill
    if bill is None or bill.voided_at is not None or bill.moved_aside_at is None:
        return
    charged_cents = issuing.charged_cents(bill) if record.status == claim.status else 0
    due_cents = record.due_cents if record.is_charged else charged_cents
    if due_cents < relief.paid_cents(bill):
        raise NeedsReview(
            "private_and_paid", "The claim changed, and its bill was paid before it became private.", "total"
        )


def _corrected(claim: Claim, record: Record, member: Known, run: Run) -> Claim | None:
    """The claim that this one is to take the place of now: only once it is decided, and once.

    Raises Parked where it was undecided until now and the one that it corrects has not come: billed, both would be.
    """
    if not record.replaces or record.status != Claim.Status.ACTIVE or claim.replaces_id is not None:
        return None
    original = _find_original(record, member, run)
    if original is None and claim.status == Claim.Status.OPEN:
        raise _waiting(record)
    return original


def _waiting(record: Record) -> Parked:
    reason = "The claim corrects one that has not been imported: it waits for it."
    return Parked("original_unknown", reason, "related", needs=record.replaces[0])


def replace_original(record: Record, member: Known, run: Run) -> None:
    """Insert a corrected claim in place of its original. Raises Parked where that has not come yet (J05).

    As `restate`, before anything is written.
    """
    original = _find_original(record, member, run)
    if original is None:
        raise _waiting(record)
    [claim_id] = insert([(record, member)], run, with_bills=False)
    claim = Claim.objects.get(pk=claim_id)
    claims.supersede(original, claim, on=run.issued_on)
    _charge(claim, record, run)


def _find_original(record: Record, member: Known, run: Run) -> Claim | None:
    found = _originals(record, member, run)
    if len(found) > 1:
        found = [claim for claim in found if claim.status == Claim.Status.ACTIVE]
        if len(found) != 1:
            raise NeedsReview("original_ambiguous", "More than one claim could be the one corrected.", "related")
    if not found:
        return None
    _refuse_what_staff_corrected(found[0].bill, record)
    return found[0]


def _originals(record: Record, member: Known, run: Run) -> list[Claim]:
    mine = Claim.objects.filter(source=run.source, member_id=member.id).exclude(source_id=record.source_id)
    mine = mine.select_related("bill", "bill__household").filter(replaced_by__isnull=True)
    return list(mine.filter(source_id__in=record.replaces) or mine.filter(number__in=record.replaces))


def _charge(claim: Claim, record: Record, run: Run) -> None:
    issued_on, due_on = dates(record, run)
    if record.is_charged:
        claims.charge(
            claim,
            due_cents=record.due_cents,
            on=run.issued_on,
            issued_on=issued_on,
            due_on=due_on,
            title=record.title,
            lines=issuing_lines(record.bill_lines),
            reason=CORRECTED,
        )
    open_claims.keep([claim])


def _update(claim: Claim, record: Record, run: Run, status: str) -> None:
    claim.number = record.number
    claim.kind = record.kind
    claim.status = status
    claim.provider_name = record.provider_name or claim.provider_name
    claim.service_on = record.service_on
    claim.service_end_on = record.service_end_on
    claim.processed_on = record.processed_on
    claim.member_owes_cents = record.owes_cents
    claim.remark_codes = record.remark_codes
    claim.source_version = record.version
    claim.source_updated_at = record.updated_at or claim.source_updated_at
    for name, cents in record.amounts._asdict().items():
        setattr(claim, name, cents)
    claim.save()
    replace_lines(claim.pk, record.lines)
