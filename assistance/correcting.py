"""A bill is corrected after an award was put to it: the award follows, up and down, by the difference, to the cent.

What a correction lowers is the member's money first and the plan's after it (bills.relief). So where an award gave
more than its percentage of what is charged now, the difference is taken back, and what the member had paid on the bill
is put to it again from the credit that it had become (decision 2171).
"""

import datetime as dt

from django.db.models import Exists, OuterRef, QuerySet, Sum
from django.utils import timezone

import ledger
from activity.doorbell import ring
from activity.recording import record
from assistance import awarding, eligible, rules
from assistance.models import Award, AwardedBill
from bills import holds, issuing, relief
from bills.models import Bill
from ledger.chart import Code
from ledger.locking import hold
from ledger.models import Transfer
from ledger.transactions import atomic_with_retry
from payments import allocating, overpaid, overpaid_sources

MAX_AT_ONCE = 500


def run(today: dt.date) -> int:
    """Let awards follow what was corrected since; how many bills of awards. Harmless to repeat."""
    return sum(follow(row) for row in _due(today)[:MAX_AT_ONCE])


def _due(today: dt.date) -> QuerySet[AwardedBill]:
    """Bills of awards that still count, with a correction that the award has not followed."""
    later = Transfer.objects.filter(pk__gt=OuterRef("corrected_by_id"))
    raised = later.filter(debit_id=OuterRef("bill__receivable_id"), code=Code.BILL_RAISED)
    lowered = later.filter(credit_id=OuterRef("bill__receivable_id"), code=Code.BILL_LOWERED)
    rows = AwardedBill.objects.filter(
        Exists(raised) | Exists(lowered),
        award__in=Award.objects.still_counting(today).filter(kind=Award.Kind.ASSISTANCE).values("pk"),
        bill__voided_at__isnull=True,
    )  # fmt: skip
    return rows.select_related("award__application", "bill__household", "bill__receivable").order_by("pk")


@atomic_with_retry
def follow(row: AwardedBill) -> bool:
    """Bring what a bill has of an award in line with what it charges now; False where nothing is off."""
    bill = row.bill
    credit_id = bill.household.credit_id
    assert credit_id is not None
    balance = hold([credit_id, bill.receivable_id])[bill.receivable_id]
    row.refresh_from_db(fields=["amount_cents", "returned_cents", "refunded_cents", "corrected_by_id"])
    correction = issuing.last_correction_id(bill)
    if row.corrected_by_id >= correction or Bill.objects.filter(pk=bill.pk, voided_at__isnull=False).exists():
        return False
    charged, given = eligible.eligible_cents(bill), relief.given_cents(bill, Code.ASSISTANCE)
    standing, best = _percents(bill)
    if not row.award.members.filter(pk=bill.member_id).exists():
        standing, best = 0, 100  # on its person's private side by now: it neither gives nor takes
    lacking = rules.award_cents(charged, standing) - given
    too_much = max(0, given - rules.award_cents(charged, best))
    key = f"{row.key}:{correction}"
    by_cents, returned = _raise(row, lacking, balance, key) if lacking > 0 else (-too_much, 0)
    if too_much:
        _take_back(row, too_much, balance, key)
    _write(row, charged=charged, amount=given + by_cents, returned=returned, correction=correction)
    if by_cents:
        record(
            "bill.assisted", subject=f"bill:{bill.number}", owner_id=bill.household_id, actor=f"award:{row.award_id}",
            bill_id=bill.pk, amount_cents=by_cents, returned_cents=returned,
        )  # fmt: skip
    return bool(by_cents)


def _percents(bill: Bill) -> tuple[int, int]:
    """The greatest percentage of its awards that stand; and of all, since what a revoked one gave stays given."""
    rows = bill.awarded_bills.values_list("award__percent", "award__revoked_at")
    return max((percent for percent, revoked_at in rows if revoked_at is None), default=0), max(row[0] for row in rows)


def _raise(row: AwardedBill, lacking: int, balance: int, key: str) -> tuple[int, int]:
    """Give what lacks: how much was given, and what of it had been paid."""
    policy = row.award.application.determinations.select_related("policy").latest("pk").policy
    most = max(0, min(lacking, balance + relief.paid_cents(row.bill)))
    cents, returned = awarding.without_little(most, balance, floor_cents=policy.refund_floor_cents)
    if cents:
        ledger.post_many(awarding.postings(row.bill, cents, returned, key))
    return cents, returned


def _take_back(row: AwardedBill, cents: int, balance: int, key: str) -> None:
    """Take back what was too much, and put what the member had paid on the bill to it again, as far as it is left."""
    bill, today = row.bill, timezone.localdate()
    ledger.post_many(relief.taken_back(bill, cents, key=key, on=today, codes=(Code.ASSISTANCE,)))
    rest = cents
    for source in overpaid_sources.of(bill.household):
        is_of_bill = source.code == Code.CREDIT_RAISED and source.bill is not None and source.bill.pk == bill.pk
        if is_of_bill and (again := min(rest, source.left_cents)):
            name = f"again:{key.rpartition(':')[2]}:{source.transfer_id}"
            overpaid.put(source, bill, amount_cents=again, by=row.award.made_by, key=name)
            rest -= again
    if rest and not balance:
        holds.give_time(bill)  # nothing was owed, so nobody watched its day


def _write(row: AwardedBill, *, charged: int, amount: int, returned: int, correction: int) -> None:
    """Keep what the row's award gives of `amount`, all that awards give the bill; what it made overpaid goes back."""
    others = row.bill.awarded_bills.exclude(pk=row.pk).aggregate(cents=Sum("amount_cents"))["cents"] or 0
    own = max(0, min(charged, amount - others))
    to_refund = bool(returned) or bool(own > row.amount_cents and allocating.in_flight_cents([row.bill]))
    AwardedBill.objects.filter(pk=row.pk).update(
        eligible_cents=charged, amount_cents=own, returned_cents=min(own, row.returned_cents + returned),
        corrected_by_id=correction, refunded_cents=None if to_refund else row.refunded_cents,
    )  # fmt: skip
    if to_refund:
        ring("assistance.tasks.refund_overpaid")
