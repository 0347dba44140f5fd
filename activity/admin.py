"""Staff pages: what happened, who looked, and the queue of work."""

import datetime as dt
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from activity import ages, queue, work
from activity.models import Access, Event, WorkItem
from activity.staff import ReadOnlyAdmin, page_of, subject_link
from activity.staff_forms import HandOverForm, ReasonForm


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


class LookFilter(admin.SimpleListFilter):
    """Kinds of looks that somebody reads one by one."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Confidential records, the portal with a member's eyes, delegates."""
        return [("confidential", "Confidential"), ("view as member", "As the member"), ("viewed", "By delegates")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Access]) -> models.QuerySet[Access]:
        """Filter by what was chosen."""
        chosen = self.value()
        return queryset.filter(action=chosen) if chosen in dict(self.lookup_choices) else queryset


@admin.register(Access)
class AccessAdmin(SubjectAdmin):
    """Who looked at whose record."""

    list_display = ("at", "user_email", "action", "about", "member_id", "reason", "address")
    list_display_links = ("at",)
    list_filter = (LookFilter,)
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


class AgeFilter(admin.SimpleListFilter):
    """How long it has waited, and whether it is overdue."""

    title = "age"
    parameter_name = "age"
    choices_in_days: ClassVar[dict[str, int]] = {"1": 1, "3": 3, "7": 7, "28": 28}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Overdue, and older than so many days."""
        return [("overdue", "Overdue"), *((key, f"Over {key} days") for key in self.choices_in_days)]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[WorkItem]) -> models.QuerySet[WorkItem]:
        """Filter by what was chosen."""
        chosen = self.value() or ""
        if chosen == "overdue":
            return queryset.filter(due_at__lt=timezone.now())
        if chosen in self.choices_in_days:
            return queryset.filter(opened_at__lt=timezone.now() - dt.timedelta(days=self.choices_in_days[chosen]))
        return queryset


@admin.register(WorkItem)
class WorkItemAdmin(SubjectAdmin):
    """The queue: what waits for a person, the oldest first."""

    change_form_template = "admin/work_item.html"
    change_list_template = "admin/aged_list.html"
    list_display = ("what", "about", "age", "due", "owner_email", "done_at", "done_reason")
    list_display_links = ("what",)
    list_filter = (DoneFilter, AgeFilter, "kind")
    list_select_related = ("owner", "done_by")
    ordering = ("due_at", "opened_at", "pk")
    search_help_text = "A subject, whole: payment:…, bill:…"
    fields = (
        "what", "about", "detail", "next_step", "opened_at", "age", "due", "owner_email", "done_at", "done_by_email",
        "done_reason",
    )  # fmt: skip
    readonly_fields = ("what", "about", "next_step", "age", "due", "owner_email", "done_by_email")

    @admin.display(description="what")
    def what(self, obj: WorkItem) -> str:
        """The kind, in words."""
        return obj.get_kind_display()

    @admin.display(description="age", ordering="opened_at")
    def age(self, obj: WorkItem) -> str:
        """How long it has waited."""
        return timesince(obj.opened_at, obj.done_at or timezone.now())

    @admin.display(description="next step")
    def next_step(self, obj: WorkItem) -> str:
        """What to do about it."""
        return queue.next_step(obj.kind)

    @admin.display(description="due", ordering="due_at")
    def due(self, obj: WorkItem) -> SafeString | str:
        """By when; said loudly where that is past."""
        if obj.due_at is None:
            return "-"
        day = date_format(timezone.localtime(obj.due_at), "DATE_FORMAT")
        is_late = obj.done_at is None and obj.due_at < timezone.now()
        return format_html("<strong>{}, overdue</strong>", day) if is_late else day

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
        pages = {"take": self.take, "finish": self.finish, "hand-over": self.hand_over, "give-back": self.give_back}
        return [*(self.page(suffix, view) for suffix, view in pages.items()), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, below what is open by age."""
        opened = WorkItem.objects.filter(done_at__isnull=True).values_list("opened_at", flat=True)
        chart = ages.chart(opened, title="What waits, by age", now=timezone.now())
        return super().changelist_view(request, (extra_context or {}) | {"chart": chart})

    def page_context(self, request: HttpRequest, obj: WorkItem) -> dict[str, Any]:
        """The forms to take it and to close it."""
        may_work = request.user.has_perm("activity.change_workitem")
        is_open = may_work and obj.done_at is None
        return super().page_context(request, obj) | {
            "take": self.page_address("take", obj) if is_open and obj.owner_id != request.user.pk else "",
            "finish": self.page_address("finish", obj) if is_open else "",
            "hand_over": self.page_address("hand-over", obj) if is_open else "",
            "give_back": self.page_address("give-back", obj) if is_open and obj.owner_id == request.user.pk else "",
            "form": ReasonForm(auto_id="finish_%s"),
            "hand_over_form": HandOverForm(auto_id="hand_over_%s"),
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
        except (work.AlreadyDone, work.NotByYou) as error:
            messages.error(request, str(error))
        else:
            messages.success(request, "The work item is done.")
        return HttpResponseRedirect(page_of(item))

    def hand_over(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make a colleague the owner, saying what they need to know."""
        item = self._workable(request, object_id)
        form = HandOverForm(request.POST)
        if not form.is_valid():
            said = [error for errors in form.errors.values() for error in errors]
            messages.error(request, " ".join(map(str, said)))
            return HttpResponseRedirect(page_of(item))
        to, reason = form.cleaned_data["to"], form.cleaned_data["reason"]
        try:
            work.hand_over(item, to_id=to.pk, by_id=request.user.pk, reason=reason)  # type: ignore[arg-type]
        except work.AlreadyDone as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"{to.email} has it now.")
        return HttpResponseRedirect(page_of(item))

    def give_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put one's own item back into the queue."""
        item = self._workable(request, object_id)
        try:
            work.give_back(item, by_id=request.user.pk)  # type: ignore[arg-type]
        except (work.AlreadyDone, work.NotYours) as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(page_of(item))

    def _workable(self, request: HttpRequest, object_id: str) -> WorkItem:
        if request.method != "POST" or not request.user.has_perm("activity.change_workitem"):
            raise PermissionDenied
        item: WorkItem | None = self.get_object(request, object_id)
        if item is None:
            raise Http404
        return item
