"""Notices about bills, as things stand now."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Q, Sum
from django.utils import timezone

from accounts.models import Member
from billing_portal.addresses import addresses_of
from bills.banking_days import first_due_in_time
from bills.models import Bill
from notifications import kinds
from notifications.kinds import KINDS
from notifications.models import Notification
from notifications.news.looking import Looked, News, NotToBeSent, name_of
from payments.models import AutopayCharge, AutopayEnrollment, PaymentAllocation
from payments.states import IN_FLIGHT, PaymentStatus


def of_bills(notices: Sequence[Notification]) -> dict[int, Looked]:
    """Read by the member and, where the member is not confidential, the primary holder: as things stand now."""
    bills = {
        bill.number: bill
        for bill in Bill.objects.filter(number__in={name_of(notice) for notice in notices}).select_related(
            "receivable", "member"
        )
    }
    holders = dict(
        Member.objects.filter(
            household_id__in={bill.household_id for bill in bills.values()}, is_primary_holder=True
        ).values_list("household_id", "user_id")
    )
    today, address = timezone.localdate(), addresses_of("bill")
    promised = _promised_cents(bills.values(), today)
    reminded = [bills[name_of(each)] for each in notices if _is_reminder(each) and name_of(each) in bills]
    automatic = _automatic(reminded)
    found: dict[int, Looked] = {}
    for notice in notices:
        bill = bills.get(name_of(notice))
        reason = _why_not_about(bill, notice, holders)
        if bill is None or reason:
            found[notice.pk] = NotToBeSent(reason)
            continue
        if bill.pk in automatic and _is_reminder(notice):
            found[notice.pk] = NotToBeSent("autopay takes it")
            continue
        owed_cents = bill.balance_cents - promised.get(bill.pk, 0)
        rule = KINDS[notice.kind].bill
        if reason := "" if rule is kinds.Bill.ANY else _why_not_owed(bill, rule, owed_cents, today):
            found[notice.pk] = NotToBeSent(reason)
        else:
            found[notice.pk] = News(address(bill.number), bill.due_on, owed_cents)
    return found


def _why_not_about(bill: Bill | None, notice: Notification, holders: Mapping[int, int | None]) -> str:
    if bill is None:
        return "the bill is gone"
    is_own = bill.member.user_id == notice.user_id
    is_holders = holders.get(bill.household_id) == notice.user_id and not bill.member.is_apart
    return "" if is_own or is_holders else "the bill is not the user's to hear of"


def _why_not_owed(bill: Bill, rule: "kinds.Bill", owed_cents: int, today: dt.date) -> str:
    if bill.voided_at is not None:
        return "the bill is void"
    if bill.held_since is not None:
        return "the bill is under review"
    if bill.on_plan_since is not None:
        return "the bill is on a payment plan: its instalments are reminded of"
    if owed_cents <= 0:
        return "the bill is paid, or its payment on its way"
    if rule is kinds.Bill.DUE and bill.due_on < today:
        return "the bill is past due by now"
    if rule is kinds.Bill.PAST_DUE and bill.due_on >= first_due_in_time(today):
        return "the bill is not past due"
    return ""


def _is_reminder(notice: Notification) -> bool:
    return KINDS[notice.kind].bill in (kinds.Bill.DUE, kinds.Bill.PAST_DUE)


def _automatic(bills: Sequence[Bill]) -> set[int]:
    """The bills that autopay is about to charge; none is asked for where it is paused or waits for a yes."""
    if not bills:
        return set()
    coming = (AutopayCharge.Status.ANNOUNCED, AutopayCharge.Status.QUEUED, AutopayCharge.Status.SENT)
    charges = AutopayCharge.objects.filter(
        bill__in=bills, status__in=coming, enrollment__status=AutopayEnrollment.Status.ACTIVE
    )
    return {bill_id for bill_id in charges.values_list("bill_id", flat=True) if bill_id is not None}


def _promised_cents(bills: Iterable[Bill], today: dt.date) -> dict[int, int]:
    """US cents on their way to each bill, or scheduled for today or later."""
    bills = list(bills)
    scheduled = Q(payment__status=PaymentStatus.DRAFT, payment__scheduled_on__gte=today)
    rows = (
        PaymentAllocation.objects.filter(
            Q(payment__status__in=IN_FLIGHT) | scheduled,
            bill_id__in=[bill.pk for bill in bills],
            payment__household_id__in={bill.household_id for bill in bills},
        )
        .values_list("bill_id")
        .annotate(cents=Sum("amount_cents"))
    )
    return dict(rows)
