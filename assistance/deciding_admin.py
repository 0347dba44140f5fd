"""Staff pages: which applications wait for a decision, by when, and which are late."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from assistance.models import Application
from assistance.states import PENDING, ApplicationStatus

OURS = (ApplicationStatus.SUBMITTED, ApplicationStatus.APPEALED)  # of those pending: the clock runs, and it is ours


class DecisionFilter(admin.SimpleListFilter):
    """What waits first; who looks for one, or comes from its record, finds it in whatever state."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Besides what is pending."""
        return [
            ("overdue", "Overdue"), ("applicant", "Waiting for the applicant"), ("appealed", "Appeals"),
            ("decided", "Decided"), ("all", "All"),
        ]  # fmt: skip

    def choices(self, changelist: Any) -> Any:
        """Names the unfiltered state instead of "All"."""
        for number, choice in enumerate(super().choices(changelist)):
            yield choice | ({"display": "To decide"} if number == 0 else {})

    def queryset(self, request: HttpRequest, queryset: QuerySet[Application]) -> QuerySet[Application]:
        """Filter by what was chosen."""
        if not self.value() and (request.GET.get("q") or "household__id__exact" in request.GET):
            return queryset
        chosen = {
            "overdue": queryset.filter(status__in=OURS, decide_by__lt=timezone.localdate()),
            "applicant": queryset.filter(status=ApplicationStatus.MISSING),
            "appealed": queryset.filter(status=ApplicationStatus.APPEALED),
            "decided": queryset.filter(decided_at__isnull=False).exclude(status__in=PENDING),
            "all": queryset,
        }
        return chosen.get(self.value() or "", queryset.filter(status__in=PENDING))


def due(application: Application) -> SafeString | str:
    """By when it is decided; said loudly where that is past. While its applicant is asked, the clock stands still."""
    if application.status == ApplicationStatus.MISSING:
        return "waits for the applicant"
    if application.status not in OURS or application.decide_by is None:
        return "-"
    day = date_format(application.decide_by, "DATE_FORMAT")
    is_late = application.decide_by < timezone.localdate()
    return format_html("<strong>{}, overdue</strong>", day) if is_late else day
