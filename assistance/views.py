"""The pages that anybody or any member may read: what help there is, and what it would likely be."""

from typing import Any

from django.http import Http404, HttpResponse
from django.http.request import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import looking, rate_limits
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from assistance import eligible, letters, rules
from assistance.forms import EstimateForm
from assistance.models import Application, Award
from bills import pdf
from bills.models import Bill

INVALID = 422


@allow(Policy.PUBLIC)
@require_safe
def summary(request: HttpRequest) -> HttpResponse:
    """The policy in plain words, for everybody (26 CFR 1.501(r)-4(b)(5)(i))."""
    today = timezone.localdate()
    table = rules.guideline("", today)
    context = {
        "layout": "layouts/member.html" if request.user.is_authenticated else "layouts/public.html",
        "policy": rules.policy("", today),
        "table": table,
        "rows": [(size, table.cents_for(size), 4 * table.cents_for(size)) for size in range(1, 9)],
    }
    return render(request, "assistance/summary.html", context)


@allow(Policy.MEMBER)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def assistance(request: MemberRequest) -> HttpResponse:
    """What one asked for and was given, and the estimate."""
    context = {
        "applications": Application.objects.visible_to(request.scope).order_by("-pk")[:10],
        "awards": Award.objects.visible_to(request.scope)
        .select_related("coverage", "application")
        .order_by("-pk")[:10],
        "today": timezone.localdate(),
    }
    return _estimated(request, context, None)


@allow(Policy.MEMBER)
@require_safe
@rate_limits.limited(rate_limits.DOCUMENTS_PER_USER)
def letter(request: MemberRequest, number: str) -> HttpResponse:
    """A letter of one's application as a PDF, in the language that it was asked in; without a name, the latest."""
    application = get_object_or_404(Application.objects.visible_to(request.scope), number=number)
    found = letters.of(application)
    wanted = request.GET.get("letter", "")
    if wanted:
        found = [one for one in found if str(one.event.pk) == wanted]
    if not found:
        if wanted:
            raise Http404("no letter of this application")
        return redirect("application", number)  # nothing was written yet
    context = {"letter": found[0], "application": application, "language": application.language}
    name = f"{application.number}-{found[0].about}.pdf"
    return HttpResponse(
        pdf.rendered("print/help_letter.html", context, request), content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )  # fmt: skip


@allow(Policy.MEMBER)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def estimate(request: MemberRequest, number: str) -> HttpResponse:
    """The estimate for one bill."""
    bills = Bill.objects.visible_to(request.scope).filter(kind=Bill.Kind.MEDICAL)
    bill = get_object_or_404(bills, number=number)
    if bill.voided_at is not None:
        raise Http404("a void bill")
    looking.at(request, f"bill:{bill.number}", bill.member_id)
    return _estimated(request, {}, bill)


def _estimated(request: MemberRequest, context: dict[str, Any], bill: Bill | None) -> HttpResponse:
    """The page with the form, and with what the figures make likely. Nothing of them is kept or logged."""
    form = EstimateForm(
        request.POST if request.method == "POST" else None,
        initial={"state": _state_of(request)},
    )
    status = 200
    if form.is_bound:
        if form.is_valid():
            context |= _likely(form, bill)
        else:
            status = INVALID
    return render(request, "assistance/assistance.html", context | {"form": form, "bill": bill}, status=status)


def _likely(form: EstimateForm, bill: Bill | None) -> dict[str, Any]:
    given = form.cleaned_data
    found = rules.find(
        state=given["state"], size=given["size"], income_cents=form.yearly_cents,
        expense_cents=given.get("expense") or 0, on=timezone.localdate(),
    )  # fmt: skip
    likely: dict[str, Any] = {"found": found}
    if bill is not None and found.award_pct:
        off = min(bill.balance_cents, rules.award_cents(eligible.eligible_cents(bill), found.award_pct))
        likely |= {"off_cents": off, "left_cents": bill.balance_cents - off}
    return likely


def _state_of(request: MemberRequest) -> str:
    member = request.user.members.select_related("household").first()
    return member.household.state if member and member.household.state else "CA"
