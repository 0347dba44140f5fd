"""Changing one's own plan: the payments or another bill, read and signed anew; the method; a pause; the end of it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import looking
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from bills.models import Bill
from payments.models import PaymentPlan
from payments.pages import pay
from payments.pages.acceptance import acceptance_of
from payments.pages.method_choice import usable_methods
from payments.pages.plan_wizard import kept, signing_page
from payments.pages.plans import owned
from payments.plan_forms import ChosenBillsForm, PauseForm, PlanMethodForm, SignForm, TermsForm
from payments.plans import changing, offering, pausing
from payments.plans.agreeing import NotSigned, Signing
from payments.plans.terms import Choice, TermsRefused

CHANGES = "plan_changes"


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: MemberRequest, number: str) -> HttpResponse:
    """Which other bills join the plan; then how all of it is paid."""
    plan = owned(request, number)
    found = [
        each for each in offering.candidates(request.scope) if each.bill.household_id == plan.household_id
    ]  # fmt: skip
    looking.at_members(request, (each.bill.member_id for each in found), "plan offer")
    fit = [each.bill.number for each in found if not each.reason]
    form = ChosenBillsForm(fit, request.POST if request.method == "POST" else None)
    error = str(next(iter(form.errors["bill"]))) if form.is_bound and not form.is_valid() else ""
    if form.is_bound and not error:
        _remember(request, plan, {"added": form.cleaned_data["bill"]})
        return redirect("plan_change", plan.number)
    context = {"plan": plan, "found": found, "wanted": request.POST.getlist("bill"), "error": error}
    return render(request, "plans/new.html", context, status=pay.INVALID if error else 200)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: MemberRequest, number: str) -> HttpResponse:
    """How what is left, and the bills added, are paid from now on."""
    plan = owned(request, number)
    remembered = _remembered(request, plan)
    added: list[str] = remembered.get("added", [])
    joining = list(Bill.objects.visible_to(request.scope).filter(number__in=added))
    total = changing.left_cents(plan, joining)
    if not total or plan.status != PaymentPlan.Status.ACTIVE:
        return redirect("plan", plan.number)
    initial = {"day": plan.day_of_month, "method": str(plan.method_id or "")}
    form = TermsForm(
        plan.policy, total, usable_methods(request), request.POST or None, is_change=True, initial=initial
    )  # fmt: skip
    if form.is_bound and form.is_valid():
        choice = form.choice()
        try:
            changing.draft(request.scope, plan, choice, added)
        except TermsRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            chosen = {"added": added, "choice": kept(choice), "method": form.cleaned_data["method"]}
            _remember(request, plan, chosen)
            return redirect("plan_change_sign", plan.number)
    context = {"form": form, "total_cents": total, "count": plan.plan_bills.standing().count() + len(joining),
               "plan": plan}  # fmt: skip
    return render(request, "plans/terms.html", context, status=pay.INVALID if form.errors else 200)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def change_sign(request: MemberRequest, number: str) -> HttpResponse:
    """The new agreement, read before it is signed."""
    plan = owned(request, number)
    remembered = _remembered(request, plan)
    if "choice" not in remembered:
        return redirect("plan_change", plan.number)
    choice, added = Choice(**remembered["choice"]), remembered["added"]
    form, error = SignForm(request.POST or None), ""
    if form.is_bound and form.is_valid():
        signing = Signing(form.cleaned_data["signature"], form.cleaned_data["digest"], acceptance_of(request))
        try:
            changing.apply(request.scope, plan, choice, signing, added=added)
            _use_method(request, plan, remembered["method"])
        except NotSigned as refusal:
            form.add_error("signature", str(refusal))
        except TermsRefused as refusal:
            error = str(refusal)
        else:
            _forget(request)
            messages.success(request, _("Your payment plan was changed. The new agreement is on this page."))
            return redirect("plan", plan.number)
    try:
        made = changing.draft(request.scope, plan, choice, added)
    except TermsRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("plan", plan.number)
    return signing_page(request, made, form, error, back="plan_change", back_args=plan.number)


@allow(Policy.MEMBER)
@require_POST
def method(request: MemberRequest, number: str) -> HttpResponse:
    """Which method is suggested when the plan is paid."""
    plan = owned(request, number)
    form = PlanMethodForm(usable_methods(request), request.POST)
    if form.is_valid():
        _use_method(request, plan, form.cleaned_data["method"])
        messages.success(request, _("The method was changed."))
    else:
        messages.error(request, _("Choose one of the ways to pay."))
    return redirect("plan", plan.number)


@allow(Policy.MEMBER)
@require_POST
def pause(request: MemberRequest, number: str) -> HttpResponse:
    """Let the plan wait, once, for hardship."""
    plan = owned(request, number)
    form = PauseForm(plan.policy, request.POST)
    try:
        months = form.cleaned_data["months"] if form.is_valid() else 0
        pausing.for_hardship(plan, months=months, by=request.user)
    except TermsRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Your plan is paused. Nothing is due meanwhile."))
    return redirect("plan", plan.number)


@allow(Policy.MEMBER)
@require_POST
def resume(request: MemberRequest, number: str) -> HttpResponse:
    """Let a paused plan go on."""
    plan = owned(request, number)
    try:
        pausing.go_on(plan, by=request.user)
    except TermsRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Your plan goes on. The next payments are in the schedule."))
    return redirect("plan", plan.number)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: MemberRequest, number: str) -> HttpResponse:
    """End the plan, after saying what that means."""
    plan = owned(request, number)
    if plan.status != PaymentPlan.Status.ACTIVE:
        return redirect("plan", plan.number)
    if request.method == "POST":
        try:
            changing.end(plan, by=request.user)
        except TermsRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Your payment plan has ended. Its bills are due on their own dates."))
        return redirect("plan", plan.number)
    return render(request, "plans/end.html", {"plan": plan})


def _use_method(request: MemberRequest, plan: PaymentPlan, key: str) -> None:
    chosen = next((method for method in usable_methods(request) if str(method.pk) == key), None)
    changing.use_method(plan, chosen)


def _remember(request: MemberRequest, plan: PaymentPlan, what: dict[str, Any]) -> None:
    request.session[CHANGES] = {"plan": plan.number, **what}


def _remembered(request: MemberRequest, plan: PaymentPlan) -> dict[str, Any]:
    """What was chosen for this plan; nothing of another's."""
    found: dict[str, Any] = request.session.get(CHANGES) or {}
    return found if found.get("plan") == plan.number else {}


def _forget(request: MemberRequest) -> None:
    request.session.pop(CHANGES, None)
