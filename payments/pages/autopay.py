"""The Autopay pages: what is on, what comes next and how it ended; a calendar; one enrolment; pausing and stopping."""

import datetime as dt

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import looking, reauthentication
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from ledger.money import format_usd
from ledger.templatetags.portal import day_long
from payments import scheduling, wording
from payments.autopay import changing, days, debiting_again, health, listing, monthly, naming, terms
from payments.autopay.changing import Outcome
from payments.autopay.forms import PauseForm
from payments.autopay.terms import AutopayError
from payments.models import AutopayConsent, AutopayEnrollment
from payments.overview import months_back

MONTHS_AWAY = 12  # how far the calendar goes, forth and back
MOST_CONSENTS = 20


@allow(Policy.MEMBER)
@require_safe
def autopay_page(request: MemberRequest) -> HttpResponse:
    """What autopay pays, what it charges next, and how each charge ended."""
    upcoming, past = listing.upcoming(request.scope), listing.past(request.scope)
    _looked_at(request, [*upcoming, *past])
    context = {"things": listing.things(request.scope), "upcoming": upcoming, "past": past}
    return render(request, "autopay/autopay.html", context)


@allow(Policy.MEMBER)
@require_safe
def calendar_page(request: MemberRequest) -> HttpResponse:
    """A month of due dates and autopay days, with a list behind it."""
    today = timezone.localdate()
    first = _month(request.GET.get("month", ""), today)
    last = months_back(first, -1) - dt.timedelta(days=1)
    found = monthly.entries(request.scope, first, last)
    earlier, later = months_back(first, 1), months_back(first, -1)
    context = {
        "month": first,
        "weeks": monthly.weeks(first.year, first.month, found),
        "entries": found,
        "earlier": earlier if earlier >= months_back(today, MONTHS_AWAY) else None,
        "later": later if later <= months_back(today, -MONTHS_AWAY) else None,
    }
    return render(request, "autopay/calendar.html", context)


@allow(Policy.MEMBER)
@require_safe
def enrollment_page(request: MemberRequest, enrollment_id: int) -> HttpResponse:
    """One enrolment: how it pays, what was agreed to, and changing, pausing or stopping it."""
    enrollment = own(request, enrollment_id)
    context = _told(request, enrollment) | {
        "pause_form": PauseForm(auto_id="id_%s"),
        "consents": AutopayConsent.objects.filter(enrollment=enrollment).order_by("-pk")[:MOST_CONSENTS],
    }
    return render(request, "autopay/enrollment.html", context)


@allow(Policy.MEMBER)
@reauthentication.required
@require_POST
def pause(request: MemberRequest, enrollment_id: int) -> HttpResponse:
    """Charge nothing until a day."""
    enrollment = own(request, enrollment_id)
    form = PauseForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("It was not paused: choose a day after today."))
        return redirect("autopay_enrollment", enrollment.pk)
    until = form.cleaned_data["until"]
    try:
        outcome = changing.pause(enrollment, request.user, until=until)
    except AutopayError as refusal:
        messages.error(request, str(refusal))
    else:
        told = _(
            "Autopay is paused until %(day)s. What falls due before then stays owed: pay it by hand, or it is charged "
            "after the pause."
        )
        messages.success(request, told % {"day": day_long(until)})
        if outcome.not_again:
            messages.warning(request, _("A returned payment is not debited again in that time. Pay it by hand."))
        _say_what_is_on_its_way(request, outcome)
    return redirect("autopay_enrollment", enrollment.pk)


@allow(Policy.MEMBER)
@reauthentication.required
@require_POST
def resume(request: MemberRequest, enrollment_id: int) -> HttpResponse:
    """End a pause."""
    enrollment = own(request, enrollment_id)
    try:
        changing.resume(enrollment, request.user)
    except AutopayError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Autopay is on again."))
    return redirect("autopay_enrollment", enrollment.pk)


@allow(Policy.MEMBER)
@reauthentication.required
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: MemberRequest, enrollment_id: int) -> HttpResponse:
    """Ask whether to turn it off, with what that means; posted to, do it."""
    enrollment = own(request, enrollment_id)
    if request.method == "POST":
        try:
            outcome = changing.stop(enrollment, actor=f"user:{request.user.pk}")
        except AutopayError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Autopay is off. From now on you pay this by hand."))
            _say_what_is_on_its_way(request, outcome)
        return redirect("autopay")
    again = scheduling.upcoming(request.scope).filter(retry_of__autopay_charge__enrollment=enrollment)
    told = _told(request, enrollment) | {"again": again, "again_cents": debiting_again.on_its_way_cents(enrollment)}
    return render(request, "autopay/stop.html", told)


def own(request: MemberRequest, enrollment_id: int) -> AutopayEnrollment:
    """The viewer's own enrolment. Raises Http404 for everything else."""
    mine = AutopayEnrollment.objects.visible_to(request.scope)
    return get_object_or_404(mine.select_related("coverage__plan", "plan", "method", "fallback"), pk=enrollment_id)


def _told(request: MemberRequest, enrollment: AutopayEnrollment) -> dict[str, object]:
    upcoming = [row for row in listing.upcoming(request.scope) if row.charge.enrollment_id == enrollment.pk]
    _looked_at(request, upcoming)
    return {
        "enrollment": enrollment,
        "key": terms.of_subject(enrollment).key,
        "title": naming.title_of(enrollment, request.scope),
        "people": naming.people_of(enrollment, request.scope),
        "day_words": days.words_of(enrollment),
        "method": wording.saved(enrollment.method),
        "fallback": wording.saved(enrollment.fallback) if enrollment.fallback else "",
        "standing": naming.standing_of(enrollment),
        "upcoming": upcoming,
        "problems": health.words_of(enrollment),
        "is_on": enrollment.status != AutopayEnrollment.Status.ENDED,
        "is_paused": enrollment.status == AutopayEnrollment.Status.PAUSED,
        "is_suspended": enrollment.status == AutopayEnrollment.Status.SUSPENDED,
        "on_its_way": [row for row in upcoming if row.charge.status == "sent"],
    }


def _looked_at(request: MemberRequest, rows: list[listing.Row]) -> None:
    seen = {row.charge.bill.member_id for row in rows if row.charge.bill is not None}
    looking.at_members(request, seen, "autopay")


def _say_what_is_on_its_way(request: MemberRequest, outcome: Outcome) -> None:
    """FAULTS D27: what a stop or a pause that came late does not stop."""
    if outcome.on_its_way_cents:
        messages.warning(
            request,
            _(
                "%(amount)s is already on its way and is not stopped by this. If it must not be taken, call us; for a "
                "bank account you can also tell your bank."
            )
            % {"amount": format_usd(outcome.on_its_way_cents)},
        )


def _month(text: str, today: dt.date) -> dt.date:
    """The first day of a month that was asked for: `2026-12`. Raises Http404 beyond MONTHS_AWAY."""
    try:
        first = dt.date.fromisoformat(f"{text}-01") if text else today.replace(day=1)
    except ValueError as error:
        raise Http404("no month") from error
    if not months_back(today, MONTHS_AWAY) <= first <= months_back(today, -MONTHS_AWAY):
        raise Http404("a month too far away")
    return first
