"""Setting up a plan in three steps: which bills, how they are spread, and the agreement that is read and signed.

What was chosen waits in the session: nothing of it stands in an address, and a step that is skipped begins again.
"""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import looking
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from ledger.money import format_usd
from payments.checkout import MAX_BILLS
from payments.models import PaymentMethod
from payments.pages import pay
from payments.pages.acceptance import acceptance_of
from payments.pages.method_choice import usable_methods
from payments.plan_forms import ChosenBillsForm, SignForm, TermsForm
from payments.plans import agreeing, agreements, offering, policies
from payments.plans.agreeing import BillUnfit, NotSigned, Signing
from payments.plans.terms import Choice, TermsRefused

DRAFT = "plan_draft"


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """Step 1: which bills."""
    found = offering.candidates(request.scope)
    looking.at_members(request, (each.bill.member_id for each in found), "plan offer")
    fit = [each.bill.number for each in found if not each.reason]
    form = ChosenBillsForm(fit, request.POST if request.method == "POST" else None)
    error = ""
    if form.is_bound and form.is_valid():
        chosen = [each for each in found if each.bill.number in form.cleaned_data["bill"]]
        if not (error := _why_not_together(chosen)):
            request.session[DRAFT] = {"bills": [each.bill.number for each in chosen]}
            return redirect("plan_terms")
    elif form.is_bound:
        error = str(next(iter(form.errors["bill"])))
    wanted = request.POST.getlist("bill") if form.is_bound else request.GET.getlist("bill")
    context = {
        "found": found,
        "wanted": [number for number in wanted if number in fit] or (fit if not form.is_bound else []),
        "error": error,
        "least_cents": min((_policy(each).min_bill_cents for each in found[:1]), default=0),
        "steps": steps(),
    }
    return render(request, "plans/new.html", context, status=pay.INVALID if error else 200)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def terms(request: MemberRequest) -> HttpResponse:
    """Step 2: how many payments or how much a month, the day, and what is paid down."""
    draft = request.session.get(DRAFT) or {}
    found = offering.candidates(request.scope, draft.get("bills", ())) if draft.get("bills") else []
    if not found or any(each.reason for each in found):
        return redirect("plan_new")
    total = sum(each.owed_cents for each in found)
    saved = usable_methods(request)
    initial = {"day": timezone.localdate().day, "how": None, **_initial(draft)}
    form = TermsForm(_policy(found[0]), total, saved, request.POST or None, initial=initial)
    if form.is_bound and form.is_valid():
        choice = form.choice()
        try:
            agreeing.draft(request.scope, request.user, draft["bills"], choice)
        except TermsRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            request.session[DRAFT] = {
                "bills": draft["bills"], "choice": kept(choice), "method": form.cleaned_data["method"],
            }  # fmt: skip
            return redirect("plan_sign")
    context = {"form": form, "total_cents": total, "count": len(found), "steps": steps()}
    return render(request, "plans/terms.html", context, status=pay.INVALID if form.errors else 200)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: MemberRequest) -> HttpResponse:
    """Step 3: the schedule and the credit box, read before the signature."""
    draft = request.session.get(DRAFT) or {}
    if "choice" not in draft or "bills" not in draft:
        return redirect("plan_new")
    choice = Choice(**draft["choice"])
    form, error = SignForm(request.POST or None), ""
    if form.is_bound and form.is_valid():
        signing = Signing(form.cleaned_data["signature"], form.cleaned_data["digest"], acceptance_of(request))
        try:
            plan = agreeing.accept(
                request.scope, request.user, draft["bills"], choice, signing, method=_method(request, draft)
            )
        except NotSigned as refusal:
            form.add_error("signature", str(refusal))
        except BillUnfit as refusal:
            messages.error(request, str(refusal))
            return redirect("plan_new")
        except TermsRefused as refusal:
            error = str(refusal)
        else:
            request.session.pop(DRAFT, None)
            messages.success(request, _("Your payment plan is set up. A copy of the agreement is on this page."))
            return redirect("plan", plan.number)
    try:
        made = agreeing.draft(request.scope, request.user, draft["bills"], choice)
    except TermsRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("plan_new")
    looking.at_members(request, (bill.member_id for bill in made.bills), "plan offer")
    return signing_page(request, made, form, error, back="plan_terms")


def signing_page(
    request: MemberRequest, made: agreeing.Draft, form: SignForm, error: str, *, back: str, back_args: Any = ()
) -> HttpResponse:
    """The agreement with its boxes, and the place to sign it."""
    context = {
        "blocks": agreements.blocks(made.text, required=made.terms.policy.required_text),
        "digest": made.digest,
        "name": made.party.name,
        "form": form,
        "error": error,
        "first": made.terms.monthly[0],
        "count": len(made.terms.monthly),
        "total": format_usd(made.terms.total_cents),
        "back": back,
        "back_args": back_args,
        "steps": steps() if back == "plan_terms" else [],
    }
    return render(request, "plans/sign.html", context, status=pay.INVALID if error or form.errors else 200)


def kept(choice: Choice) -> dict[str, Any]:
    """A choice as the session keeps it."""
    return {name: getattr(choice, name) for name in Choice.__dataclass_fields__}


def steps() -> list[str]:
    """What the steps are called."""
    return [_("Bills"), _("Payments"), _("Read and sign")]


def _why_not_together(chosen: list[offering.Candidate]) -> str:
    least = _policy(chosen[0]).min_bill_cents
    if len({each.bill.household_id for each in chosen}) > 1:
        return _("A plan is for the bills of one household.")
    if len(chosen) > MAX_BILLS:
        return _("A plan takes at most %(count)d bills.") % {"count": MAX_BILLS}
    if (total := sum(each.owed_cents for each in chosen)) < least:
        return _("A payment plan is for %(least)s or more; what you chose comes to %(total)s.") % {
            "least": format_usd(least), "total": format_usd(total),
        }  # fmt: skip
    return ""


def _policy(candidate: offering.Candidate) -> Any:
    return policies.for_state(candidate.bill.household.state)


def _method(request: MemberRequest, draft: Mapping[str, Any]) -> PaymentMethod | None:
    return next((method for method in usable_methods(request) if str(method.pk) == draft.get("method")), None)


def _initial(draft: Mapping[str, Any]) -> dict[str, Any]:
    """What was chosen before, where the reader goes back to change it."""
    choice = draft.get("choice")
    if not choice:
        return {}
    dollars = {
        name: f"{choice[field] // 100}.{choice[field] % 100:02d}"
        for name, field in (("monthly", "monthly_cents"), ("down", "down_cents"))
        if choice[field]
    }
    how = "monthly" if choice["monthly_cents"] else "count"
    return {"how": how, "count": choice["count"], "day": choice["day"], "method": draft.get("method"), **dollars}
