"""Staff pages of good-faith estimates: recorded by hand, and which bills came of them."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from accounts import reauthentication
from accounts.models import Member, User
from accounts.staff import AmountField, MemberRecordAdmin, is_own_household, money
from activity.staff import link, listed, page_of
from activity.staff_forms import ReasonForm
from bills import estimates, issuing
from bills.models import Estimate
from ledger.money import format_usd


class EstimateForm(ReasonForm):
    """One provider's estimate as it lies on the table."""

    number = forms.CharField(label="Number of the estimate", max_length=60)
    member = forms.CharField(label="Member number", max_length=20)
    provider = forms.CharField(max_length=200, help_text="As its bills name it.")
    service_on = forms.DateField(label="Day of the service", widget=forms.DateInput({"type": "date"}))
    issued_on = forms.DateField(label="Day of the estimate", widget=forms.DateInput({"type": "date"}))
    amount = AmountField(label="Amount in dollars")
    field_order = ("number", "member", "provider", "service_on", "issued_on", "amount", "reason")

    def clean_member(self) -> Member:
        """The member of this number."""
        member = Member.objects.filter(number=self.cleaned_data["member"].strip()).first()
        if member is None:
            raise forms.ValidationError("No member has this number.")
        return member


@admin.register(Estimate)
class EstimateAdmin(MemberRecordAdmin):
    """Good-faith estimates."""

    member_path = "member"
    change_list_template = "admin/aged_list.html"
    list_display = ("number", "household", "member", "service_on", "issued_on", "amount")
    list_select_related = ("household", "member")
    search_help_text = "The number of an estimate, whole"
    exact_search = ("number",)
    linked_by = ("member__id__exact", "household__id__exact")
    fields = ("number", "household", "member", "provider_name", "service_on", "issued_on", "amount", "source")
    readonly_fields = ("amount",)
    amount = money("amount_cents", "Estimated")

    def subject_of(self, obj: Estimate) -> str:
        """The estimate, by its number here."""
        return f"estimate:{obj.pk}"

    def members_of(self, obj: Estimate) -> Sequence[Member]:
        """Whose it is."""
        return [obj.member]

    def page_context(self, request: HttpRequest, obj: Estimate) -> dict[str, Any]:
        """The bills that came of it; one on the person's private side stands on its own page, for a reason."""
        bills = obj.bills.filter(Q(member=obj.member_id) | Q(member__confidential_since__isnull=True))
        rows = [
            (link(bill), bill.issued_on, format_usd(issuing.charged_cents(bill)))
            for bill in bills.order_by("issued_on", "pk")[:100]
        ]
        table = {"title": "Bills", "heads": ("Bill", "Issued on", "Charged"), "rows": rows, "empty": "None yet."}
        return super().page_context(request, obj) | {"tables": [table]}

    def get_urls(self) -> list[URLPattern]:
        """The admin's, and the page to record one."""
        page = self.admin_site.admin_view(reauthentication.required(self.record_one))
        return [path("record/", page, name="bills_estimate_record"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to record one for those who may."""
        may_record = request.user.has_perm("bills.add_estimate")
        beside = [("Record an estimate", reverse("admin:bills_estimate_record"))] if may_record else []
        return super().changelist_view(request, (extra_context or {}) | {"beside": beside})

    def record_one(self, request: HttpRequest) -> HttpResponse:
        """Record one estimate by hand; its bills are found by member, provider and day."""
        user = request.user
        if not isinstance(user, User) or not user.has_perm("bills.add_estimate"):
            raise PermissionDenied
        form = EstimateForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            if is_own_household(user, given["member"].household_id):
                form.add_error(None, "This is your own household: somebody else has to do it.")
            else:
                estimate, is_new = estimates.take(
                    number=given["number"], member=given["member"], provider=given["provider"],
                    service_on=given["service_on"], issued_on=given["issued_on"], amount_cents=given["amount"],
                    source="staff", actor=f"user:{user.pk}",
                )  # fmt: skip
                self.look(request, estimate, action="record", reason=given["reason"])
                messages.success(request, "The estimate is recorded." if is_new else "This estimate stood already.")
                return HttpResponseRedirect(page_of(estimate))
        page = self.render(
            request, "admin/form_page.html", "Record an estimate", None, form=form, submit="Record the estimate",
            explains="A bill that is $400 or more above the estimate of its provider says so to the member.",
            back=listed("bills_estimate"),
        )  # fmt: skip
        page.status_code = 422 if request.method == "POST" else 200
        return page
