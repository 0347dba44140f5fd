"""The premiums page: what each coverage costs, which months are due, and paying some of them or months ahead."""

import datetime as dt

from django import forms
from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts import aids, looking
from accounts.models import Coverage, Member
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from accounts.visibility import Scope
from bills import premiums
from bills.models import Bill
from ledger.templatetags.portal import month as month_words
from payments.autopay import notes
from payments.overview import months_back
from payments.pages import clock
from payments.pages.rows import rows_of

MONTHS_SHOWN = 18  # all of them stand among the bills
MAX_COVERAGES = 50


class AheadForm(forms.Form):
    """The last month to issue ahead."""

    through = forms.TypedChoiceField(coerce=dt.date.fromisoformat, label=gettext_lazy("Pay ahead until"))

    def __init__(self, data: object = None, *, months: list[dt.date]) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.fields["through"].choices = [(f"{each:%Y-%m-%d}", capfirst(month_words(each))) for each in months]  # type: ignore[attr-defined]


@allow(Policy.MEMBER)
@require_safe
def premiums_page(request: MemberRequest) -> HttpResponse:
    """Show one coverage and its months; the others stand beside it to choose."""
    coverages = _coverages(request)
    wanted = request.GET.get("coverage", "")
    coverage = next((each for each in coverages if str(each.pk) == wanted), None)
    if wanted and coverage is None:
        raise Http404("not a coverage that this viewer sees")
    coverage = coverage or next(iter(coverages), None)
    context: dict[str, object] = {"coverages": coverages, "coverage": coverage}
    if coverage is not None:
        looking.at(request, f"coverage:{coverage.pk}", coverage.subscriber_id)
        # The others stand beside it by kind, plan and name.
        looking.at_members(request, {each.subscriber_id for each in coverages if each != coverage}, "premiums")
        context |= _told(request, coverage)
    return render(request, "premiums/premiums.html", context)


@allow(Policy.MEMBER)
@require_POST
def pay_ahead(request: MemberRequest, coverage_id: int) -> HttpResponse:
    """Issue the months ahead that the member wants to pay now, and show them ready to be chosen."""
    coverage = get_object_or_404(Coverage.objects.visible_to(request.scope), pk=coverage_id)
    if coverage.subscriber_id not in request.scope.payable_ids:
        raise Http404("not a coverage that this viewer pays for")
    form = AheadForm(request.POST, months=months_ahead(coverage, today=timezone.localdate()))
    if form.is_valid():
        through = form.cleaned_data["through"]
        issued = premiums.issue_ahead(coverage, through=through, actor=f"user:{request.user.pk}")
        if issued:
            messages.success(request, _("Premiums up to %(month)s are ready to pay.") % {"month": month_words(through)})
    return redirect(f"{reverse('premiums')}?coverage={coverage.pk}")


def months_ahead(coverage: Coverage, *, today: dt.date) -> list[dt.date]:
    """The months after this one that can be paid ahead: at most twelve, and none beyond the coverage's end."""
    months = [months_back(today, -ahead) for ahead in range(1, premiums.MAX_MONTHS_AHEAD + 1)]
    return [month for month in months if coverage.end_on is None or month <= coverage.end_on]


def _coverages(request: MemberRequest) -> list[Coverage]:
    """The coverages that the viewer sees, those in force first, with the members of each whom the viewer sees."""
    today = timezone.localdate()
    seen = Member.objects.visible_to(request.scope).order_by("-is_primary_holder", "birth_date", "pk")
    found = (
        Coverage.objects.visible_to(request.scope)
        .select_related("plan", "subscriber", "household")
        .prefetch_related(Prefetch("members", queryset=seen, to_attr="members_seen"))
        .order_by("-start_on", "pk")[:MAX_COVERAGES]
    )
    return sorted(found, key=lambda each: each.end_on is not None and each.end_on < today)


def _latest(coverage: Coverage, scope: Scope) -> list[Bill]:
    """The premiums of the last months, the latest first: found along their own index, and then only these are read."""
    months = Bill.objects.filter(kind=Bill.Kind.PREMIUM, coverage=coverage).order_by("-period")
    seen = Bill.objects.visible_to(scope).select_related(None).select_related("receivable", "member")
    found = list(seen.filter(pk__in=list(months.values_list("pk", flat=True)[:MONTHS_SHOWN])))
    for bill in found:
        bill.coverage = coverage
    return sorted(found, key=lambda bill: bill.period or dt.date.min, reverse=True)


def _told(request: MemberRequest, coverage: Coverage) -> dict[str, object]:
    """What the page says of one coverage: its cost a month, the months to pay, and those behind."""
    scope, today = request.scope, timezone.localdate()
    rows = rows_of(_latest(coverage, scope), scope)
    latest = max((row.bill.period for row in rows if row.bill.period), default=None)
    ahead = [month for month in months_ahead(coverage, today=today) if latest is None or month > latest]
    subsidy, charitable = aids.SUBSIDY.cents_on(coverage, today), aids.CHARITABLE.cents_on(coverage, today)
    can_pay = coverage.subscriber_id in scope.payable_ids
    return {
        "clock": clock.of(coverage, scope, today=today),
        "is_amounts_only": scope.sees_only_amounts_of(coverage.subscriber_id),
        "is_ended": coverage.end_on is not None and coverage.end_on < today,
        "autopay": notes.of_coverage(coverage, scope),
        "subsidy_cents": subsidy,
        "charitable_cents": charitable,
        "monthly_cents": coverage.premium_cents - subsidy - charitable,
        "due": [row for row in reversed(rows) if row.can_pay],
        "behind": [row for row in rows if not row.can_pay],
        "ahead_form": AheadForm(months=ahead) if ahead and can_pay else None,
    }
