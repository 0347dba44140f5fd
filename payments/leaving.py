"""What will happen when somebody leaves a household or comes of age on it: told step by step, before and until the day.

To each only what is theirs to see: a holder reads of the own plans, autopay and methods, the person who leaves of the
own bills.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import delegates, departures
from accounts.models import Departure, Member
from accounts.visibility import Scope
from ledger.money import format_usd
from ledger.templatetags.portal import day_long
from payments import allocating, departing, overpaid, scheduling
from payments.models import AutopayEnrollment, MethodShare, PaymentAllocation, PaymentPlan, PaymentPlanQuerySet

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens, and where to look at it before."""

    title: str
    text: str
    href: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Open:
    """What is owed for the person as the viewer sees it, US cents: all of it, and of that what is on its way."""

    count: int
    owed_cents: int
    way_cents: int


def owed(member: Member, scope: Scope) -> Open:
    """The person's open bills that the viewer may pay."""
    mine = allocating.bills_to_pay(scope).filter(pk__in=departing.open_bills(member).values("pk"))
    bills = list(mine)
    waiting = allocating.in_flight_cents(bills)
    return Open(len(bills), sum(bill.balance_cents for bill in bills), sum(waiting.values()))


def has_plans(member: Member, scope: Scope) -> bool:
    """Whether the viewer pays bills of the person by a plan of the viewer's own."""
    return member.pk not in scope.own_ids and _plans(member, scope).exists()


def steps(
    member: Member, scope: Scope, *, on: dt.date | None = None, bills: str = Departure.Bills.THEIRS,
    plans: str = Departure.Plans.KEEP,
) -> list[Step]:  # fmt: skip
    """What happens at midnight, in the order in which a person asks. `on`: the first day, once it is chosen."""
    is_own = member.pk in scope.own_ids
    found = [_sight(member, on), _bills(member, scope, bills)]
    found += _on_their_way(member, scope)
    if not is_own:
        found += [*_scheduled(member, scope), *_of_plans(member, scope, plans), *_autopay(member, scope)]
    found += [*_shared_methods(member, scope), *_helpers(member, scope), _credit(member, scope), _coverage(member)]
    return found


def _sight(member: Member, on: dt.date | None) -> Step:
    named = {"name": member.first_name}
    text = (
        _("The account holder no longer sees any bill, claim, payment or letter of %(name)s, nor their sums.") % named
    )
    if on is not None:
        last = {"day": day_long(on - ONE_DAY)}
        text = _("Until the end of %(day)s everything stays as it is.") % last + " " + text
    if member.user_id is None:
        text += " " + _(
            "%(name)s has no sign-in yet. Member Services helps to make one, and sees to bills that are left open."
        ) % named  # fmt: skip
    return Step(_("Who sees what"), text)


def _bills(member: Member, scope: Scope, bills: str) -> Step:
    found = owed(member, scope)
    title, named = _("Open bills"), {"name": member.first_name}
    if not found.count:
        return Step(title, _("Nothing is owed for %(name)s now.") % named)
    text = ngettext(
        "%(count)d bill of %(name)s is open: %(amount)s.", "%(count)d bills of %(name)s are open: %(amount)s.",
        found.count,
    ) % {"count": found.count, "amount": format_usd(found.owed_cents), **named}  # fmt: skip
    if bills == Departure.Bills.HOLDER:
        text += " " + _("The account holder goes on seeing and paying those that are still open then, and no others.")
    else:
        text += " " + _("What is still open then stays with %(name)s, who alone sees it and pays it.") % named
    return Step(title, text, f"{reverse('bills')}?person={member.pk}", _("See these bills"))


def _on_their_way(member: Member, scope: Scope) -> Iterable[Step]:
    found = owed(member, scope)
    if found.way_cents:
        text = _("%(amount)s is on its way to these bills. It is left to settle, for the bills that it was sent for.")
        yield Step(_("Payments on their way"), text % {"amount": format_usd(found.way_cents)})


def _scheduled(member: Member, scope: Scope) -> Iterable[Step]:
    theirs = PaymentAllocation.objects.filter(bill__member=member).values("payment_id")
    count = scheduling.upcoming(scope).filter(pk__in=theirs).count()
    if count:
        text = ngettext(
            "%(count)d payment that you scheduled is called off. You are not charged for it.",
            "%(count)d payments that you scheduled are called off. You are not charged for them.", count,
        ) % {"count": count}  # fmt: skip
        yield Step(_("Scheduled payments"), text, reverse("payments"), _("See your payments"))


def _of_plans(member: Member, scope: Scope, plans: str) -> Iterable[Step]:
    for plan in _plans(member, scope):
        named = {"number": plan.number, "name": member.first_name}
        text = _("Bills of %(name)s leave your plan %(number)s.") % named
        if plans == Departure.Plans.END:
            text += " " + _("The plan ends, and what is left in it is due bill by bill.")
        else:
            text += " " + _("It goes on with your other bills, with smaller last payments; with none left, it ends.")
        text += " " + _("%(name)s has at least 21 days to pay them, or can begin a plan of their own.") % named
        yield Step(_("Payment plan"), text, reverse("plan", args=[plan.number]), _("See the plan"))


def _autopay(member: Member, scope: Scope) -> Iterable[Step]:
    mine = AutopayEnrollment.objects.visible_to(scope).in_force()
    if mine.filter(Q(members=member) | Q(coverage__subscriber=member)).exists():
        text = _("Your autopay no longer pays for %(name)s. For everybody else it goes on as it is.")
        yield Step(_("Autopay"), text % {"name": member.first_name}, reverse("autopay"), _("See your autopay"))


def _shared_methods(member: Member, scope: Scope) -> Iterable[Step]:
    shares = MethodShare.objects.in_force()
    lent = shares.filter(method__user_id=scope.user_id)
    if member.pk not in scope.own_ids:
        lent = lent.filter(member=member)
    if lent.exists() or shares.filter(member=member, member_id__in=scope.own_ids).exists():
        text = _("Cards and bank accounts that are shared between the two of you can no longer be used by the other.")
        yield Step(_("Shared payment methods"), text, reverse("payment_methods"), _("See your payment methods"))


def _helpers(member: Member, scope: Scope) -> Iterable[Step]:
    known = {each.pk for each in delegates.may_grant_for(scope)}
    ending = [
        each for each in departures.held_for(member).select_related("user")
        if each.member_id in known or each.user_id == scope.user_id
    ]  # fmt: skip
    if ending:
        text = _("What people of the household may do for %(name)s, or %(name)s for them, ends: %(people)s.")
        people = ", ".join(sorted({each.user.email for each in ending}))
        yield Step(_("People who help"), text % {"name": member.first_name, "people": people}, reverse("delegates"),
                   _("See who helps"))  # fmt: skip


def _credit(member: Member, scope: Scope) -> Step:
    text = _("No money is lost. A refund of a payment goes back to the way it was paid.")
    is_holders = member.household_id in scope.held_household_ids
    if is_holders and (cents := overpaid.credit_cents(scope, member.household)):
        text += " " + _("The household's credit, %(amount)s now, stays with the account holder.") % {
            "amount": format_usd(cents)
        }
    else:
        text += " " + _("The household's credit, if there is any, stays with the account holder.")
    return Step(_("Credit and refunds"), text, reverse("overpaid"), _("See what was paid too much"))


def _coverage(member: Member) -> Step:
    text = _("This does not change who is insured. That follows the enrolment at your plan: ask Member Services.")
    return Step(_("Coverage"), text, reverse("help"), _("How to reach Member Services"))


def _plans(member: Member, scope: Scope) -> PaymentPlanQuerySet:
    return PaymentPlan.objects.running().owned_by(scope).filter(
        plan_bills__bill__member=member, plan_bills__removed_at__isnull=True
    ).distinct()  # fmt: skip
