"""What will happen when a holder leaves, told step by step: to the holder, and to who is asked to hold the account."""

import datetime as dt
from collections.abc import Iterable

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Member
from accounts.visibility import Scope
from ledger.money import format_usd
from ledger.templatetags.portal import day_long
from payments import leaving, overpaid, scheduling
from payments.leaving import ONE_DAY, Step
from payments.models import AutopayEnrollment, MethodShare, PaymentAllocation, PaymentPlan, PaymentPlanQuerySet


def plans_for_others(holder: Member, scope: Scope) -> PaymentPlanQuerySet:
    """The holder's own plans with bills of others of the household in them."""
    return PaymentPlan.objects.running().owned_by(scope).filter(
        plan_bills__bill__household_id=holder.household_id, plan_bills__bill__member__in=scope.held_ids,
        plan_bills__removed_at__isnull=True,
    ).distinct()  # fmt: skip


def steps(holder: Member, scope: Scope, *, on: dt.date | None, successor: Member | None, is_last: bool) -> list[Step]:
    """What happens at midnight, to the holder who leaves, in the order in which a person asks."""
    if is_last:
        return [
            _closes(on),
            _bills(holder, scope),
            *_on_their_way(holder, scope),
            _credit(holder, None, scope),
            _coverage(),
        ]
    return [
        _next(successor, on), _sight(), _bills(holder, scope), *_on_their_way(holder, scope),
        *_scheduled(holder, scope), *_plans(holder, scope), *_autopay(holder, scope), *_shared(holder, scope),
        _credit(holder, successor, scope), _coverage(),
    ]  # fmt: skip


def steps_for_successor(holder: Member, *, on: dt.date) -> list[Step]:
    """What happens at midnight, to who is asked to hold the account: nothing of the holder's own."""
    day = {"day": day_long(on), "name": holder.first_name}
    sees = _("You see and pay the bills of everybody whom a holder sees, and the household's statements and credit.")
    not_theirs = _("Of %(name)s you see nothing: no bill, claim, payment or letter, not even earlier ones.") % day
    own = _("What is open for %(name)s stays with %(name)s, who goes on paying it. Nobody owes more than before.") % day
    automatic = _("What %(name)s paid for others by autopay, plan or schedule ends. You can set up your own.") % day
    return [
        Step(_("You hold the account"), _("From midnight at the start of %(day)s. Until then nothing changes.") % day),
        Step(_("Who sees what"), f"{sees} {not_theirs}"), Step(_("Open bills"), own),
        Step(_("Autopay, plans and schedules"), automatic, reverse("autopay"), _("See your autopay")),
        Step(_("Credit"), _("The household's credit stays with the account, which you then hold.")), _coverage(),
    ]  # fmt: skip


def _next(successor: Member | None, on: dt.date | None) -> Step:
    title = _("Who holds the account")
    if successor is None or on is None:
        return Step(title, _("Whom you choose, once they have said yes. If they do not by the day, nothing changes."))
    named = {"name": successor.full_name, "day": day_long(on)}
    text = _("%(name)s, from midnight at the start of %(day)s, once they have said yes.") % named
    return Step(title, text + " " + _("If they do not by the day, nothing changes."))


def _closes(on: dt.date | None) -> Step:
    text = _("Nobody else is on it, so it closes. You go on signing in here, see what was and pay what is open.")
    if on is not None:
        text = _("Until the end of %(day)s everything stays as it is.") % {"day": day_long(on - ONE_DAY)} + " " + text
    return Step(_("The account"), text)


def _sight() -> Step:
    own = _("You see your own bills, claims, payments and letters, and nothing of the others any more.")
    theirs = _("The next holder sees nothing of yours, not even earlier ones. What others let you see ends too.")
    return Step(_("Who sees what"), f"{own} {theirs}", reverse("delegates"), _("See who helps"))


def _bills(holder: Member, scope: Scope) -> Step:
    found = leaving.owed(holder, scope)
    if not found.count:
        return Step(_("Your open bills"), _("You owe nothing of your own now."))
    text = ngettext(
        "%(count)d bill of yours is open: %(amount)s. It stays yours, and you go on seeing and paying it here.",
        "%(count)d bills of yours are open: %(amount)s. They stay yours, and you go on seeing and paying them here.",
        found.count,
    ) % {"count": found.count, "amount": format_usd(found.owed_cents)}  # fmt: skip
    return Step(_("Your open bills"), text, f"{reverse('bills')}?person={holder.pk}", _("See these bills"))


def _on_their_way(holder: Member, scope: Scope) -> Iterable[Step]:
    found = leaving.owed(holder, scope)
    if found.way_cents:
        text = _("%(amount)s is on its way to these bills. It is left to settle, for the bills that it was sent for.")
        yield Step(_("Payments on their way"), text % {"amount": format_usd(found.way_cents)})


def _scheduled(holder: Member, scope: Scope) -> Iterable[Step]:
    theirs = PaymentAllocation.objects.filter(bill__member_id__in=scope.held_ids).values("payment_id")
    count = scheduling.upcoming(scope).filter(pk__in=theirs, household_id=holder.household_id).count()
    if count:
        text = ngettext(
            "%(count)d payment that you scheduled for others is called off. You are not charged for it.",
            "%(count)d payments that you scheduled for others are called off. You are not charged for them.", count,
        ) % {"count": count}  # fmt: skip
        yield Step(_("Scheduled payments"), text, reverse("payments"), _("See your payments"))


def _plans(holder: Member, scope: Scope) -> Iterable[Step]:
    for plan in plans_for_others(holder, scope):
        text = _("Bills of others leave your plan %(number)s. They have at least 21 days to be paid.")
        href = reverse("plan", args=[plan.number])
        yield Step(_("Payment plan"), text % {"number": plan.number}, href, _("See the plan"))


def _autopay(holder: Member, scope: Scope) -> Iterable[Step]:
    mine = AutopayEnrollment.objects.visible_to(scope).in_force().filter(household_id=holder.household_id)
    if not mine.exists():
        return
    text = _("It goes on for what is your own, the premiums of your own coverage too, until you turn it off.")
    if mine.filter(Q(members__in=scope.held_ids) | Q(coverage__subscriber__in=scope.held_ids)).exists():
        text = _("Your autopay no longer pays for anybody else.") + " " + text
    yield Step(_("Autopay"), text, reverse("autopay"), _("See your autopay"))


def _shared(holder: Member, scope: Scope) -> Iterable[Step]:
    shares = MethodShare.objects.in_force().filter(
        Q(method__user_id=scope.user_id, member__household_id=holder.household_id) | Q(member=holder)
    )
    if shares.exists():
        text = _("Cards and bank accounts that are shared in the household can no longer be used by the other.")
        yield Step(_("Shared payment methods"), text, reverse("payment_methods"), _("See your payment methods"))


def _credit(holder: Member, successor: Member | None, scope: Scope) -> Step:
    cents = overpaid.credit_cents(scope, holder.household)
    text = _("No money is lost. A refund of a payment goes back to the way it was paid.")
    if successor is not None or not cents:
        text += " " + _("The household's credit stays with the account, whoever holds it.")
    if cents:
        text += " " + _("It is %(amount)s now.") % {"amount": format_usd(cents)}
        text += " " + _("You can use it for open bills, or ask for it back, before the day.")
    return Step(_("Credit and refunds"), text, reverse("overpaid"), _("See what was paid too much"))


def _coverage() -> Step:
    text = _(
        "This does not end or change any coverage, nor its premiums. Those follow the enrolment at your plan:"
        " Member Services tell you how to end or change it."
    )
    return Step(_("Coverage and premiums"), text, reverse("help"), _("How to reach Member Services"))
