"""Staff page of what would make autopay fail, found ahead of the run: the list with counts, and each of them."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest

from accounts.models import Member
from accounts.staff import MemberRecordAdmin
from payments.models import AutopayProblem


class ProblemFilter(admin.SimpleListFilter):
    """Open ones by what is wrong, each with how many there are."""

    title = "what is wrong"
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Each code that stands, with its count."""
        standing = AutopayProblem.objects.filter(closed_at__isnull=True).order_by("code").values_list("code")
        return [
            (code, f"{AutopayProblem.Code(code).label} ({count})") for code, count in standing.annotate(Count("pk"))
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Filter by what was chosen; closed ones are not listed."""
        wanted = queryset.filter(closed_at__isnull=True)
        return wanted.filter(code=self.value()) if self.value() else wanted


@admin.register(AutopayProblem)
class AutopayProblemAdmin(MemberRecordAdmin):
    """What would make a charge fail or never come."""

    list_display = ("id", "code", "household", "covers", "status", "charge_on", "opened_at", "told_at")
    list_filter = (ProblemFilter,)
    list_select_related = ("enrollment__household",)
    linked_by = ("enrollment__id__exact",)
    fields = ("code", "household", "covers", "status", "charge_on", "opened_at", "told_at", "closed_at")
    readonly_fields = ("household", "covers", "status")

    @admin.display(description="Household")
    def household(self, obj: AutopayProblem) -> str:
        """Whose autopay it is."""
        return obj.enrollment.household.number

    @admin.display(description="Pays")
    def covers(self, obj: AutopayProblem) -> str:
        """What the autopay pays."""
        return str(obj.enrollment.get_covers_display())

    @admin.display(description="Autopay")
    def status(self, obj: AutopayProblem) -> str:
        """How the autopay stands."""
        return str(obj.enrollment.get_status_display())

    def household_id_of(self, obj: AutopayProblem) -> int:
        """Whose record it is."""
        return obj.enrollment.household_id

    def members_of(self, obj: AutopayProblem) -> Sequence[Member]:
        """The member who turned it on."""
        return list(Member.objects.filter(user_id=obj.enrollment.user_id))
