"""Staff page of standing orders that were taken over: who must act and why, with counts, and as CSV."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path, reverse

from accounts.models import Member
from accounts.staff import MemberRecordAdmin, closed_to, money
from activity import recording
from payments import spreadsheets
from payments.models import ImportedAutopay

Code = ImportedAutopay.Code
HEADER = ("Source", "Record", "Member", "Pays", "Who must act and why", "Autopay")
MOST_ROWS = 100_000


class CodeFilter(admin.SimpleListFilter):
    """What waits for somebody, by who must act and why, each with how many there are."""

    title = "who must act and why"
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Each reason that stands, with its count."""
        waiting = ImportedAutopay.objects.unsettled().order_by("code").values_list("code")
        return [(code, f"{Code(code).label} ({count})") for code, count in waiting.annotate(Count("pk"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Filter by what was chosen."""
        return queryset.unsettled().filter(code=self.value()) if self.value() else queryset


@admin.register(ImportedAutopay)
class ImportedAutopayAdmin(MemberRecordAdmin):
    """What was taken over, and what waits for whom."""

    member_path = "member"
    change_list_template = "admin/aged_list.html"
    list_display = ("id", "source", "source_id", "member", "covers", "why", "autopay", "created_at")
    list_filter = (CodeFilter,)
    list_select_related = ("member", "enrollment")
    exact_search = ("source_id",)
    search_help_text = "The source's id, whole"
    limit = money("limit_cents", "Limit")
    fields = (
        "source", "source_id", "as_of", "member", "covers", "coverage", "method_kind", "last4", "day_rule", "day",
        "limit", "mandate_version", "mandate_accepted_on", "why", "autopay", "created_at",
    )  # fmt: skip
    readonly_fields = ("limit", "why", "autopay")

    def get_urls(self) -> list[URLPattern]:
        """The admin's, and the list as CSV."""
        page = self.admin_site.admin_view(self.csv)
        return [path("csv/", page, name="payments_importedautopay_csv"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to the file."""
        beside = [("Who must act, as CSV", reverse("admin:payments_importedautopay_csv"))]
        return super().changelist_view(request, (extra_context or {}) | {"beside": beside})

    def csv(self, request: HttpRequest) -> StreamingHttpResponse:
        """All that somebody must act on, as a spreadsheet reads it; who took it is recorded."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        closed = closed_to(request.user)  # type: ignore[arg-type]
        waiting = ImportedAutopay.objects.unsettled().exclude(member__in=closed).order_by("code", "pk")
        waiting = waiting.select_related("member", "enrollment")
        assert request.user.pk is not None
        recording.looked(user_id=request.user.pk, subject="imported autopay", action="download")
        answer = StreamingHttpResponse(
            spreadsheets.lines(HEADER, self._cells(waiting[:MOST_ROWS])), content_type="text/csv; charset=utf-8"
        )
        answer["Content-Disposition"] = 'attachment; filename="imported-autopay.csv"'
        return answer

    def _cells(self, rows: Any) -> Iterator[tuple[object, ...]]:
        for row in rows.iterator(chunk_size=1000):
            pays = row.get_covers_display()
            yield row.source, row.source_id, row.member.number, pays, self.why(row), self.autopay(row)

    @admin.display(description="Who must act and why")
    def why(self, obj: ImportedAutopay) -> str:
        """The reason in words; nothing to do where the member has acted since."""
        acted = obj.enrollment is not None and obj.enrollment.suspended_code != obj.code
        return "The member has acted: nobody has to" if obj.code and acted else str(Code(obj.code).label)

    @admin.display(description="Autopay")
    def autopay(self, obj: ImportedAutopay) -> str:
        """How the enrolment stands."""
        return str(obj.enrollment.get_status_display()) if obj.enrollment is not None else "Waiting"

    def members_of(self, obj: ImportedAutopay) -> Sequence[Member]:
        """Whose order it was."""
        return [obj.member]

    def household_id_of(self, obj: ImportedAutopay) -> int:
        """The member's."""
        return obj.member.household_id
