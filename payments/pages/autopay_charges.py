"""One charge of autopay: what it is, and skipping, moving, or answering it until its cut-off."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import looking, reauthentication
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from ledger.templatetags.portal import day_long
from payments import scheduling, wording
from payments.autopay import days, listing, naming, single, terms
from payments.autopay.forms import MoveForm, OtherMethodForm
from payments.autopay.terms import AutopayError
from payments.models import AutopayCharge, Payment, PaymentMethod, PaymentPlan
from payments.plans import standing

WAITING = (AutopayCharge.Status.ANNOUNCED, AutopayCharge.Status.ASKED, AutopayCharge.Status.QUEUED)


@allow(Policy.MEMBER)
@require_safe
def charge_page(request: MemberRequest, charge_id: int) -> HttpResponse:
    """Show one charge."""
    charge = own(request, charge_id)
    if charge.bill is not None:
        looking.at(request, f"bill:{charge.bill.number}", charge.bill.member_id)
    methods = _methods(request, charge)
    context = {
        "row": listing.row(charge, request.scope),
        "next_try": listing.next_try(charge, request.scope),
        "second": _second(charge),
        "debit_again": _debit_again(request, charge),
        "charge": charge,
        "title": naming.title_of(charge.enrollment, request.scope),
        "is_asked": charge.status == AutopayCharge.Status.ASKED,
        "can_return": single.can_return(charge),
        "move_form": MoveForm(first=days.first_day(), last=single.last_day(charge), initial={"on": charge.charge_on}),
        "method_form": OtherMethodForm(methods=methods) if methods else None,
        "pay_href": _pay_href(charge),
    }
    return render(request, "autopay/charge.html", context)


@allow(Policy.MEMBER)
@reauthentication.required
@require_POST
def change_charge(request: MemberRequest, charge_id: int) -> HttpResponse:
    """Do what was asked of one charge: the button that was pressed says what."""
    charge = own(request, charge_id)
    pressed = next((name for name in ACTIONS if name in request.POST), "")
    try:
        told = ACTIONS[pressed](request, charge) if pressed else ""
    except AutopayError as refusal:
        messages.error(request, str(refusal))
    else:
        if told:
            messages.success(request, told)
    return redirect("autopay_charge", charge.pk)


def own(request: MemberRequest, charge_id: int) -> AutopayCharge:
    """A charge of the viewer's own autopay. Raises Http404 for everything else."""
    return get_object_or_404(listing.charges(request.scope), pk=charge_id)


def _skip(request: MemberRequest, charge: AutopayCharge) -> str:
    single.skip(charge, request.user)
    return _("This payment is skipped. What it was for stays owed: pay it by hand in time.")


def _take_back_in(request: MemberRequest, charge: AutopayCharge) -> str:
    back = single.take_back_in(charge, request.user)
    return _("This payment is made on %(day)s after all.") % {"day": day_long(back.charge_on)}


def _yes(request: MemberRequest, charge: AutopayCharge) -> str:
    yes = single.answer(charge, request.user, is_yes=True)
    return _("Thank you. It is charged on %(day)s.") % {"day": day_long(yes.charge_on)}


def _no(request: MemberRequest, charge: AutopayCharge) -> str:
    single.answer(charge, request.user, is_yes=False)
    return _("It is not charged. What it was for stays owed: pay it by hand in time.")


def _move(request: MemberRequest, charge: AutopayCharge) -> str:
    form = MoveForm(request.POST, first=days.first_day(), last=single.last_day(charge))
    if not form.is_valid():
        raise AutopayError(_("The day was not changed: choose a day."))
    wanted = form.cleaned_data["on"]
    moved = single.move(charge, request.user, on=wanted)
    day = {"day": day_long(moved.charge_on)}
    if moved.charge_on != wanted:
        return _("Banks are closed on the day that you chose: it is charged on %(day)s.") % day
    return _("It is charged on %(day)s.") % day


def _pay_with(request: MemberRequest, charge: AutopayCharge) -> str:
    form = OtherMethodForm(request.POST, methods=_methods(request, charge))
    if not form.is_valid():
        raise AutopayError(_("The method was not changed: choose one."))
    single.pay_with(charge, request.user, method=form.chosen())
    return _("This payment is made with that method. Later ones stay as they were.")


ACTIONS: dict[str, Callable[[MemberRequest, AutopayCharge], str]] = {
    "skip": _skip,
    "return": _take_back_in,
    "yes": _yes,
    "no": _no,
    "move": _move,
    "other": _pay_with,
}


def _pay_href(charge: AutopayCharge) -> str:
    """Where what the charge is for is paid by hand, as long as it is owed."""
    if charge.bill is not None:
        return f"{reverse('pay')}?bill={charge.bill.number}" if charge.bill.balance_cents > 0 else ""
    if charge.installment is None or charge.installment.plan.status != PaymentPlan.Status.ACTIVE:
        return ""
    plan = charge.installment.plan
    is_open = any(line.installment.pk == charge.installment_id for line in standing.of(plan).open_lines)
    return reverse("plan", args=[plan.number]) if is_open else ""


def _second(charge: AutopayCharge) -> str:
    """The method that may be charged where the announced one is declined, in words; empty where there is none."""
    second = charge.enrollment.fallback
    is_other = second is not None and second.pk != (charge.method_id or charge.enrollment.method_id)
    return wording.saved(second) if second is not None and is_other and charge.status in WAITING else ""


def _debit_again(request: MemberRequest, charge: AutopayCharge) -> Payment | None:
    """The debit that is sent again after it came back, where one is planned."""
    if charge.status != AutopayCharge.Status.FAILED or charge.payment_id is None:
        return None
    return scheduling.upcoming(request.scope).filter(retry_of=charge.payment_id).first()


def _methods(request: MemberRequest, charge: AutopayCharge) -> list[PaymentMethod]:
    """The other methods that could make this charge."""
    subject = terms.of_subject(charge.enrollment)
    agreed = charge.enrollment.attestation
    chosen = charge.method_id or charge.enrollment.method_id
    return [
        method
        for method in PaymentMethod.objects.visible_to(request.scope).usable().exclude(pk=chosen)
        if not terms.why_not(method, subject, request.scope, attestation=agreed, on=charge.charge_on)
    ]
