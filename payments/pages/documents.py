"""The documents: their list, a statement to read and to download, and the pack of a year for HSA, FSA and taxes."""

import datetime as dt
from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts import looking, rate_limits, reauthentication
from accounts.models import Member
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from accounts.visibility import Scope
from activity.recording import record
from bills import pdf
from bills.models import Bill, Statement, StatementOpening
from payments import guest_links, language_notice, papers, spreadsheets, statement_reading, tax_pack
from payments.pages.guest_linking import printed_link

PAGE_SIZE = 25


class DocumentsForm(forms.Form):
    """Which documents: a year, a person, a kind, words."""

    year = forms.TypedChoiceField(coerce=int, required=False, label=gettext_lazy("Year"))
    person = forms.ChoiceField(required=False, label=gettext_lazy("Person"))
    kind = forms.ChoiceField(required=False, label=gettext_lazy("Kind"))
    words = forms.CharField(required=False, max_length=60, label=gettext_lazy("Search"))

    def __init__(self, members: list[Member], data: Any, *, today: dt.date) -> None:
        super().__init__(data)
        self.members = {str(member.pk): member for member in members}
        self.fields["year"].choices = [(str(year), str(year)) for year in tax_pack.years(today)]  # type: ignore[attr-defined]
        self.fields["person"].choices = [("", _("Everyone")), *((pk, m.shown_name) for pk, m in self.members.items())]  # type: ignore[attr-defined]
        self.fields["kind"].choices = [("", _("All")), *papers.Kind.choices]  # type: ignore[attr-defined]

    @property
    def chosen_year(self) -> int | None:
        """The year that was asked for, if one was."""
        return self.cleaned_data.get("year") or None

    @property
    def chosen_person(self) -> Member | None:
        """The person that was asked for, one whom the viewer sees."""
        return self.members.get(self.cleaned_data.get("person") or "")


@allow(Policy.MEMBER)
@require_safe
def documents(request: MemberRequest) -> HttpResponse:
    """List the documents of a year."""
    form, year = _form(request)
    found = []
    if not form.errors:
        found = papers.listed(
            request.scope, year=year, person=form.chosen_person, kind=form.cleaned_data["kind"],
            words=form.cleaned_data["words"].strip(),
        )  # fmt: skip
    looking.at_members(request, request.scope.member_ids, "documents")
    kept = {"year": year} | ({"person": form.chosen_person.pk} if form.chosen_person else {})
    narrowed = {name: form.cleaned_data[name] for name in ("person", "kind", "words") if form.cleaned_data.get(name)}
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "year": year,
        "papers": page.object_list,
        "previous": _page({"year": year} | narrowed, page.number - 1) if page.has_previous() else "",
        "next": _page({"year": year} | narrowed, page.number + 1) if page.has_next() else "",
        "has_more_claims": sum(paper.kind == papers.Kind.EXPLANATION for paper in found) == papers.MAX_OF_KIND,
        "is_narrowed": bool(narrowed),
        "pack_query": urlencode(kept),
    }
    return render(request, "documents/documents.html", context, status=422 if form.errors else 200)


def _page(kept: dict[str, Any], number: int) -> str:
    return f"?{urlencode(kept | {'page': number})}"


@allow(Policy.MEMBER)
@require_safe
def statement(request: MemberRequest, number: str) -> HttpResponse:
    """Show one statement; that it was opened is recorded."""
    context = _opened(request, number)
    return render(request, "documents/statement.html", context)


@allow(Policy.MEMBER)
@require_safe
@rate_limits.limited(rate_limits.DOCUMENTS_PER_USER)
def statement_pdf(request: MemberRequest, number: str) -> HttpResponse:
    """Give one statement as a PDF that screen readers can read."""
    context = _opened(request, number)
    made = pdf.rendered("print/statement.html", context | _printed(context["read"], request.scope), request)
    headers = {"Content-Disposition": f'attachment; filename="statement-{context["read"].statement.number}.pdf"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


@allow(Policy.MEMBER)
@reauthentication.required
@require_safe
@rate_limits.limited(rate_limits.DOCUMENTS_PER_USER)
def pack_pdf(request: MemberRequest) -> HttpResponse:
    """Give a year's expenses as a PDF, after proving again who one is (FAULTS H16)."""
    pack = _pack(request)
    made = pdf.rendered("print/pack.html", {"pack": pack, "printed_at": timezone.now()}, request)
    headers = {"Content-Disposition": f'attachment; filename="expenses-{pack.year}.pdf"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


@allow(Policy.MEMBER)
@reauthentication.required
@require_safe
@rate_limits.limited(rate_limits.DOCUMENTS_PER_USER)
def pack_csv(request: MemberRequest) -> HttpResponseBase:
    """Give a year's expenses as CSV that a spreadsheet only reads (FAULTS K01)."""
    pack = _pack(request)
    header = [
        _("Date paid"), _("Person"), _("Provider"), _("Kind"), _("Service date"), _("Bill"), _("What"),
        _("Plan paid in US dollars"), _("You paid in US dollars"), _("Paid with"),
        _("Eligible for HSA or FSA in US dollars"), _("Eligible"),
    ]  # fmt: skip
    return StreamingHttpResponse(
        spreadsheets.lines(header, (_cells(row) for row in pack.rows)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="expenses-{pack.year}.csv"'},
    )


def _form(request: MemberRequest) -> tuple[DocumentsForm, int]:
    today = timezone.localdate()
    members = list(Member.objects.visible_to(request.scope).order_by("-is_primary_holder", "birth_date", "pk"))
    form = DocumentsForm(members, {"year": today.year, **request.GET.dict()}, today=today)
    form.is_valid()
    return form, form.chosen_year or today.year


def _pack(request: MemberRequest) -> tax_pack.Pack:
    """The pack that was asked for; what cannot be read is everybody's of this year."""
    form, year = _form(request)
    record("documents.pack", subject=f"user:{request.user.pk}", actor=f"user:{request.user.pk}", year=year)
    looking.at_members(request, request.scope.clinical_ids, "expenses-export")
    return tax_pack.of(request.scope, year=year, person=form.chosen_person)


def _opened(request: MemberRequest, number: str) -> dict[str, Any]:
    """The statement as this reader may see it. Raises Http404 for anybody else's, and where nothing of it is left."""
    found = get_object_or_404(Statement.objects.visible_to(request.scope), number=number)
    read = statement_reading.read(found, request.scope)
    if not read.rows:
        raise Http404
    StatementOpening.objects.get_or_create(statement=found, user=request.user)
    return {"read": read, "pay_href": _pay_href(read)}


def _pay_href(read: statement_reading.Read) -> str:
    query = urlencode([("bill", number) for number in read.to_pay])
    return reverse("pay") + (f"?{query}" if query else "")


def _printed(read: statement_reading.Read, scope: Scope) -> dict[str, Any]:
    """What only the paper needs: addresses, the code to scan, languages; a link for somebody else to the first bill."""
    portal = settings.PORTAL_URL
    pay_url = portal + reverse("statement", args=[read.statement.number])
    first = Bill.objects.visible_to(scope).filter(number__in=read.to_pay).order_by("due_on", "pk").first()
    return {
        "pay_url": pay_url,
        "guest_url": portal + reverse("guest_pay"),
        "help_url": portal + reverse("assistance"),
        "code": guest_links.code(pay_url, title=_("QR code to pay this statement")),
        "languages": list(language_notice.sentences(phone=settings.SUPPORT_PHONE, tty=settings.SUPPORT_TTY)),
        "printed_link": printed_link(first, scope) if first is not None else None,
    }


def _cells(row: tax_pack.Row) -> tuple[object, ...]:
    return (
        row.on.isoformat(), row.person, row.provider, row.title, row.service_on.isoformat() if row.service_on else "",
        row.number, row.what, _dollars(row.plan_paid_cents), _dollars(row.paid_cents), row.method,
        _dollars(row.eligible_cents), row.eligible,
    )  # fmt: skip


def _dollars(cents: int) -> str:
    """A number for a spreadsheet; what came back stands in brackets, for a minus sign begins a formula (FAULTS K01)."""
    text = f"{abs(cents) // 100}.{abs(cents) % 100:02d}"
    return f"({text})" if cents < 0 else text
