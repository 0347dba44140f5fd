"""The payment history: filters, pages by key, and the same rows as CSV."""

from collections.abc import Iterable

from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import looking, rate_limits, reauthentication
from accounts.models import Member
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from activity.recording import record
from payments import history, overpaid, scheduling, spreadsheets
from payments.forms import HistoryForm
from payments.history import CursorUnknown, Row, Wanted

MAX_SCHEDULED = 20  # shown above the list


@allow(Policy.MEMBER)
@require_safe
def payments(request: MemberRequest) -> HttpResponse:
    """The list, the latest first."""
    form, wanted = _filters(request)
    try:
        page = history.page(request.scope, wanted, after=request.GET.get("after", ""))
    except CursorUnknown as error:
        raise Http404("a page that is not there") from error
    seen = {line.member_id for row in page.rows for line in row.lines if line.member_id is not None}
    looking.at_members(request, seen, "payments")
    kept = request.GET.copy()
    kept.pop("after", None)
    context = {
        "form": form,
        "page": page,
        "query": kept.urlencode(),
        "is_filtered": any(kept.values()),
        "scheduled": list(scheduling.upcoming(request.scope)[:MAX_SCHEDULED]),
        "is_first": "after" not in request.GET,
        "overpaid_cents": overpaid.total_cents(request.scope),
    }
    return render(request, "payments/history.html", context, status=422 if form.errors else 200)


@allow(Policy.MEMBER)
@reauthentication.required
@require_safe
@rate_limits.limited(rate_limits.DOCUMENTS_PER_USER)
def export(request: MemberRequest) -> HttpResponseBase:
    """The same rows as a CSV file, streamed; after proving again who one is (FAULTS H16), and recorded."""
    form, wanted = _filters(request)
    if form.errors:
        return render(request, "payments/history.html", {"form": form, "page": None}, status=422)
    record("payments.exported", subject=f"user:{request.user.pk}", actor=f"user:{request.user.pk}")
    looking.at_members(request, request.scope.member_ids, "payments-export")
    header = [
        _("Payment"), _("Date"), _("Kind"), _("Paid for"), _("Bills"), _("Person"), _("Paid with"), _("State"),
        _("Amount in US dollars"),
    ]  # fmt: skip
    rows = (_cells(row) for row in history.everything(request.scope, wanted))
    return StreamingHttpResponse(
        spreadsheets.lines(header, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="payments-{timezone.localdate():%Y-%m-%d}.csv"'},
    )


def _filters(request: MemberRequest) -> tuple[HistoryForm, Wanted]:
    """The filters as typed; what cannot be read filters nothing out and is told beside its field."""
    members = list(Member.objects.visible_to(request.scope).order_by("-is_primary_holder", "birth_date", "pk"))
    form = HistoryForm(members, request.GET)
    form.is_valid()
    read = form.cleaned_data
    return form, Wanted(
        person=int(read["person"]) if read.get("person") else None,
        kind=read.get("kind") or "",
        state=read.get("state") or "",
        since=read.get("since"),
        until=read.get("until"),
        at_least_cents=read.get("least"),
        at_most_cents=read.get("most"),
    )


def _cells(row: Row) -> Iterable[object]:
    payment = row.payment
    return (
        payment.number,
        timezone.localtime(payment.submitted_at or payment.created_at).date().isoformat(),
        payment.get_kind_display(),
        "; ".join(line.title for line in row.lines),
        "; ".join(line.number for line in row.lines if line.number),
        "; ".join(row.people),
        row.method,
        row.state.name,
        f"{payment.amount_cents // 100}.{payment.amount_cents % 100:02d}",
    )
