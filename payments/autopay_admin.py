"""Staff pages of autopay: each charge, and the run of a day as it goes."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from accounts.models import Household, Member
from accounts.staff import MemberRecordAdmin, money
from activity import ages
from activity.staff import link, listed
from payments.autopay import planning, progress
from payments.models import AutopayCharge
from payments.models.autopay import ChargeStatus as Status

MOST_CODES = 5  # bars of the chart; the rest is one bar
# What was left out and why, in words.
LEFT_OUT = {
    "skipped": "Skipped by the member",
    "member": "Skipped by the member",
    "declined_by_member": "Above the member's limit: the member said no",
    "asked": "Above the member's limit: asked instead",
    "off": "Autopay was turned off",
    "void": "The bill was voided",
    "paid_meanwhile": "Paid meanwhile",
    "on_plan": "The bill went on a payment plan",
    "not_yours": "The bill is no longer the payer's to pay",
    "superseded": "The instalment was replaced by another",
}

# States that a member is told of as "you".
STANDS = {Status.ASKED: "Waiting for the member", Status.SKIPPED: "Skipped by the member"}


class StateFilter(admin.SimpleListFilter):
    """By where a charge stands, in the words of the list."""

    title = "state"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every state."""
        return [(status.value, _stands(status)) for status in Status]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Filter by what was chosen."""
        return queryset.filter(status=self.value()) if self.value() else queryset


@admin.register(AutopayCharge)
class AutopayChargeAdmin(MemberRecordAdmin):
    """What autopay announced and charged."""

    member_path = "bill__member"
    change_list_template = "admin/aged_list.html"
    list_display = ("id", "household_link", "what", "amount", "charge_on", "stands", "why", "attempt", "payment_link")
    list_filter = (StateFilter,)
    list_select_related = ("household", "bill", "payment", "installment__plan")
    linked_by = ("charge_on", "code", "enrollment__id__exact", "household__id__exact")
    search_help_text = "A household's number, whole"
    exact_search = ("household_id",)
    fields = (
        "household_link", "what", "amount", "due_on", "charge_on", "stands", "why", "cycle", "attempt",
        "announced_at", "queued_at", "payment_link",
    )  # fmt: skip
    readonly_fields = ("household_link", "what", "amount", "stands", "why", "payment_link")
    amount = money("amount_cents", "Amount")

    def get_urls(self) -> list[URLPattern]:
        """The admin's, and the run of a day."""
        page = self.admin_site.admin_view(self.run_of_a_day)
        return [path("run/", page, name="payments_autopaycharge_run"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to today's run."""
        beside = [("The run of a day", reverse("admin:payments_autopaycharge_run"))]
        return super().changelist_view(request, (extra_context or {}) | {"beside": beside})

    def run_of_a_day(self, request: HttpRequest) -> HttpResponse:
        """Planned, charged, failed, waiting, rate and expected end; htmx asks for it anew while it runs."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        day = _day(request.GET.get("date", ""))
        found = progress.of(day)
        failed = sorted(found.failed_by_code.items(), key=lambda row: (-row[1], row[0]))
        context = {
            "run": found,
            "chart": ages.of_counts(_at_most(failed), title="Failed, by code") if failed else None,
            "failed": failed,
            "left_out": [(LEFT_OUT.get(code, code), count) for code, count in sorted(found.left_out_by_code.items())],
            "before": day - dt.timedelta(days=1),
            "after": day + dt.timedelta(days=1),
            "charges": listed("payments_autopaycharge", charge_on=day.isoformat()),
        }
        template = "admin/_autopay_run.html" if request.headers.get("HX-Request") else "admin/autopay_run.html"
        return self.render(request, template, f"Autopay on {day:%B} {day.day}, {day.year}", None, **context)

    def members_of(self, obj: AutopayCharge) -> Sequence[Member]:
        """Whose bill it is, or whose bills are on the plan."""
        if obj.bill is not None:
            return [obj.bill.member]
        assert obj.installment is not None
        return list(Member.objects.filter(bills__plan_bills__plan=obj.installment.plan).distinct().order_by("pk"))

    def household_id_of(self, obj: AutopayCharge) -> int:
        """The charge's."""
        return obj.household_id

    def searched(self, term: str) -> Q:
        """By the household's number."""
        return Q(household_id__in=list(Household.objects.filter(number=term).values_list("pk", flat=True)))

    @admin.display(description="household")
    def household_link(self, obj: AutopayCharge) -> SafeString | str:
        """The household."""
        return link(obj.household)

    @admin.display(description="for")
    def what(self, obj: AutopayCharge) -> SafeString | str:
        """The bill, or the payment plan of the instalment."""
        if obj.bill is not None:
            return link(obj.bill)
        return f"Payment plan {obj.installment.plan}" if obj.installment is not None else "-"

    @admin.display(description="state", ordering="status")
    def stands(self, obj: AutopayCharge) -> str:
        """Where it stands, told to staff."""
        return _stands(Status(obj.status))

    @admin.display(description="why", ordering="code")
    def why(self, obj: AutopayCharge) -> str:
        """Why it was left out, in words, or the code of its failure."""
        return LEFT_OUT.get(obj.code, obj.code) or "-"

    @admin.display(description="payment")
    def payment_link(self, obj: AutopayCharge) -> SafeString | str:
        """What was sent."""
        return link(obj.payment)


def _stands(status: Status) -> str:
    return STANDS.get(status, str(status.label))


def _day(text: str) -> dt.date:
    """The day asked for, or today's run. Raises Http404 for what is no day."""
    if not text:
        return planning.day()
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise Http404("no day") from error


def _at_most(rows: list[tuple[str, int]]) -> dict[str, int]:
    """The most frequent codes, and the others as one."""
    if len(rows) <= MOST_CODES:
        return dict(rows)
    first = rows[: MOST_CODES - 1]
    return {**dict(first), "others": sum(count for _code, count in rows[MOST_CODES - 1 :])}
