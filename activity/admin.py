"""Staff pages: what happened, who looked, and the queue of work."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from activity import work
from activity.models import Access, Event, WorkItem
from activity.staff import ReadOnlyAdmin, page_of, subject_link
from activity.staff_forms import ReasonForm


class SubjectAdmin(ReadOnlyAdmin):
    """A record with a `subject` that leads to what it is about."""

    exact_search = ("subject",)

    @admin.display(description="about")
    def about(self, obj: Any) -> SafeString | str:
        """A link to what it is about."""
        return subject_link(obj.subject)


@admin.register(Event)
class EventAdmin(SubjectAdmin):
    """What happened."""

    list_display = ("at", "kind", "about", "from_status", "to_status", "actor", "reason")
    list_display_links = ("at",)
    search_help_text = "A subject, whole: bill:7F3K-2201, payment:…, refund:…"
    fields = (
        "at", "kind", "about", "owner_id", "from_status", "to_status", "actor", "reason", "data", "processed_at",
    )  # fmt: skip
    readonly_fields = ("about",)
    linked_by = ("owner_id", "owner_id__exact", "subject", "subject__exact")


@admin.register(Access)
class AccessAdmin(SubjectAdmin):
    """Who looked at whose record."""

    list_display = ("at", "user_email", "action", "about", "member_id", "reason", "address")
    list_display_links = ("at",)
    list_select_related = ("user",)
    search_help_text = "A subject, whole: bill:7F3K-2201, household:4410-2297, …"
    fields = ("at", "user_email", "action", "about", "member_id", "reason", "address")
    readonly_fields = ("about", "user_email")
    linked_by = ("member_id", "member_id__exact", "user__id__exact")

    @admin.display(description="who")
    def user_email(self, obj: Access) -> str:
        """Who looked."""
        return obj.user.email


class DoneFilter(admin.SimpleListFilter):
    """Open items first; done ones on demand."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Open, mine, done."""
        return [("mine", "Mine"), ("done", "Done")]

    def choices(self, changelist: Any) -> Any:
        """Names the unfiltered state "Open" instead of "All"."""
        for number, choice in enumerate(super().choices(changelist)):
            yield choice | ({"display": "Open"} if number == 0 else {})

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[WorkItem]) -> models.QuerySet[WorkItem]:
        """Filter by what was chosen."""
        if self.value() == "done":
            return queryset.filter(done_at__isnull=False)
        waiting = queryset.filter(done_at__isnull=True)
        return waiting.filter(owner_id=request.user.pk) if self.value() == "mine" else waiting


@admin.register(WorkItem)
class WorkItemAdmin(SubjectAdmin):
    """The queue: what waits for a person, the oldest first."""

    change_form_template = "admin/work_item.html"
    list_display = ("what", "about", "age", "owner_email", "done_at", "done_reason")
    list_display_links = ("what",)
    list_filter = (DoneFilter, "kind")
    list_select_related = ("owner", "done_by")
    ordering = ("opened_at", "pk")
    search_help_text = "A subject, whole: payment:…, bill:…"
    fields = ("what", "about", "detail", "opened_at", "age", "owner_email", "done_at", "done_by_email", "done_reason")
    readonly_fields = ("what", "about", "age", "owner_email", "done_by_email")

    @admin.display(description="what")
    def what(self, obj: WorkItem) -> str:
        """The kind, in words."""
        return obj.get_kind_display()

    @admin.display(description="age", ordering="opened_at")
    def age(self, obj: WorkItem) -> str:
        """How long it has waited."""
        return timesince(obj.opened_at, obj.done_at or timezone.now())

    @admin.display(description="owner")
    def owner_email(self, obj: WorkItem) -> str:
        """Who took it."""
        return obj.owner.email if obj.owner else "nobody yet"

    @admin.display(description="done by")
    def done_by_email(self, obj: WorkItem) -> str:
        """Who did it."""
        return obj.done_by.email if obj.done_by else "-"

    def get_urls(self) -> list[URLPattern]:
        """The admin's, and one each to take an item and to close it."""
        return [self.page("take", self.take), self.page("finish", self.finish), *super().get_urls()]

    def page_context(self, request: HttpRequest, obj: WorkItem) -> dict[str, Any]:
        """The forms to take it and to close it."""
        may_work = request.user.has_perm("activity.change_workitem")
        is_open = may_work and obj.done_at is None
        return super().page_context(request, obj) | {
            "take": self.page_address("take", obj) if is_open and obj.owner_id != request.user.pk else "",
            "finish": self.page_address("finish", obj) if is_open else "",
            "form": ReasonForm(),
        }

    def take(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make the viewer the owner."""
        item = self._workable(request, object_id)
        try:
            work.take(item, by_id=request.user.pk)  # type: ignore[arg-type]
        except work.AlreadyDone as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(page_of(item))

    def finish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Close it, with what was done."""
        item = self._workable(request, object_id)
        form = ReasonForm(request.POST)
        if not form.is_valid():
            messages.error(request, "Write what was done, in at least ten characters.")
            return HttpResponseRedirect(page_of(item))
        try:
            work.finish(item, by_id=request.user.pk, reason=form.cleaned_data["reason"])  # type: ignore[arg-type]
        except work.AlreadyDone as error:
            messages.error(request, str(error))
        else:
            messages.success(request, "The work item is done.")
        return HttpResponseRedirect(page_of(item))

    def _workable(self, request: HttpRequest, object_id: str) -> WorkItem:
        if request.method != "POST" or not request.user.has_perm("activity.change_workitem"):
            raise PermissionDenied
        item: WorkItem | None = self.get_object(request, object_id)
        if item is None:
            raise Http404
        return item
