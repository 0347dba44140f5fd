"""Leaving a household: who, when and what becomes of the money; a review; and calling it off until its day."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import departures, reauthentication, successions
from accounts.ages import ADULT_AT, birthday
from accounts.models import Departure, Member
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from payments import leaving
from payments.leaving_forms import LeavingForm, PlansForm

REVIEW, CONFIRM = "review", "confirm"
ONE_DAY = dt.timedelta(days=1)


@allow(Policy.MEMBER)
@require_safe
def leaving_page(request: MemberRequest) -> HttpResponse:
    """Whose place in the household the viewer may change, and what is planned of it."""
    rows: list[dict[str, Any]] = [
        {
            "member": member, "is_own": member.pk in request.scope.own_ids, "planned": departures.leaving(member),
            "of_age_on": _comes_of_age(member),
        }
        for member in departures.may_plan_for(request.scope)
    ]  # fmt: skip
    context = {
        "rows": rows, "tells_of": [row for row in rows if row["member"].pk in request.scope.held_ids],
        "own_accounts": [(each, departures.leaving(each)) for each in successions.held_by(request.scope)],
        "offers": successions.offers_to(request.scope),
    }  # fmt: skip
    return render(request, "family/leaving.html", context)


@allow(Policy.MEMBER)
@reauthentication.required
@require_http_methods(["GET", "HEAD", "POST"])
def leaving_one(request: MemberRequest, member_id: int) -> HttpResponse:
    """Plan that one person leaves, or change what is planned: the choices, then a review, then it stands."""
    member = _member(request, member_id)
    standing = departures.leaving(member)
    form = LeavingForm(
        member, request.scope, request.POST or None, has_address=standing is not None and bool(standing.address),
        initial=_initial(standing, is_own=member.pk in request.scope.own_ids),
    )  # fmt: skip
    step = request.POST.get("step", "")
    if form.is_bound and form.is_valid():
        if step == CONFIRM:
            if (error := _plan(request, member, form)) is None:
                return redirect("leaving_one", member.pk)
            form.add_error(None, error)
        else:
            return _review(request, member, form)
    shown_on = standing.on if standing else None
    chosen = {"bills": standing.bills, "plans": standing.plans} if standing else {}
    context = {
        **_context(request, member, standing), "form": form, "current": 2,
        "steps": leaving.steps(member, request.scope, on=shown_on or _comes_of_age(member), **chosen),
    }  # fmt: skip
    return render(request, "family/leaving_one.html", context, status=422 if form.errors else 200)


@allow(Policy.MEMBER)
@require_POST
def leaving_cancel(request: MemberRequest, member_id: int) -> HttpResponse:
    """Call a planned leaving off, until its day."""
    member = _member(request, member_id)
    call_off(request, departures.leaving(member))
    return redirect("leaving_one", member.pk)


@allow(Policy.MEMBER)
@require_POST
def leaving_plans(request: MemberRequest, member_id: int) -> HttpResponse:
    """The holder chooses what becomes of the own payment plan when a child comes of age."""
    member = _member(request, member_id)
    standing = departures.planned(member)
    form = PlansForm(request.POST)
    is_for_holder = standing is not None and standing.cause == Departure.Cause.OF_AGE and _is_held(request, member)
    if standing is not None and is_for_holder and form.is_valid():
        departures.choose_plans(standing, plans=form.cleaned_data["plans"], by=request.user)
        messages.success(request, _("Saved."))
    return redirect("leaving_one", member.pk)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def leaving_death(request: MemberRequest, member_id: int) -> HttpResponse:
    """The holder tells Member Services of a death: nothing changes until they have confirmed it."""
    member = _member(request, member_id)
    if not _is_held(request, member):
        raise Http404("not of a household that this viewer holds")
    if request.method == "POST":
        departures.tell_of_death(member, by=request.user)
        messages.success(
            request,
            _("Thank you for telling us. We are sorry for your loss. Member Services will get in touch with you."),
        )
        return redirect("leaving")
    return render(request, "family/leaving_death.html", {"member": member})


def call_off(request: MemberRequest, standing: Departure | None) -> None:
    """Call a planned leaving off, anybody's or a holder's, and say so; or why not."""
    if standing is None:
        return
    try:
        departures.cancel(standing, request.scope, by=request.user)
    except departures.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("It is called off. Everything stays as it was."))


def _review(request: MemberRequest, member: Member, form: LeavingForm) -> HttpResponse:
    chosen = form.chosen()
    context = {
        **_context(request, member, departures.leaving(member)), "form": form, "current": 3,
        "letters": chosen["letters"],
        "cause": Departure.Cause(chosen["cause"]).label, "last_day": chosen["on"] - ONE_DAY,
        "bills": Departure.Bills(chosen["bills"]).label if "bills" in form.fields else "",
        "plans": Departure.Plans(chosen["plans"]).label if "plans" in form.fields else "",
        "steps": leaving.steps(
            member, request.scope, on=chosen["on"], bills=chosen["bills"], plans=chosen["plans"]
        ),
    }  # fmt: skip
    return render(request, "family/leaving_review.html", context)


def _plan(request: MemberRequest, member: Member, form: LeavingForm) -> str | None:
    """Plan it; why not, where it cannot be."""
    try:
        departures.plan(member, request.scope, **form.chosen(), by=request.user)
    except departures.Refused as refusal:
        return str(refusal)
    messages.success(request, _("It is planned. You can change it or call it off until its day."))
    return None


def _context(request: MemberRequest, member: Member, standing: Departure | None) -> dict[str, Any]:
    foreseen = Departure.objects.planned().filter(member=member, cause=Departure.Cause.OF_AGE).first()
    has_plans = foreseen is not None and leaving.has_plans(member, request.scope)
    return {
        "member": member, "is_own": member.pk in request.scope.own_ids, "planned": standing,
        "last_day_planned": standing.on - ONE_DAY if standing else None,
        "may_cancel": standing is not None and departures.may_cancel(standing, request.scope),
        "of_age_on": _comes_of_age(member), "owed": leaving.owed(member, request.scope),
        "plans_form": PlansForm(initial={"plans": foreseen.plans}) if foreseen and has_plans else None,
        "step_names": [_("Who"), _("When and how"), _("Review")],
    }  # fmt: skip


def _initial(standing: Departure | None, *, is_own: bool) -> dict[str, Any]:
    """What is planned; of the address, which is that person's, nobody else reads anything here."""
    if standing is None:
        return {"last_day": timezone.localdate()}
    return {
        "cause": standing.cause, "last_day": standing.on - ONE_DAY, "bills": standing.bills, "plans": standing.plans,
        **(standing.letters if is_own else {}),
    }  # fmt: skip


def _comes_of_age(member: Member) -> dt.date | None:
    """The 18th birthday of a child of the account, in the year before it."""
    day, today = birthday(member.birth_date, ADULT_AT), timezone.localdate()
    return day if today < day <= today + departures.LONGEST else None


def _is_held(request: MemberRequest, member: Member) -> bool:
    return member.pk in request.scope.held_ids


def _member(request: MemberRequest, member_id: int) -> Member:
    found = next((each for each in departures.may_plan_for(request.scope) if each.pk == member_id), None)
    if found is None:
        raise Http404("nobody whose leaving this viewer can plan")
    return found
