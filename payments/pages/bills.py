"""The list of bills, and the page of one: what it is for, why that amount, and all that happened to it."""

from collections.abc import Sequence
from dataclasses import replace

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import keyset, looking, rate_limits
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from accounts.visibility import Scope
from bills import check_words, explaining, history, holds, pdf, sharing
from bills.models import Bill, BillLine, Claim, Hold
from bills.states import State
from payments import guests, receipts
from payments.autopay import notes
from payments.pages.filters import BillFilter
from payments.pages.guest_linking import printed_link, shared_link
from payments.pages.rows import Row, rows_of
from payments.plans import offering

PAGE_SIZE = 20
MAX_LINES = 500  # of one bill on its page
MAX_CLAIMS = 20


@allow(Policy.MEMBER)
@require_safe
def bills_page(request: MemberRequest) -> HttpResponse:
    """List the bills that the viewer sees, the latest due first, a page at a time and without a count."""
    chosen = BillFilter(request.GET, scope=request.scope)
    bills = chosen.qs if chosen.form.is_valid() else Bill.objects.none()
    page = keyset.page(
        # What a row says, and not the household, which `visible_to` loads for a page of one bill.
        bills.select_related(None).select_related("receivable", "member", "coverage__plan"),
        key=("-due_on", "-id"),
        size=PAGE_SIZE,
        cursor=request.GET.get("page", ""),
        reader=f"bills:{request.user.pk}",
    )
    looking.at_members(request, {bill.member_id for bill in page.rows}, "bills")
    kept = {name: request.GET[name] for name in chosen.filters if request.GET.get(name)}
    context = {
        "form": chosen.form,
        "is_narrowed": chosen.is_narrowed,
        "rows": rows_of(page.rows, request.scope),
        "previous": f"?{urlencode({**kept, 'page': page.previous})}" if page.previous else "",
        "next": f"?{urlencode({**kept, 'page': page.next})}" if page.next else "",
    }
    return render(request, "bills/bills.html", context)


@allow(Policy.MEMBER)
@require_safe
def bill_page(request: MemberRequest, number: str) -> HttpResponse:
    """Show one bill."""
    bill = _visible(request, number)
    looking.at(request, f"bill:{bill.number}", bill.member_id)
    causes = holds.causes_of(bill)
    said = told(bill, request.scope, causes)
    context = {
        **said,
        "ask_href": f"{reverse('ask')}?{urlencode({'bill': bill.number})}",
        "somebody_else": shared_link(bill, request.scope),
        "check": None if said["is_amounts_only"] else check_words.of_bill(bill, request.scope, causes),
    }
    return render(request, "bills/bill.html", context)


@allow(Policy.MEMBER)
@require_safe
@rate_limits.limited(rate_limits.DOCUMENTS_PER_USER)
def bill_pdf(request: MemberRequest, number: str) -> HttpResponse:
    """Give one bill as a PDF that screen readers can read."""
    bill = _visible(request, number)
    looking.at(request, f"bill:{bill.number}", bill.member_id)
    said = told(bill, request.scope, holds.causes_of(bill))
    context = {**said, "printed_link": printed_link(bill, request.scope)}
    body = pdf.rendered("print/bill.html", context, request)
    return HttpResponse(
        body,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="bill-{bill.number}.pdf"'},
    )


@allow(Policy.MEMBER)
@require_POST
def share(request: MemberRequest, number: str) -> HttpResponse:
    """A confidential member lets the account holder see and pay one bill, or no longer."""
    bill = _visible(request, number)
    if not sharing.can_share(bill, request.scope):
        raise Http404("not a bill that this viewer can share")
    is_shared = request.POST.get("share") == "yes"
    sharing.set_shared(bill, is_shared=is_shared, actor=f"user:{request.user.pk}")
    words = _("The account holder can now see and pay this bill.") if is_shared else _("Only you see this bill now.")
    messages.success(request, words)
    return redirect("bill", number=bill.number)


def _visible(request: MemberRequest, number: str) -> Bill:
    """The bill of this number. Raises Http404 where the viewer sees none."""
    if "\0" in number:
        raise Http404("no number of a bill")
    return get_object_or_404(Bill.objects.visible_to(request.scope).select_related("coverage__plan"), number=number)


def told(bill: Bill, scope: Scope, causes: frozenset[str]) -> dict[str, object]:
    """What the page and the PDF say of a bill: to a pay-only delegate amounts and dates alone."""
    is_amounts_only = scope.sees_only_amounts_of(bill.member_id)
    lines: Sequence[BillLine] = [] if is_amounts_only else list(bill.lines.all()[:MAX_LINES])
    claims = [] if is_amounts_only else _claims(bill)
    row: Row = rows_of([bill], scope)[0]
    return {
        "bill": bill,
        "row": row,
        "is_amounts_only": is_amounts_only,
        "lines": lines,
        "waterfall": [] if is_amounts_only else explaining.waterfall(bill, lines, claims),
        "autopay": notes.of_bill(bill, scope),
        "entries": _entries(bill),
        "taken_back": receipts.taken_back_on(bill, scope) if row.balance_cents else [],
        "is_under_review": row.state is State.UNDER_REVIEW,
        "is_undecided": causes == {Hold.Cause.CLAIM_OPEN},
        "is_asked": not causes.isdisjoint(check_words.CAUSES.values()),
        "can_share": sharing.can_share(bill, scope),
        "can_spread": offering.can_be_offered(bill, scope),
    }


def _entries(bill: Bill) -> list[history.Entry]:
    """What happened to the balance; a guest's payment says that it is one, and nothing else of the guest."""
    entries = history.entries(bill)
    by_guests = guests.paid_by_guests([entry.note for entry in entries if entry.note])
    return [
        replace(entry, label=_("Paid by a guest")) if entry.is_payment and entry.note in by_guests else entry
        for entry in entries
    ]


def _claims(bill: Bill) -> list[Claim]:
    """The claims that a bill is for. Whoever sees its services sees these, a shared bill's included."""
    return list(bill.claims.filter(status=Claim.Status.ACTIVE).order_by("service_on", "pk")[:MAX_CLAIMS])
