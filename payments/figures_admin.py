"""Staff page: the plan's money by month, with charts of what came in, what is open and who was helped."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from accounts.staff import money
from activity.staff import ReadOnlyAdmin
from payments.models import MonthFigures
from payments.pages import charts

MONTHS = 6
CHARTS = (
    ("Money in, less what went back", "received_cents"), ("Open at the month's end", "open_cents"),
    ("Borne for members: assistance and subsidies", "assisted_cents"),
)  # fmt: skip


@admin.register(MonthFigures)
class MonthFiguresAdmin(ReadOnlyAdmin):
    """Money by month: the table, below its charts."""

    change_list_template = "admin/figures.html"
    list_display = (
        "__str__", "billed", "received", "assisted", "given_up", "open_then", "past_due", "on_plan", "on_hold",
        "kept_at",
    )  # fmt: skip
    fields = (
        "month", "billed", "received", "assisted", "given_up", "open_then", "past_due", "on_plan", "on_hold", "kept_at",
    )  # fmt: skip
    readonly_fields = (
        "billed", "received", "assisted", "given_up", "open_then", "past_due", "on_plan", "on_hold",
    )  # fmt: skip
    ordering = ("-month",)
    billed = money("billed_cents", "Billed")
    received = money("received_cents", "Money in")
    assisted = money("assisted_cents", "Assisted")
    given_up = money("given_up_cents", "Adjusted and written off")
    open_then = money("open_cents", "Open")
    past_due = money("past_due_cents", "Past due")
    on_plan = money("on_plan_cents", "On a plan")
    on_hold = money("on_hold_cents", "On hold")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The table, and how things stand, with the last months as charts."""
        latest = list(MonthFigures.objects.order_by("-month")[:MONTHS])
        drawn = [
            charts.by_month({row.month: max(0, getattr(row, field) or 0) for row in reversed(latest)}, title=title)
            for title, field in CHARTS
        ]
        context = {"charts": drawn if latest else [], "now": latest[0] if latest else None}
        return super().changelist_view(request, (extra_context or {}) | context)
