"""The page of the plan year: deductible and out-of-pocket maximum, by person and family, month by month."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import looking
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from bills import plan_years


@allow(Policy.MEMBER)
@require_safe
def year_page(request: MemberRequest) -> HttpResponse:
    """Show one year, this one unless another is asked for that there is something of."""
    today = timezone.localdate()
    years = plan_years.years_seen(request.scope, today=today)
    asked = request.GET.get("year", "")
    year = next((each for each in years if str(each) == asked), today.year)
    looking.at_members(request, request.scope.clinical_ids, "claims-year")
    context = {"year": year, "years": years, "coverages": plan_years.of(request.scope, year, today=today)}
    return render(request, "claims/year.html", context)
