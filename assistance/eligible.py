"""Which bills help is for, and for how much of each: medical ones that stand, without what no policy covers."""

import datetime as dt

from django.db.models import Q, QuerySet

from accounts.models import Member
from accounts.visibility import scope_of
from assistance.models import Application, Award, ExcludedService
from bills import issuing
from bills.models import Bill


def members(application: Application) -> QuerySet[Member]:
    """Those for whom it asks and its applicant still may, as in `applying.may_apply_for`: nobody who is apart by now.

    What it did about the bills of the others would tell either side of the other (FAULTS F06, K13).
    """
    held = scope_of(application.applicant).held_ids
    return application.members.filter(Q(user_id=application.applicant_id) | Q(pk__in=held))


def open_bills(application: Application) -> QuerySet[Bill]:
    """Medical bills of its members on which something is owed. Premiums are never among them (RULES 1.2)."""
    return (
        Bill.objects.filter(
            kind=Bill.Kind.MEDICAL, voided_at__isnull=True, household_id=application.household_id,
            member__in=members(application), receivable__balance_cents__gt=0,
        )
        .select_related("receivable", "household", "member")
        .order_by("pk")
    )  # fmt: skip


def bills_to_award(award: Award, *, since: dt.date) -> QuerySet[Bill]:
    """Open ones, and those issued since a day, paid or not; up to the award's end. assistance.period says which.

    Of the people that it was given to: what somebody was given does not end with their asking for confidentiality.
    """
    return (
        Bill.objects.filter(
            Q(receivable__balance_cents__gt=0) | Q(issued_on__gte=since),
            kind=Bill.Kind.MEDICAL, voided_at__isnull=True, household_id=award.application.household_id,
            member__in=award.members.all(), issued_on__lte=award.end_on,
        )
        .select_related("receivable", "household", "member")
        .order_by("pk")
    )  # fmt: skip


def eligible_cents(bill: Bill) -> int:
    """What of a bill's charge help is for, US cents: all of it but the lines of excluded services, where known."""
    charged = issuing.charged_cents(bill)
    words = list(ExcludedService.objects.values_list("word", flat=True))
    lines = list(bill.lines.values_list("description", "amount_cents"))
    if any(word in bill.title.lower() for word in words) and not lines:
        return 0
    excluded = sum(cents for text, cents in lines if any(word in text.lower() for word in words))
    return max(0, charged - excluded)
