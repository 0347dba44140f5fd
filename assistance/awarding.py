"""An award at work: it takes its percentage off each eligible bill, in the ledger, once, to the cent.

The charge is never edited. What had been paid beyond what is then owed becomes household credit and goes back
from there to who paid it (assistance.refunding); less than the policy's floor (26 CFR 1.501(r)-6: $5) does not.
"""

import datetime as dt

from django.db import transaction
from django.utils import timezone

import ledger
from accounts.models import User
from activity.doorbell import ring
from activity.recording import record
from assistance import eligible, period, rules
from assistance.models import Application, Award, AwardedBill, Determination
from bills import issuing, relief
from bills.models import Bill
from ledger import Posting
from ledger.chart import Code, SystemAccount
from ledger.opening import system_id
from ledger.transactions import atomic_with_retry
from payments import allocating


def months_after(day: dt.date, months: int) -> dt.date:
    """The day before the same day so many months on: an award's last."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    following = (dt.date(year, month + 1, 1) + dt.timedelta(days=31)).replace(day=1)
    last = (following - dt.timedelta(days=1)).day
    return dt.date(year, month + 1, min(day.day, last)) - dt.timedelta(days=1)


def give(application: Application, determination: Determination, *, by: User, on: dt.date) -> Award:
    """Make the award of an approved application and put it to every bill it is for. Once for its application."""
    award, is_new = Award.objects.get_or_create(
        application=application, kind=Award.Kind.ASSISTANCE, coverage=None,
        defaults={
            "percent": determination.award_pct, "start_on": on, "made_by": by,
            "end_on": months_after(on, determination.policy.award_months),
        },
    )  # fmt: skip
    if is_new:
        award.members.set(eligible.members(application))
        record(
            "award.given", subject=f"award:{award.pk}", owner_id=application.household_id, actor=f"user:{by.pk}",
            award_id=award.pk, application_id=application.pk, user_id=application.applicant_id, percent=award.percent,
            end_on=str(award.end_on),
        )  # fmt: skip
    put_to_bills(award)
    return award


def put_to_bills(award: Award) -> int:
    """Put an award to the bills that it has not been put to yet; how many. Harmless to repeat."""
    application = award.application
    determination = application.determinations.select_related("policy").latest("pk")
    policy = determination.policy
    applied_on = timezone.localdate(application.submitted_at) if application.submitted_at else award.start_on
    since = applied_on - dt.timedelta(days=policy.application_days + period.STATED_WITHIN_DAYS)
    bills = eligible.bills_to_award(award, since=since)
    new = bills.exclude(pk__in=award.awarded_bills.values("bill_id"))
    wanted = period.in_time(new, policy=policy, applied_on=applied_on)
    return sum(reprice(award, bill, floor_cents=policy.refund_floor_cents) for bill in wanted)


@atomic_with_retry
def reprice(award: Award, bill: Bill, *, floor_cents: int) -> bool:
    """Take an award's percentage off one bill, under the lock of its balance; False where that was done before.

    A payment that is on its way finds less owed when it arrives, and its excess becomes credit as always: the lock of
    the receivable decides who is first, and the sums are right either way.
    """
    balance = relief.hold(bill)
    if AwardedBill.objects.filter(award=award, bill=bill).exists():
        return False
    if Bill.objects.filter(pk=bill.pk, voided_at__isnull=False).exists():
        return False
    eligible_cents = eligible.eligible_cents(bill)
    wanted = rules.award_cents(eligible_cents, award.percent) - _given_by_others(award, bill)
    cents = max(0, min(wanted, balance + relief.paid_cents(bill)))
    cents, returned = without_little(cents, balance, floor_cents=floor_cents)
    key = f"award:{award.pk}:bill:{bill.pk}"
    if cents:
        ledger.post_many(postings(bill, cents, returned, key))
    is_to_refund = bool(cents and (returned or allocating.in_flight_cents([bill])))
    AwardedBill.objects.create(
        award=award, bill=bill, eligible_cents=eligible_cents, amount_cents=cents, returned_cents=returned,
        refunded_cents=None if is_to_refund else 0, corrected_by_id=issuing.last_correction_id(bill),
    )  # fmt: skip
    if is_to_refund:
        ring("assistance.tasks.refund_overpaid")
    record(
        "bill.assisted", subject=f"bill:{bill.number}", owner_id=bill.household_id, actor=f"award:{award.pk}",
        bill_id=bill.pk, amount_cents=cents, returned_cents=returned,
    )  # fmt: skip
    return True


def without_little(cents: int, balance: int, *, floor_cents: int) -> tuple[int, int]:
    """What is given of `cents`, and what of it was paid already: less than the floor is not given back. US cents."""
    returned = max(0, cents - balance)
    return (cents - returned, 0) if 0 < returned < floor_cents else (cents, returned)


def _given_by_others(award: Award, bill: Bill) -> int:
    """What earlier awards gave this bill: two awards in a row take the greater percentage off, not both."""
    return sum(AwardedBill.objects.filter(bill=bill).exclude(award=award).values_list("amount_cents", flat=True))


def postings(bill: Bill, cents: int, returned: int, key: str) -> list[Posting]:
    """The relief, and what of it had been paid already; in one statement, since the first alone passes the limit."""
    today = timezone.localdate()
    expense = system_id(SystemAccount.CHARITY_CARE_EXPENSE)
    made = [
        relief.posting_for(bill, Code.ASSISTANCE, cents, key, today, debit_id=expense, credit_id=bill.receivable_id)
    ]
    if returned:
        credit_id = bill.household.credit_id
        assert credit_id is not None
        made.append(
            relief.posting_for(
                bill, Code.CREDIT_RAISED, returned, f"{key}:credit", today, bill.receivable_id, credit_id
            )
        )
    return made


def cover_new_bills(today: dt.date) -> int:
    """Put every award to bills that came in, also after its last day where they were issued up to it; how many."""
    awards = Award.objects.still_counting(today).filter(kind=Award.Kind.ASSISTANCE)
    return sum(put_to_bills(award) for award in awards.select_related("application").order_by("pk").iterator())


@transaction.atomic
def revoke(award: Award, *, by: User, reason: str) -> bool:
    """End an award from now on. What it gave stays given; new bills get nothing of it. False where it had ended."""
    changed = Award.objects.filter(pk=award.pk, revoked_at__isnull=True).update(
        revoked_at=timezone.now(), revoked_by=by, revoked_reason=reason
    )
    if changed:
        record(
            "award.revoked", subject=f"award:{award.pk}", owner_id=award.application.household_id, reason=reason,
            actor=f"user:{by.pk}", award_id=award.pk, application_id=award.application_id,
            user_id=award.application.applicant_id,
        )  # fmt: skip
    return bool(changed)
