"""Paying on a day: choosing it, and the page of a payment that waits for it."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import looking
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from ledger.templatetags.portal import day_long
from payments import parts, receipts, scheduling, wording
from payments.checkout import CheckoutError
from payments.forms import ChangeForm, LaterForm
from payments.models import Payment, PaymentMethod
from payments.offering import is_payable
from payments.pages import pay
from payments.states import PaymentStatus


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def later(request: MemberRequest, number: str) -> HttpResponse:
    """Choose the day on which a draft with a saved method is sent."""
    payment = pay.own(request, number)
    if payment.status != PaymentStatus.DRAFT or payment.scheduled_on is not None:
        return redirect(pay.where(payment))
    if not is_payable(payment, request.scope):
        return pay.no_longer(request)
    first, last = scheduling.first_day(), scheduling.last_day()
    form = LaterForm(request.POST if request.method == "POST" else None, first=first, last=last)
    if form.is_bound and form.is_valid():
        wanted = form.cleaned_data["on"]
        try:
            payment = scheduling.schedule(payment, on=wanted)
        except CheckoutError as error:
            form.add_error("on", str(error))
        else:
            _say_when(request, payment, wanted)
            return redirect("payment_schedule", payment.number)
    context = {
        **receipts.summary(payment, request.scope),
        "whole": parts.of(payment, request.scope),
        "steps": pay.steps(),
        "form": form,
        "method": wording.method_of(payment),
        "can_wait": payment.method_id is not None and payment.split_id is None,
        "first": first,
        "last": last,
        "cut_off_hours": settings.SCHEDULE_CUT_OFF_HOURS,
    }
    return render(request, "pay/later.html", context, status=pay.INVALID if form.errors else 200)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def scheduled(request: MemberRequest, number: str) -> HttpResponse:
    """A payment that waits for its day: what it is, and changing it or calling it off until its cut-off."""
    payment = pay.own(request, number)
    if payment.status != PaymentStatus.DRAFT or payment.scheduled_on is None:
        return redirect("payment" if payment.status != PaymentStatus.DRAFT else "pay_method", payment.number)
    context = receipts.summary(payment, request.scope)
    looking.at_members(request, (line.member_id for line in context["lines"] if line.member_id), "scheduled")
    saved = list(PaymentMethod.objects.visible_to(request.scope).ready().order_by("-is_default", "-created_at"))
    is_changing = request.method == "POST" and not {"cancel", "now"} & request.POST.keys()
    form = ChangeForm(
        request.POST if is_changing else None,
        payment=payment,
        saved=saved,
        first=scheduling.first_day(),
        last=scheduling.last_day(),
    )
    error = ""
    if request.method == "POST":
        try:
            if (response := _change(request, payment, form)) is not None:
                return response
        except CheckoutError as refusal:
            error = str(refusal)
    context |= {
        "form": form,
        "error": error,
        "method": wording.method_of(payment),
        "is_open": scheduling.is_open(payment),
        "cut_off": scheduling.cut_off(payment.scheduled_on),
        "still_cents": scheduling.still_owed_cents(payment),
        "unusable": scheduling.why_unusable(payment, payment.scheduled_on),
    }
    return render(request, "pay/scheduled.html", context, status=pay.INVALID if form.errors or error else 200)


def _change(request: MemberRequest, payment: Payment, form: ChangeForm) -> HttpResponse | None:
    """Do what was asked of a scheduled payment; None where the form has an error. Raises CheckoutError."""
    if "cancel" in request.POST:
        scheduling.call_off(payment)
        messages.success(request, _("The scheduled payment was canceled. Nothing is charged."))
        return redirect("payments")
    if "now" in request.POST:
        return redirect("pay_review", scheduling.take_back(payment).number)
    if not form.is_valid():
        return None
    changed = scheduling.change(
        payment, request.scope, on=form.cleaned_data["on"], amounts=form.amounts(), method=form.chosen(),
        attestation=payment.attestation,
    )  # fmt: skip
    _say_when(request, changed, form.cleaned_data["on"])
    return redirect("payment_schedule", payment.number)


def _say_when(request: MemberRequest, payment: Payment, wanted: object) -> None:
    day = {"day": day_long(payment.scheduled_on)}
    if payment.scheduled_on != wanted:
        messages.info(request, _("Banks are closed on the day that you chose: the payment is sent on %(day)s.") % day)
    else:
        messages.success(request, _("The payment is sent on %(day)s.") % day)
