"""The coverage clock on the premium page: how far it is paid, what stops when, and the button that cures it."""

import datetime as dt
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import looking, rate_limits
from accounts.models import Coverage
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from accounts.visibility import Scope
from bills.models import GracePeriod
from bills.states import Pill
from payments import coverage_clock, grace, grace_papers
from payments.coverage_clock import Clock, State
from payments.grace import Standing


@dataclass(frozen=True, slots=True)
class Step:
    """One day of the clock, in words."""

    on: dt.date
    label: str
    tone: str
    is_past: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """The clock of one coverage in words. US cents."""

    pill: Pill
    paid_through: dt.date | None
    steps: list[Step]
    cure_cents: int
    cure_href: str
    pay_by: dt.date | None
    needs_all: bool
    letter: GracePeriod | None
    is_in_grace: bool
    is_waiting: bool
    is_held: bool


def of(coverage: Coverage, scope: Scope, *, today: dt.date) -> Shown | None:
    """The clock of a coverage that the viewer sees; None where it has no bills. Its household is at hand."""
    standing = grace.standings([coverage], today=today).get(coverage.pk)
    if standing is None:
        return None
    running = GracePeriod.objects.visible_to(scope).filter(coverage=coverage).order_by("-pk").first()
    span = _span(standing, running, today)
    clock = standing.clock
    may_pay = coverage.subscriber_id in scope.payable_ids
    query = urlencode([("bill", month.number) for month in clock.cure])
    return Shown(
        pill=_pill(clock, span, today),
        paid_through=clock.paid_through,
        steps=_steps(clock, span, today),
        cure_cents=clock.cure_cents,
        cure_href=f"{reverse('pay')}?{query}" if clock.cure and may_pay and clock.state is State.GRACE else "",
        pay_by=span.ends_on if span else None,
        needs_all=standing.rule.needs_all and len(clock.cure) > 1,
        letter=running,
        is_in_grace=clock.state is State.GRACE,
        is_waiting=clock.state is State.WAITING,
        is_held=clock.state is State.REVIEW,
    )


@allow(Policy.MEMBER)
@require_safe
@rate_limits.limited(rate_limits.DOCUMENTS_PER_USER)
def grace_letter(request: MemberRequest, grace_id: int) -> HttpResponse:
    """Give the notice of the start of a grace period as a PDF, as it stood on its day; `about=end`: of the end."""
    is_end = request.GET.get("about") == "end"
    seen = GracePeriod.objects.visible_to(request.scope).select_related(
        "coverage__household", "coverage__subscriber", "coverage__plan", "rule"
    )
    found = get_object_or_404(seen.filter(status=GracePeriod.Status.ENDED) if is_end else seen, pk=grace_id)
    subscriber_id = found.coverage.subscriber_id
    looking.at(request, f"coverage:{found.coverage_id}", subscriber_id)
    is_amounts_only = request.scope.sees_only_amounts_of(subscriber_id)
    made = grace_papers.printed(found, is_end=is_end, is_amounts_only=is_amounts_only, request=request)
    name = "end-of-coverage" if is_end else "grace-notice"
    headers = {"Content-Disposition": f'inline; filename="{name}-{found.period:%Y-%m}.pdf"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


def _span(standing: Standing, running: GracePeriod | None, today: dt.date) -> coverage_clock.Span | None:
    """The days of the grace that runs, as they were told; of one that begins with the next run, as they will be."""
    late = standing.clock.late
    if running is not None and (running.status == GracePeriod.Status.OPEN or standing.clock.state is State.ENDED):
        return coverage_clock.Span(running.began_on, running.ends_on, running.cover_ends_on, running.claims_wait_from)
    if late is None or standing.clock.state is not State.GRACE:
        return None
    return coverage_clock.span(standing.rule, late, starts_on=standing.coverage.start_on, noticed_on=today)


def _pill(clock: Clock, span: coverage_clock.Span | None, today: dt.date) -> Pill:
    if clock.state is State.ENDED:
        return Pill(_("Coverage ended"), "late")
    if clock.state is State.GRACE and span is not None:
        days = (span.ends_on - today).days
        return Pill(_("In grace, %(days)d days left") % {"days": max(0, days)}, "late")
    words = {
        State.PAID: (_("Paid"), "paid"),
        State.DUE: (_("Nothing is late"), ""),
        State.WAITING: (_("Payment on its way"), ""),
        State.REVIEW: (_("Under review"), ""),
    }
    return Pill(*words.get(clock.state, (_("In grace"), "late")))


def _steps(clock: Clock, span: coverage_clock.Span | None, today: dt.date) -> list[Step]:
    """The days in their order."""
    found: list[tuple[dt.date, str, str]] = []
    if clock.paid_through is not None:
        found.append((clock.paid_through, _("Paid through this day"), "paid"))
    if span is not None:
        found.append((span.began_on, _("Your grace period begins; you stay covered"), ""))
        if span.claims_wait_from is not None:
            found.append((span.claims_wait_from, _("From now on claims may wait until you have paid"), "due"))
        found.append((span.ends_on, _("Last day to pay"), "late"))
        found.append((span.cover_ends_on, _("Without payment, coverage ends after this day"), "late"))
    order = {label: place for place, (_on, label, _tone) in enumerate(found)}
    ordered = sorted(found, key=lambda each: (each[0], order[each[1]]))
    return [Step(on, label, tone, is_past=on < today) for on, label, tone in ordered]
