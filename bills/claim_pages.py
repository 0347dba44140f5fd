"""The pages of claims: the list, and one claim with its sums, its words and its versions."""

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts import keyset, looking, rate_limits
from accounts.models import Member, MemberQuerySet
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from billing_portal.ids import is_id
from bills import claim_rows, explained_claims, pdf
from bills.explained_claims import Kind
from bills.models import Claim, ClaimQuerySet

PAGE_SIZE = 20
MAX_LINES = 500  # of one claim on its page
OF_BILLERS = "provider"  # every kind that is no claim of the plan: a biller's row, an invoice


class ClaimFilter(forms.Form):
    """Person, kind, state, year. A choice that is not the viewer's own narrows nothing (FAULTS F02)."""

    person = forms.ModelChoiceField(
        Member.objects.none(), required=False, label=gettext_lazy("Person"), empty_label=gettext_lazy("Everyone")
    )
    kind = forms.ChoiceField(required=False, label=gettext_lazy("Kind"))
    status = forms.ChoiceField(required=False, label=gettext_lazy("State"))
    year = forms.IntegerField(
        required=False, label=gettext_lazy("Year"), min_value=2000, max_value=2100, widget=forms.TextInput(
            attrs={"inputmode": "numeric", "maxlength": 4}
        ),
    )  # fmt: skip

    def __init__(self, members: MemberQuerySet, data: object) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        person = self.fields["person"]
        person.queryset = members  # type: ignore[attr-defined]
        person.label_from_instance = lambda member: member.shown_name  # type: ignore[attr-defined]
        self.fields["kind"].choices = [("", _("All kinds")), *Kind.choices, (OF_BILLERS, _("From the provider"))]  # type: ignore[attr-defined]
        self.fields["status"].choices = [("", _("All")), *Claim.Status.choices]  # type: ignore[attr-defined]

    def narrowed(self, claims: ClaimQuerySet) -> ClaimQuerySet:
        """The claims that fit what was chosen; none where it cannot be read, which is told beside its field."""
        if not self.is_valid():
            return claims.none()
        read = self.cleaned_data
        if read["person"]:
            claims = claims.filter(member=read["person"])
        if read["kind"] == OF_BILLERS:
            claims = claims.exclude(kind__in=Kind.values)
        elif read["kind"]:
            claims = claims.filter(kind=read["kind"])
        if read["status"]:
            claims = claims.filter(status=read["status"])
        if read["year"]:
            claims = claims.filter(service_on__year=read["year"])
        return claims


@allow(Policy.MEMBER)
@require_safe
def claims_page(request: MemberRequest) -> HttpResponse:
    """List the claims that the viewer sees, the latest service first, a page at a time."""
    members = Member.objects.visible_to(request.scope).filter(pk__in=request.scope.clinical_ids)
    form = ClaimFilter(members.order_by("-is_primary_holder", "birth_date", "pk"), request.GET)
    claims = form.narrowed(Claim.objects.visible_to(request.scope).select_related("member"))
    page = keyset.page(
        claims,
        key=("-service_on", "-id"),
        size=PAGE_SIZE,
        cursor=request.GET.get("page", ""),
        reader=f"claims:{request.user.pk}",
    )
    looking.at_members(request, {claim.member_id for claim in page.rows}, "claims")
    kept = {name: request.GET[name] for name in form.fields if request.GET.get(name)}
    context = {
        "form": form,
        "is_narrowed": bool(kept),
        "claims": claim_rows.of(page.rows),
        "previous": f"?{urlencode({**kept, 'page': page.previous})}" if page.previous else "",
        "next": f"?{urlencode({**kept, 'page': page.next})}" if page.next else "",
    }
    return render(request, "claims/claims.html", context, status=422 if form.errors else 200)


@allow(Policy.MEMBER)
@require_safe
def claim_page(request: MemberRequest, number: str) -> HttpResponse:
    """Show one claim: the one in force of this number, or the version that `?version=` names."""
    claims = Claim.objects.visible_to(request.scope)
    claim = _looked_at(request, claims, number)
    version = f"?version={claim.pk}" if request.GET.get("version") else ""
    said = told(claim)
    context = {
        **said,
        "versions": explained_claims.versions(claims, claim),
        "bill": explained_claims.bill_of(claim, request.scope),
        "explanation_href": reverse("claim_pdf", args=[claim.number]) + version if said["is_of_plan"] else "",
    }
    return render(request, "claims/claim.html", context)


@allow(Policy.MEMBER)
@require_safe
@rate_limits.limited(rate_limits.DOCUMENTS_PER_USER)
def claim_pdf(request: MemberRequest, number: str) -> HttpResponse:
    """Give the explanation of benefits of one claim as a PDF that screen readers can read."""
    claim = _looked_at(request, Claim.objects.visible_to(request.scope), number)
    if not explained_claims.is_of_plan(claim):
        raise Http404("nothing that the plan has to explain")
    made = pdf.rendered("print/explanation.html", {**told(claim), "printed_at": timezone.now()}, request)
    # The number is the payer's own, of any signs: the file is named by ours.
    headers = {"Content-Disposition": f'inline; filename="explanation-of-benefits-{claim.pk}.pdf"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


def _looked_at(request: MemberRequest, claims: ClaimQuerySet, number: str) -> Claim:
    """The claim that the address names, as far as the viewer sees it; that it was looked at is recorded."""
    if "\0" in number:
        raise Http404("no number of a claim")
    wanted = request.GET.get("version", "")
    if wanted:
        claim = claims.filter(number=number, pk=int(wanted)).select_related("member").first() if is_id(wanted) else None
    else:
        claim = explained_claims.named(claims, number)
    if claim is None:
        raise Http404("no claim of this number that the viewer sees")
    looking.at(request, f"claim:{claim.pk}", claim.member_id)
    return claim


def told(claim: Claim) -> dict[str, object]:
    """What page and paper tell of a claim."""
    return {
        "claim": claim,
        "is_of_plan": explained_claims.is_of_plan(claim),
        "kind": dict(Kind.choices).get(claim.kind, _("From the provider")),
        "state": explained_claims.state(claim),
        "story": explained_claims.story(claim),
        "steps": explained_claims.steps(claim),
        "lines": list(claim.lines.all()[:MAX_LINES]),
        "words": explained_claims.words(claim),
    }
