"""Autopay in words: what it pays, how it stands, and how each charge ended."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Member
from accounts.visibility import Scope
from bills import naming
from bills.models import Bill
from ledger.templatetags.portal import day_long
from payments import declines, return_codes
from payments.autopay import terms
from payments.autopay.terms import Covers, Subject
from payments.models import AutopayCharge, AutopayEnrollment, PaymentPlan, PlanBill

Charge = AutopayCharge.Status
PlanTitles = Mapping[int, str]
MOST_NAMED = 2  # bills of a plan in its title

NOT_NEEDED: Mapping[str, Promise] = {
    "void": gettext_lazy("The bill was withdrawn."),
    "held": gettext_lazy("The bill is under review, so nothing is due on it."),
    "on_plan": gettext_lazy("The bill is paid by a payment plan now."),
    "off": gettext_lazy("Autopay was turned off."),
    "not_chosen": gettext_lazy("You left out this person's bills when you changed autopay."),
    "not_yours": gettext_lazy("You can no longer pay for this person."),
}
SKIPPED: Mapping[str, Promise] = {
    "declined_by_member": gettext_lazy("You said no to it. What it was for stays owed."),
}
SUSPENDED: Mapping[str, Promise] = {
    "method_unusable": gettext_lazy("The payment method cannot be used any more. Choose another one."),
    "imported_no_mandate": gettext_lazy("It comes from our earlier system without your consent. Change it and agree."),
    "imported_unknown": gettext_lazy(
        "It comes from our earlier system, and its payment method could not be taken over. Add it and choose it."
    ),
    "imported_expired": gettext_lazy("It comes from our earlier system, and its card has expired. Choose another."),
    "imported_unfit": gettext_lazy(
        "It comes from our earlier system, and its payment method cannot pay this. Choose another."
    ),
    "authentication_required": gettext_lazy("Your bank asks you to confirm payments. Pay this one by hand."),
}
TONES = {
    Charge.ANNOUNCED: "", Charge.ASKED: "due", Charge.QUEUED: "due", Charge.SENT: "due", Charge.DONE: "paid",
    Charge.FAILED: "late", Charge.SKIPPED: "", Charge.NOT_NEEDED: "",
}  # fmt: skip


def plan_titles(plans: Iterable[PaymentPlan], scope: Scope) -> PlanTitles:
    """What each payment plan is called, by its id: its number, and those of its bills that the viewer sees. One query.

    "Payment plan 7F3K-2201: Hospital stay". Of a running plan, bills that have left it are not named.
    """
    numbers = {plan.pk: plan.number for plan in plans}
    if not numbers:
        return {}
    on = Q(removed_at__isnull=True) | ~Q(plan__status=PaymentPlan.Status.ACTIVE)
    seen = PlanBill.objects.filter(
        on, plan__in=numbers, bill__in=Bill.objects.visible_to(scope).values("pk")
    ).select_related("bill__coverage__plan")
    titles = defaultdict(list)
    for each in seen.order_by("bill__due_on", "bill_id"):
        titles[each.plan_id].append(naming.title_of(each.bill, scope))
    return {plan_id: _plan_title(number, titles[plan_id]) for plan_id, number in numbers.items()}


def _plan_title(number: str, bills: list[str]) -> str:
    title = _("Payment plan %(number)s") % {"number": number}
    if not bills:
        return title
    named, more = ", ".join(bills[:MOST_NAMED]), len(bills) - MOST_NAMED
    if more > 0:
        named = ngettext("%(bills)s and %(count)d more bill", "%(bills)s and %(count)d more bills", more) % {
            "bills": named, "count": more,
        }  # fmt: skip
    return f"{title}: {named}"


def title_of_subject(subject: Subject, scope: Scope, plans: PlanTitles | None = None) -> str:
    """What autopay pays: "Premium of Family Silver 70"; to a pay-only delegate not which plan.

    `plans`: of this and others, where they were made for all at once.
    """
    if subject.coverage is not None:
        if scope.sees_only_amounts_of(subject.coverage.subscriber_id):
            return _("Premium")
        return _("Premium of %(plan)s") % {"plan": subject.coverage.plan.name}
    if subject.plan is not None:
        return (plans or plan_titles([subject.plan], scope))[subject.plan.pk]
    return _("Medical bills")


def title_of(enrollment: AutopayEnrollment, scope: Scope, plans: PlanTitles | None = None) -> str:
    """What an enrolment pays."""
    return title_of_subject(terms.of_subject(enrollment), scope, plans)


def people_of(enrollment: AutopayEnrollment, scope: Scope) -> str:
    """Whose medical bills it pays, those whom the viewer still sees: "Alice, Maya"."""
    if enrollment.covers != Covers.MEDICAL:
        return ""
    seen = Member.objects.visible_to(scope).filter(pk__in=enrollment.members.values("pk"))
    return ", ".join(member.shown_first_name for member in seen.order_by("pk"))


def of_charge(charge: AutopayCharge, scope: Scope, plans: PlanTitles | None = None) -> str:
    """What one charge is for."""
    if charge.bill is not None:
        return naming.title_of(charge.bill, scope)
    if charge.installment is not None:
        return (plans or plan_titles([charge.installment.plan], scope))[charge.installment.plan_id]
    return ""


def ended_how(charge: AutopayCharge) -> str:
    """What became of a charge, in a sentence; empty where its state says it all."""
    if charge.status == Charge.NOT_NEEDED:
        if charge.installment_id is not None and charge.code == "void":
            return _("Your payment plan has changed or ended, so this instalment is not charged.")
        known = NOT_NEEDED.get(charge.code) or declines.TEXTS.get(charge.code)
        return str(known or _("There was nothing to charge."))
    if charge.status == Charge.SKIPPED:
        return str(SKIPPED.get(charge.code, _("What it was for stays owed.")))
    if charge.status == Charge.FAILED:
        return _("You have not been charged.") + " " + _why_failed(charge.code)
    if charge.status == Charge.ASKED:
        return _("It is above your limit, so it is only charged if you say yes.")
    is_paused = charge.enrollment.status == AutopayEnrollment.Status.PAUSED
    return _("Autopay is paused until then.") if charge.status == Charge.ANNOUNCED and is_paused else ""


def standing_of(enrollment: AutopayEnrollment) -> str:
    """How an enrolment stands, where there is more to say than that it is on."""
    if enrollment.status == AutopayEnrollment.Status.PAUSED and enrollment.paused_until is not None:
        return _("Paused until %(day)s.") % {"day": day_long(enrollment.paused_until)}
    if enrollment.status == AutopayEnrollment.Status.SUSPENDED:
        why = SUSPENDED.get(enrollment.suspended_code) or _why_failed(enrollment.suspended_code)
        return f"{_('We have stopped it until you act.')} {why}"
    return ""


def _why_failed(code: str) -> str:
    """What a bank's return or a decline means, in a sentence."""
    returned = return_codes.CODES.get(code)
    return str(returned.text if returned is not None else declines.text_of(code))


def tone_of(status: str) -> str:
    """The look of a charge's pill."""
    return TONES[AutopayCharge.Status(status)]
