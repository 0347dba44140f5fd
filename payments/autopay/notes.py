"""What other pages say of autopay in one line: when it charges, that it is on, or where it is turned on."""

from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Coverage
from accounts.visibility import Scope
from bills.models import Bill
from ledger.money import format_usd
from ledger.templatetags.portal import day_of_year
from payments import wording
from payments.autopay import days, single
from payments.autopay.terms import Covers, Subject
from payments.models import AutopayCharge, AutopayEnrollment

Charge = AutopayCharge.Status
TO_COME = (Charge.ANNOUNCED, Charge.ASKED, Charge.QUEUED)


@dataclass(frozen=True, slots=True)
class Note:
    """A line and where it leads. `detail`: of a charge to come, how much from what; `is_planned`: it asks nobody."""

    text: str
    href: str
    detail: str = ""
    is_planned: bool = False


def of_bill(bill: Bill, scope: Scope) -> Note | None:
    """Of one bill that the viewer may pay: at most two queries."""
    charge = _latest(scope, bill=bill)
    if charge is not None:
        return _when(charge)
    if bill.member_id not in scope.payable_ids or not bill.balance_cents or bill.on_plan_since is not None:
        return None
    if bill.coverage is not None:
        return of_coverage(bill.coverage, scope)
    own = AutopayEnrollment.objects.visible_to(scope).in_force().filter(covers=Covers.MEDICAL).first()
    return _is_on(own) if own is not None else _turn_on(Subject(covers=Covers.MEDICAL))


def of_coverage(coverage: Coverage, scope: Scope) -> Note | None:
    """Of the premiums of a coverage that the viewer may pay: at most two queries."""
    if coverage.subscriber_id not in scope.payable_ids:
        return None
    charge = _latest(scope, bill__coverage=coverage)
    if charge is not None:
        return _when(charge)
    standing = AutopayEnrollment.objects.in_force().filter(coverage=coverage).first()
    if standing is None:
        return _turn_on(Subject(covers=Covers.PREMIUM, coverage=coverage))
    return _is_on(standing) if standing.user_id == scope.user_id else Note(_("Autopay is on"), reverse("autopay"))


def _latest(scope: Scope, **of: Bill | Coverage) -> AutopayCharge | None:
    """The first charge to come; without one, that which the member skipped of a bill that is still owed."""
    is_skipped = Q(
        status=Charge.SKIPPED, code__in=(single.BY_MEMBER, single.DECLINED), bill__receivable__balance_cents__gt=0
    )
    mine = AutopayCharge.objects.visible_to(scope).filter(Q(status__in=TO_COME) | is_skipped, **of)
    found = mine.select_related("enrollment__method", "method").order_by("charge_on", "pk")
    return min(found, key=lambda charge: charge.status == Charge.SKIPPED, default=None)


def _when(charge: AutopayCharge) -> Note:
    href = reverse("autopay_charge", args=[charge.pk])
    if charge.status == Charge.SKIPPED:
        return Note(_("Autopay leaves this one out: you said so"), href)
    method = wording.saved(charge.method or charge.enrollment.method)
    detail = _("%(amount)s from %(method)s") % {"amount": format_usd(charge.amount_cents), "method": method}
    if charge.status == Charge.ASKED:
        return Note(_("Autopay asks: charge it?"), href, detail)
    is_planned = charge.enrollment.status == AutopayEnrollment.Status.ACTIVE
    return Note(_("Autopay on %(day)s") % {"day": day_of_year(days.planned(charge))}, href, detail, is_planned)


def _is_on(enrollment: AutopayEnrollment) -> Note:
    return Note(_("Autopay is on"), reverse("autopay_enrollment", args=[enrollment.pk]))


def _turn_on(subject: Subject) -> Note:
    return Note(_("Turn on autopay"), f"{reverse('autopay_terms')}?for={subject.key}")
