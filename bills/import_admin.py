"""Staff pages of imports: upload, progress, what was refused and why, and the queue of what needs a look."""

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from accounts.models import Member, User
from accounts.staff import OWN_WORDS, Action, ActionForm, MemberRecordAdmin
from activity import ages, filters
from activity.staff import ReadOnlyAdmin, link, listed, page_of
from billing_portal.ids import is_id
from bills import review
from bills.imports import uploads
from bills.models import ImportBatch, ImportReject

REFRESH_SECONDS = 2
UNFINISHED = (ImportBatch.Status.WAITING, ImportBatch.Status.RUNNING)


class UploadForm(forms.Form):
    """A file and its format."""

    format = forms.ChoiceField(
        choices=[("fhir", "FHIR R4 (JSON or NDJSON)"), ("csv", "CSV")],
        help_text="docs/imports.md says what each takes.",
    )
    file = forms.FileField()

    def clean_file(self) -> Any:
        """Bounded in size, and not empty."""
        file = self.cleaned_data["file"]
        if file.size > uploads.MAX_BYTES:
            raise forms.ValidationError("The file is too large to upload: import it with manage.py import_bills.")
        return file


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnlyAdmin):
    """Runs of the importers."""

    change_list_template = "admin/import_list.html"
    change_form_template = "admin/record.html"
    list_display = (
        "id", "format", "file_name", "status", "progress", "new", "changed", "same", "in_review", "refused",
        "started_at", "started_by_email",
    )  # fmt: skip
    list_filter = ("status", "format")
    list_select_related = ("started_by",)
    fields = (
        "format", "file_name", "file_digest", "status", "progress", "message", "new", "changed", "same", "in_review",
        "refused", "started_by_email", "started_at", "finished_at",
    )  # fmt: skip
    readonly_fields = ("progress", "started_by_email")

    @admin.display(description="progress")
    def progress(self, obj: ImportBatch) -> SafeString | str:
        """Records read, of how many where that is known."""
        if obj.status in UNFINISHED and obj.total:
            bar = '<progress max="{}" value="{}" aria-label="Progress"></progress> {} of {}'
            return format_html(bar, obj.total, obj.read, obj.read, obj.total)
        return f"{obj.read} records"

    @admin.display(description="started by")
    def started_by_email(self, obj: ImportBatch) -> str:
        """Who uploaded it; a command has nobody."""
        return obj.started_by.email if obj.started_by else "a command"

    def get_urls(self) -> list[URLPattern]:
        """The admin's, and the upload."""
        upload = path("upload/", self.admin_site.admin_view(self.upload), name="bills_importbatch_upload")
        return [upload, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to the upload for those who may."""
        may_import = request.user.has_perm("bills.add_importbatch")
        address = reverse("admin:bills_importbatch_upload") if may_import else ""
        return super().changelist_view(request, (extra_context or {}) | {"upload_address": address})

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Take a file, and leave the work to a worker."""
        user = request.user
        if not isinstance(user, User) or not user.has_perm("bills.add_importbatch"):
            raise PermissionDenied
        form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
        if request.method == "POST" and form.is_valid():
            batch = uploads.receive(form.cleaned_data["file"], format=form.cleaned_data["format"], by=user)
            messages.success(request, f"{batch.file_name} is waiting to be read.")
            return HttpResponseRedirect(page_of(batch))
        page = self.render(
            request, "admin/upload.html", "Import bills", None, form=form, enctype="multipart/form-data",
            back=listed("bills_importbatch"),
        )  # fmt: skip
        page.status_code = 422 if request.method == "POST" else 200
        return page

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """While the import runs, the page fetches itself again."""
        response = super().changeform_view(request, object_id, form_url, extra_context)
        batch = ImportBatch.objects.filter(pk=int(object_id)).first() if object_id and is_id(object_id) else None
        if batch is not None and batch.status in UNFINISHED and response.status_code == 200:
            response.headers["Refresh"] = str(REFRESH_SECONDS)
        return response

    def page_context(self, request: HttpRequest, obj: ImportBatch) -> dict[str, Any]:
        """The first of its rejects."""
        rejects = obj.rejects.order_by("pk")[:50]
        return super().page_context(request, obj) | {
            "tables": [
                {
                    "title": "Not taken",
                    "heads": ("Record", "Line", "Field", "Rule", "Reason"),
                    "rows": [
                        (link(each, each.get_outcome_display()), each.line or "-", each.field, each.rule, each.reason)
                        for each in rejects
                    ],
                    "empty": "Everything that was read was taken.",
                }
            ]
        }

    def related(self, request: HttpRequest, obj: ImportBatch) -> list[tuple[str, str]]:
        """All of its rejects."""
        return [("All that was not taken", listed("bills_importreject", batch__id__exact=obj.pk, state="all"))]


class StateFilter(filters.StateFilter):
    """What waits for a person first."""

    unfiltered = "To review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """To review, settled, all."""
        return [("settled", "Settled"), ("all", "All")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[ImportReject]) -> models.QuerySet[ImportReject]:
        """Filter by what was chosen."""
        if self.value() == "all":
            return queryset
        if self.value() == "settled":
            return queryset.filter(resolved_at__isnull=False)
        return queryset.filter(resolved_at__isnull=True, outcome=ImportReject.Outcome.REVIEW)


class WaitedFilter(filters.AgeFilter):
    """How long it has waited for a person."""

    since = "created_at"
    choices_in_days: ClassVar = {"1": 1, "7": 7, "28": 28}


def _resolve(user: User, reject: ImportReject, cleaned: dict[str, Any]) -> str:
    review.resolve(reject, by=user, resolution=cleaned["reason"])
    return "The record is settled."


@admin.register(ImportReject)
class ImportRejectAdmin(MemberRecordAdmin):
    """What imports did not take: the review queue."""

    change_list_template = "admin/aged_list.html"
    list_display = ("id", "batch", "outcome", "line", "field", "rule", "reason", "source_id", "age", "resolved_at")
    list_filter = (StateFilter, WaitedFilter, "outcome")
    list_select_related = ("batch",)
    search_help_text = "The identifier of a record in its source, whole"
    exact_search = ("source_id",)
    linked_by = ("batch__id__exact",)
    ordering = ("pk",)
    fields = (
        "batch", "outcome", "line", "field", "rule", "reason", "source", "source_id", "pretty_record", "created_at",
        "age", "resolved_at", "resolved_by_email", "resolution",
    )  # fmt: skip
    readonly_fields = ("pretty_record", "created_at", "age", "resolved_by_email")
    offered = (
        Action(
            suffix="settle", label="Settle", permission="bills.change_importreject", form=ActionForm, run=_resolve,
            applies=lambda reject: reject.resolved_at is None,
            refusals={review.AlreadyResolved: OWN_WORDS},
            explains="Say what was done about it. The record is not taken by this: a corrected file is.",
        ),
    )  # fmt: skip

    def household_id_of(self, obj: ImportReject) -> int:
        """Of no household yet."""
        return 0

    def households_of(self, obj: ImportReject) -> set[int]:
        """Of those whom it names."""
        return {member.household_id for member in self.members_of(obj)}

    def members_of(self, obj: ImportReject) -> list[Member]:
        """Whom it names, as far as they are known here: the record is what their claims are made of."""
        return review.members_named(obj)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, below what is to be reviewed by age."""
        came = ImportReject.objects.filter(resolved_at__isnull=True, outcome=ImportReject.Outcome.REVIEW)
        created = came.values_list("created_at", flat=True).iterator()
        chart = ages.chart(created, title="Records to review, by age", now=timezone.now())
        return super().changelist_view(request, (extra_context or {}) | {"chart": chart})

    @admin.display(description="age", ordering="created_at")
    def age(self, obj: ImportReject) -> str:
        """How long it has waited for a person; one that was refused waits for none."""
        waited = obj.outcome == ImportReject.Outcome.REVIEW
        return timesince(obj.created_at, obj.resolved_at or timezone.now()) if waited else "-"

    @admin.display(description="record")
    def pretty_record(self, obj: ImportReject) -> SafeString | str:
        """What was in the file."""
        if obj.record is None:
            return "-"
        return format_html('<pre class="portal-record">{}</pre>', json.dumps(obj.record, indent=2, ensure_ascii=False))

    @admin.display(description="settled by")
    def resolved_by_email(self, obj: ImportReject) -> str:
        """Who settled it."""
        return obj.resolved_by.email if obj.resolved_by else "-"
