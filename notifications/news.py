"""What a notice is about as things stand now: where it is read, and whether it is still true (FAULTS F09, L03, L15).

Looked up for many notices at once, by the first word of their subject (`bill:7F3K-2201`): one function a family in
FAMILIES, each a few queries whatever the number of notices.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from django.db.models import Q, Sum
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member, User
from accounts.visibility import scope_of
from bills.models import Bill
from notifications import kinds
from notifications.kinds import KINDS
from notifications.models import Notification
from payments import overview
from payments.models import Mandate, MethodShare, Payment, PaymentAllocation, PaymentMethod
from payments.states import IN_FLIGHT, PaymentStatus


class NotToBeSent(Exception):
    """A notice that has lost its reader or its truth since it was made; its text is the reason."""


@dataclass(frozen=True, slots=True)
class News:
    """Where a notice's news is read (a path of the portal), and what its templates may need."""

    path: str
    due_on: dt.date | None = None
    amount_cents: int | None = None
    count: int = 0
    news_count: int = 0
    text: str = ""  # what is copied word for word


Looked: TypeAlias = News | NotToBeSent
Family: TypeAlias = Callable[[Sequence[Notification]], dict[int, Looked]]


def look(notices: Iterable[Notification]) -> dict[int, Looked]:
    """What each notice is about, or why it is not to be told any more, by its id. `notice.user` is at hand."""
    families: dict[str, list[Notification]] = defaultdict(list)
    for notice in notices:
        families[notice.subject.partition(":")[0]].append(notice)
    found: dict[int, Looked] = {}
    for family, about in families.items():
        found |= FAMILIES.get(family, _unknown)(about)
    return found


def _unknown(notices: Sequence[Notification]) -> dict[int, Looked]:
    return {notice.pk: NotToBeSent("nobody knows what it is about") for notice in notices}


def _name(notice: Notification) -> str:
    return notice.subject.partition(":")[2]


def _user(notice: Notification) -> User:
    assert notice.user is not None
    return notice.user


def _bills(notices: Sequence[Notification]) -> dict[int, Looked]:
    """Read by the member and, where the member is not confidential, the primary holder: as things stand now."""
    bills = {
        bill.number: bill
        for bill in Bill.objects.filter(number__in={_name(notice) for notice in notices}).select_related(
            "receivable", "member"
        )
    }
    holders = dict(
        Member.objects.filter(
            household_id__in={bill.household_id for bill in bills.values()}, is_primary_holder=True
        ).values_list("household_id", "user_id")
    )
    today = timezone.localdate()
    promised = _promised_cents(bills.values(), today)
    found: dict[int, Looked] = {}
    for notice in notices:
        bill = bills.get(_name(notice))
        reason = _why_not_about(bill, notice, holders)
        if bill is None or reason:
            found[notice.pk] = NotToBeSent(reason)
            continue
        owed_cents = bill.balance_cents - promised.get(bill.pk, 0)
        rule = KINDS[notice.kind].bill
        if reason := "" if rule is kinds.Bill.ANY else _why_not_owed(bill, rule, owed_cents, today):
            found[notice.pk] = NotToBeSent(reason)
        else:
            found[notice.pk] = News(reverse("bill", args=[bill.number]), bill.due_on, owed_cents)
    return found


def _why_not_about(bill: Bill | None, notice: Notification, holders: Mapping[int, int | None]) -> str:
    if bill is None:
        return "the bill is gone"
    is_own = bill.member.user_id == notice.user_id
    is_holders = holders.get(bill.household_id) == notice.user_id and bill.member.confidential_since is None
    return "" if is_own or is_holders else "the bill is not the user's to hear of"


def _why_not_owed(bill: Bill, rule: "kinds.Bill", owed_cents: int, today: dt.date) -> str:
    if bill.voided_at is not None:
        return "the bill is void"
    if bill.held_since is not None:
        return "the bill is under review"
    if owed_cents <= 0:
        return "the bill is paid, or its payment on its way"
    if rule is kinds.Bill.DUE and bill.due_on < today:
        return "the bill is past due by now"
    if rule is kinds.Bill.PAST_DUE and bill.due_on >= today:
        return "the bill is not past due"
    return ""


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


def _payments(notices: Sequence[Notification]) -> dict[int, Looked]:
    payments = {
        payment.number: payment for payment in Payment.objects.filter(number__in={_name(notice) for notice in notices})
    }
    found: dict[int, Looked] = {}
    for notice in notices:
        payment, true_in = payments.get(_name(notice)), KINDS[notice.kind].true_in
        if payment is None or not _sees(notice, payment):
            found[notice.pk] = NotToBeSent("the payment is not visible to the user")
        elif true_in is not None and payment.status not in true_in:
            found[notice.pk] = NotToBeSent(f"the payment is {payment.status} by now")
        else:
            # Of a checkout that several methods share one receipt tells, before all of them have answered.
            amount_cents = None if payment.split_id else payment.amount_cents
            found[notice.pk] = News(reverse("payment", args=[payment.number]), amount_cents=amount_cents)
    return found


def _sees(notice: Notification, payment: Payment) -> bool:
    """A payer sees the own payment; of others' the gate is asked."""
    is_own = payment.payer_id == notice.user_id
    return is_own or Payment.objects.visible_to(_user(notice)).filter(pk=payment.pk).exists()


def _methods(notices: Sequence[Notification]) -> dict[int, Looked]:
    methods = {
        (str(method.pk), method.user_id): method
        for method in PaymentMethod.objects.filter(pk__in=[_name(notice) for notice in notices])
    }
    found: dict[int, Looked] = {}
    for notice in notices:
        method = methods.get((_name(notice), notice.user_id or 0))
        if method is None or (method.removed_at is not None and notice.kind != "method_removed"):
            found[notice.pk] = NotToBeSent("the method is gone")
        else:
            found[notice.pk] = News(reverse("payment_methods"))
    return found


def _mandates(notices: Sequence[Notification]) -> dict[int, Looked]:
    """The copy of what was agreed to (Reg E 12 CFR 1005.10(b)): true whatever has become of the account since."""
    given = {
        (str(mandate.pk), mandate.user_id): mandate
        for mandate in Mandate.objects.filter(pk__in=[_name(notice) for notice in notices])
    }
    found: dict[int, Looked] = {}
    for notice in notices:
        mandate = given.get((_name(notice), notice.user_id or 0))
        if mandate is None:
            found[notice.pk] = NotToBeSent("the mandate is another's")
        else:
            found[notice.pk] = News(reverse("payment_methods"), text=mandate.text)
    return found


def _shares(notices: Sequence[Notification]) -> dict[int, Looked]:
    holding = dict(
        MethodShare.objects.in_force()
        .filter(pk__in=[_name(notice) for notice in notices])
        .values_list("pk", "member__user_id")
    )
    return {
        notice.pk: News(reverse("payment_methods"))
        if holding.get(int(_name(notice))) == notice.user_id
        else NotToBeSent("the share has ended")
        for notice in notices
    }


def _members(notices: Sequence[Notification]) -> dict[int, Looked]:
    owners = dict(Member.objects.filter(pk__in=[_name(notice) for notice in notices]).values_list("pk", "user_id"))
    return {
        notice.pk: News(reverse("settings"))
        if owners.get(int(_name(notice))) == notice.user_id
        else NotToBeSent("the member is no longer the user's")
        for notice in notices
    }


def _households(notices: Sequence[Notification]) -> dict[int, Looked]:
    holders = dict(
        Member.objects.filter(
            household_id__in=[_name(notice) for notice in notices], is_primary_holder=True
        ).values_list("household_id", "user_id")
    )
    return {
        notice.pk: News(reverse("notification_settings"))
        if holders.get(int(_name(notice))) == notice.user_id
        else NotToBeSent("the household is no longer the user's")
        for notice in notices
    }


def _users(notices: Sequence[Notification]) -> dict[int, Looked]:
    return {
        notice.pk: News(reverse("notification_settings"))
        if _name(notice) == str(notice.user_id)
        else NotToBeSent("not about the user")
        for notice in notices
    }


def _digests(notices: Sequence[Notification]) -> dict[int, Looked]:
    """What there is to pay and what is new, for each reader: a few queries each."""
    since = timezone.now() - dt.timedelta(days=7)
    found: dict[int, Looked] = {}
    for notice in notices:
        scope = scope_of(_user(notice))
        waiting = overview.in_flight(scope)
        totals = overview.totals(overview.members_seen(scope), scope, waiting)
        count = Bill.objects.visible_to(scope).owed().order_by().count()
        new = Notification.objects.visible_to(scope).filter(created_at__gte=since).exclude(kind=notice.kind).count()
        if count or new:
            found[notice.pk] = News(reverse("overview"), None, totals.total_cents, count, new)
        else:
            found[notice.pk] = NotToBeSent("there is nothing to tell of")
    return found


FAMILIES: dict[str, Family] = {
    "digest": _digests,
    "bill": _bills,
    "payment": _payments,
    "method": _methods,
    "mandate": _mandates,
    "share": _shares,
    "member": _members,
    "household": _households,
    "user": _users,
}
