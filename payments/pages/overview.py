"""The overview page: what is owed, what is due when, what was paid, and how far the plan year is used up."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import looking
from accounts.models import Member
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from payments import overview
from payments.autopay import glance
from payments.pages import charts
from payments.pages.rows import rows_with
from payments.plans import glance as plan_glance
from payments.plans import offering

BILLS_SHOWN = 5
NOON = 12
EVENING = 18


@allow(Policy.MEMBER)
@require_safe
def overview_page(request: MemberRequest) -> HttpResponse:
    """Show the household at one glance: at most twelve queries, however many bills it has."""
    scope, today = request.scope, timezone.localdate()
    members = overview.members_seen(scope)
    waiting = overview.in_flight(scope)
    bills = overview.owed_first(members, scope, BILLS_SHOWN)
    coverages = overview.coverages_seen(scope, today=today)
    paid = overview.paid_by_month(scope, today=today)
    looking.at_members(request, scope.member_ids, "overview")  # the sums tell of all of them
    own = next((member for member in members if member.pk in scope.own_ids), None)
    context = {
        "greeting": greeting(own),
        "own": own,
        "household": own.household if own else None,
        "member_count": len([each for each in members if own and _is_of(each, own)]),
        "can_pay": any(member.pk in scope.payable_ids for member in members),
        "can_autopay": bool(scope.payable_ids),
        "totals": overview.totals(members, scope, waiting),
        "next_charge": glance.of(members),
        "instalment": plan_glance.of(members),
        "premium_due_on": overview.premium_due_on(members, scope),
        "rows": rows_with(bills, scope, in_flight=waiting.by_bill, paid={}, scheduled=waiting.scheduled),
        "chart": charts.by_month(paid, title=_("Paid in the last six months")) if any(paid.values()) else None,
        "plan_year": overview.plan_year(scope, coverages, today=today),
        "can_spread": any(offering.looks_fit(bill) for bill in bills),
        "year": today.year,
    }
    return render(request, "overview/overview.html", context)


def _is_of(member: Member, own: Member) -> bool:
    """Whether it is a person of one's own household: whom a private side is of, is counted already."""
    return member.household_id == own.household_id and member.private_of_id is None


def greeting(member: Member | None) -> str:
    """Good morning, by the portal's clock."""
    hour = timezone.localtime().hour
    name = member.first_name if member else ""
    if hour < NOON:
        return _("Good morning, %(name)s") % {"name": name} if name else _("Good morning")
    if hour < EVENING:
        return _("Good afternoon, %(name)s") % {"name": name} if name else _("Good afternoon")
    return _("Good evening, %(name)s") % {"name": name} if name else _("Good evening")
