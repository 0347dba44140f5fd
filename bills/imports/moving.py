"""Moving a claim that came without a label, and is labelled by now, to its person's private side with its bill.

A bill that nobody has touched is withdrawn and issued anew there, by transfers: its number, which others have seen, is
nobody's any more. Any other keeps its number and its history, and its account is put below the private side's
control, so that no sum of the holder's knows of it (docs/decisions/2121).
"""

import datetime as dt

from django.utils import timezone

from accounts.models import Member
from activity.doorbell import ring
from activity.models import WorkItem
from activity.recording import open_work, record
from bills import claims, issuing
from bills.models import Bill, BillLine, Claim
from ledger import regrouping

LINE = issuing.Line.__slots__
REASON = "moved to the private side"


def aside(claim: Claim, side_id: int, *, on: dt.date) -> None:
    """Let a claim, its earlier versions and their bills stand on the private side. Within an import's transaction."""
    ring("payments.tasks.part_ways")  # what others had planned to pay of it
    ring("payments.tasks.fit_plans")
    side = Member.objects.get(pk=side_id)
    bills: dict[int, Bill] = {}
    for each in _versions(claim):
        if each.member_id == side.pk:
            continue
        if each.status == Claim.Status.ACTIVE:
            claims.accumulate([claims.counted(each, sign=-1)])
        Claim.objects.filter(pk=each.pk).update(member=side)
        each.member_id = side.pk
        if each.status == Claim.Status.ACTIVE:
            claims.accumulate([claims.counted(each)])
        if each.bill is not None:
            bills[each.bill.pk] = each.bill
    for bill in bills.values():
        _move(bill, side, on)
        record(
            "bill.moved_aside", subject=f"bill:{bill.number}", actor="import", owner_id=side.household_id,
            bill_id=bill.pk, member_id=side.pk, from_member_id=bill.member_id,
        )  # fmt: skip
    ring("notifications.tasks.work_off")  # what others were told of it


def _versions(claim: Claim) -> list[Claim]:
    """The claim, those that it replaced or that replace it, and the others of their bills."""
    found: dict[int, Claim] = {}
    waiting = [claim.pk]
    while waiting:
        some = Claim.objects.filter(pk__in=waiting).select_related("bill__receivable")
        found |= {each.pk: each for each in some}
        related = Claim.objects.filter(replaces__in=waiting)
        related |= Claim.objects.filter(pk__in=[each.replaces_id for each in some if each.replaces_id])
        related |= Claim.objects.filter(bill__in=[each.bill_id for each in some if each.bill_id])
        waiting = [pk for pk in related.values_list("pk", flat=True) if pk not in found]
    return [found[pk] for pk in sorted(found)]


def _move(bill: Bill, side: Member, on: dt.date) -> None:
    is_void = bill.voided_at is not None
    is_untouched = not is_void and _is_untouched(bill)
    if is_untouched:
        fresh = _issued_anew(bill, side)
        bill.claims.update(bill=fresh)
        issuing.void(bill, on=on, reason=REASON, actor="import")
    regrouping.put_below(bill.receivable_id, side.medical_control_id)
    Bill.objects.filter(pk=bill.pk).update(member=side, shared_at=None, moved_aside_at=timezone.now())
    if not (is_void or is_untouched):
        open_work(
            WorkItem.Kind.IMPORT_REVIEW, subject=f"bill:{bill.number}", dedupe_key=f"import:private:{bill.pk}",
            detail="Its claim is labelled as the person's own by now. The bill is hidden from everybody else, and in "
            "nobody else's sums. Money had moved or was planned on it: who paid keeps a receipt that says no more than "
            "the amount. See whether it should go back to them.",
        )  # fmt: skip


def _is_untouched(bill: Bill) -> bool:
    """Whether nothing but its charge has happened to it."""
    is_free = bill.held_since is None and bill.on_plan_since is None and bill.shared_at is None
    has_payments = Bill.objects.filter(pk=bill.pk, allocations__isnull=False).exists()
    is_whole = bill.receivable.balance_cents == issuing.charged_cents(bill)
    return is_free and not has_payments and is_whole and not issuing.corrected_by_hand_cents(bill)


def _issued_anew(bill: Bill, side: Member) -> Bill:
    lines = BillLine.objects.filter(bill=bill).order_by("position").values(*LINE)
    return issuing.issue(
        member=side, kind=bill.kind, amount_cents=issuing.charged_cents(bill), title=bill.title,
        issued_on=bill.issued_on, due_on=bill.due_on, source=bill.source,
        source_id=claims.free_source_id(bill.source, bill.source_id), lines=[issuing.Line(**line) for line in lines],
        provider_name=bill.provider_name, service_on=bill.service_on, actor="import",
    )  # fmt: skip
