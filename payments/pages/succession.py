"""A holder leaves: who holds the account next and when, a review, and the answer of who is asked."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import departures, reauthentication, successions
from accounts.models import Departure, Member
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from payments import succeeding
from payments.leaving_forms import HolderForm
from payments.pages.leaving import CONFIRM, ONE_DAY, call_off

CANCEL = "cancel"
TIME_TO_ANSWER = dt.timedelta(days=14)  # proposed, for who is asked


@allow(Policy.MEMBER)
@reauthentication.required
@require_http_methods(["GET", "HEAD", "POST"])
def leaving_holder(request: MemberRequest, member_id: int) -> HttpResponse:
    """Plan that one leaves the account one holds: the choices, then a review, then it stands; and calling it off."""
    holder = next((each for each in successions.held_by(request.scope) if each.pk == member_id), None)
    if holder is None:
        raise Http404("not a member of this viewer who holds an account")
    standing = departures.leaving(holder)
    if request.method == "POST" and request.POST.get("step") == CANCEL:
        call_off(request, standing)
        return redirect("leaving_holder", holder.pk)
    found = successions.candidates(holder, request.scope)
    has_plans = succeeding.plans_for_others(holder, request.scope).exists()
    form = HolderForm(found, request.POST or None, has_plans=has_plans, initial=_initial(standing))
    context = _context(request, holder, standing, form)
    if form.is_bound and form.is_valid() and not context["is_stuck"]:
        chosen = form.chosen()
        if request.POST.get("step") != CONFIRM:
            return _review(request, context, chosen)
        try:
            successions.plan(holder, request.scope, **chosen, by=request.user)
        except departures.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("It is planned. You can change it or call it off until its day."))
            return redirect("leaving_holder", holder.pk)
    return render(request, "family/leaving_holder.html", context, status=422 if form.errors else 200)


@allow(Policy.MEMBER)
@reauthentication.required
@require_http_methods(["GET", "HEAD", "POST"])
def leaving_offers(request: MemberRequest) -> HttpResponse:
    """The accounts that the viewer is asked to hold: what happens then, and yes or no."""
    offers = successions.offers_to(request.scope)
    if request.method == "POST":
        offer = next((each for each in offers if str(each.pk) == request.POST.get("offer")), None)
        answer = request.POST.get("answer")
        if offer is None or answer not in ("yes", "no"):
            raise Http404("nothing that this viewer is asked")
        try:
            successions.answer(offer, request.scope, is_yes=answer == "yes", by=request.user)
        except departures.Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _answered(is_yes=answer == "yes"))
        return redirect("leaving_offers")
    rows = [
        {"offer": each, "last_day": each.on - ONE_DAY, "steps": succeeding.steps_for_successor(each.member, on=each.on)}
        for each in offers
    ]
    return render(request, "family/leaving_offers.html", {"rows": rows})


def _answered(*, is_yes: bool) -> str:
    if is_yes:
        return _("Thank you. You hold the account from its day on. Until then you can still say no.")
    return _("You said no. Everything stays as it was.")


def _review(request: MemberRequest, context: dict[str, Any], chosen: dict[str, Any]) -> HttpResponse:
    steps = succeeding.steps(
        context["holder"], request.scope, on=chosen["on"], successor=chosen["successor"], is_last=context["is_last"]
    )
    told = {
        "steps": steps, "current": 3, "letters": chosen["letters"],
        "successor": chosen["successor"], "last_day": chosen["on"] - ONE_DAY,
        "cause": Departure.Cause(chosen["cause"]).label,
        "plans": Departure.Plans(chosen["plans"]).label if "plans" in context["form"].fields else "",
    }  # fmt: skip
    return render(request, "family/leaving_holder_review.html", context | told)


def _context(request: MemberRequest, holder: Member, standing: Departure | None, form: HolderForm) -> dict[str, Any]:
    """`is_last`: nobody else is on the account. `is_stuck`: somebody is, and nobody of them can hold it."""
    is_last = not successions.others(holder).exists()
    return {
        "holder": holder, "planned": standing, "form": form, "current": 2, "is_last": is_last,
        "is_stuck": not is_last and not form.candidates,
        "last_day_planned": standing.on - ONE_DAY if standing else None,
        "step_names": [_("Who"), _("When and how"), _("Review")],
        "steps": succeeding.steps(
            holder, request.scope, on=standing.on if standing else None,
            successor=standing.successor if standing else None, is_last=is_last,
        ),
    }  # fmt: skip


def _initial(standing: Departure | None) -> dict[str, Any]:
    if standing is None:
        return {"last_day": timezone.localdate() + TIME_TO_ANSWER}
    return {
        "cause": standing.cause, "last_day": standing.on - ONE_DAY, "successor": standing.successor_id,
        "plans": standing.plans, **standing.letters,
    }  # fmt: skip
