"""Staff pages: the queue of work. Nobody works off what is about their own household."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from accounts.households import is_of
from accounts.staff import own_households
from activity import ages, filters, queue, work
from activity.models import WorkItem
from activity.staff import due_by, page_of
from activity.staff_forms import HandOverForm, ReasonForm
from notifications import whose
from notifications.event_admin import SubjectAdmin


class DoneFilter(filters.StateFilter):
    """Open items first; done ones on demand."""

    unfiltered = "Open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Open, mine, done."""
        return [("mine", "Mine"), ("done", "Done")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[WorkItem]) -> models.QuerySet[WorkItem]:
        """Filter by what was chosen."""
        if self.value() == "done":
            return queryset.filter(done_at__isnull=False)
        waiting = queryset.filter(done_at__isnull=True)
        return waiting.filter(owner_id=request.user.pk) if self.value() == "mine" else waiting


class AgeFilter(filters.AgeFilter):
    """How long it has waited, and whether it is overdue."""

    since = "opened_at"
    choices_in_days: ClassVar = {"1": 1, "3": 3, "7": 7, "28": 28}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Overdue, and older than so many days."""
        return [("overdue", "Overdue"), *super().lookups(request, model_admin)]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[WorkItem]) -> models.QuerySet[WorkItem]:
        """Filter by what was chosen."""
        if self.value() == "overdue":
            return queryset.filter(due_at__lt=timezone.now())
        return super().queryset(request, queryset)


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
        is_late = obj.done_at is None and obj.due_at < timezone.now()
        return due_by(timezone.localdate(obj.due_at), is_late=is_late)

    @admin.display(description="owner")
    def owner_email(self, obj: WorkItem) -> str:
        """Who took it."""
        return obj.owner.email if obj.owner else "nobody yet"

    @admin.display(description="done by")
    def done_by_email(self, obj: WorkItem) -> str:
        """Who did it."""
        return obj.done_by.email if obj.done_by else "-"

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without one's own household: it is neither read nor worked off, and its confidential are not told of."""
        rows = super().get_queryset(request)
        own = own_households(request.user)  # type: ignore[arg-type]
        return rows.exclude(subject__in=whose.subjects_of(own)) if own else rows

    def barrier(self, request: HttpRequest, obj: WorkItem) -> HttpResponse | None:
        """None: an item says what to do, and the record that it leads to asks for the reason."""
        return None

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
        if is_of(to, whose.of(item.subject).household_ids):
            messages.error(request, "This is their own household: somebody else has to do it.")
            return HttpResponseRedirect(page_of(item))
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
