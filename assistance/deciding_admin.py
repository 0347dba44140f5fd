"""Staff pages: which applications wait for a decision, by when, and which are late."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from activity import filters
from activity.staff import due_by
from assistance.models import Application
from assistance.states import PENDING, ApplicationStatus

OURS = (ApplicationStatus.SUBMITTED, ApplicationStatus.APPEALED)  # of those pending: the clock runs, and it is ours


class DecisionFilter(filters.StateFilter):
    """What waits first; who looks for one, or comes from its record, finds it in whatever state."""

    unfiltered = "To decide"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Besides what is pending."""
        return [
            ("overdue", "Overdue"), ("applicant", "Waiting for the applicant"), ("appealed", "Appeals"),
            ("decided", "Decided"), ("all", "All"),
        ]  # fmt: skip

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
    return due_by(application.decide_by, is_late=application.decide_by < timezone.localdate())
