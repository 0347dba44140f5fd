"""What every page of the staff's side has in common: it reads, it is quick, and it is written down who looked.

No record is added, edited or deleted here, not by a superuser either (FAULTS F23). What staff may do (refund, adjust,
void, import, resolve) are pages of their own, each calling the one function that does it.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from typing import Any, ClassVar

from allauth.account.adapter import get_adapter
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from activity.recording import looked

MAX_LISTED = 2000  # rows a list counts and pages through: beyond, it is to be narrowed by search or filter
PAGE_SIZE = 50

# Where the first word of a subject or reference leads: `bill:7F3K-2201` to the list of bills, searched for it.
SUBJECTS = {
    "application": "assistance_application",
    "award": "assistance_award",
    "bill": "bills_bill",
    "payment": "payments_payment",
    "household": "accounts_household",
    "member": "accounts_member",
    "plan": "payments_paymentplan",
    "planpolicy": "payments_planpolicy",
    "claim": "bills_claim",
    "hold": "bills_hold",
    "import": "bills_importbatch",
    "event": "payments_stripeevent",
    "finding": "payments_finding",
    "inquiry": "support_inquiry",
    "check": "payments_check",
    "lockbox": "payments_lockboxfile",
    "reconciliation": "payments_reconciliationrun",
}


def due_by(day: dt.date, *, is_late: bool) -> SafeString | str:
    """By when something is to be done; said loudly where that is past."""
    written = date_format(day, "DATE_FORMAT")
    return format_html("<strong>{}, overdue</strong>", written) if is_late else written


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # not generic when it runs
    """Counts no further than MAX_LISTED: a list of millions costs what its first pages cost."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, at most MAX_LISTED."""
        rows = self.object_list
        return rows.order_by()[:MAX_LISTED].count() if isinstance(rows, models.QuerySet) else len(rows)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic when it runs
    """A list and a page of each record, to read; every look is recorded, and where that fails the page fails too."""

    actions = None
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = PAGE_SIZE
    list_max_show_all = PAGE_SIZE
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)
    view_on_site = False
    save_as = False
    # Filters by a related record that links lead to, beyond those of `list_filter`.
    linked_by: Sequence[str] = ()
    # Columns of one indexed table that a search looks into, whole: the term or its upper case.
    exact_search: Sequence[str] = ()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is edited by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted."""
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """What links and filters ask, and nothing else.

        Django lets every column of the model be asked: a password's hash letter by letter, or who had which service
        (FAULTS F26, I16).
        """
        filters = [getattr(each, "parameter_name", each) for each in self.list_filter]
        return lookup in self.linked_by or lookup in filters or lookup in [f"{name}__exact" for name in filters]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Shows the search box where there is something to search."""
        return [*self.search_fields, *self.exact_search]

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """By whole numbers alone, through indexes."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(self.searched(term)), False

    def searched(self, term: str) -> models.Q:
        """What a search term means here."""
        wanted = models.Q(pk__in=[])
        for column in self.exact_search:
            wanted |= models.Q((f"{column}__in", sorted({term, term.upper()})))
        return wanted

    def members_of(self, obj: Any) -> Sequence[Any]:
        """The members whose record this is; for each of them the look is recorded."""
        return ()

    def subject_of(self, obj: Any) -> str:
        """What the record of the look names."""
        return f"{self.opts.model_name}:{obj}"[:80]

    def barrier(self, request: HttpRequest, obj: Any) -> HttpResponse | None:
        """A page that stands before the record, or None."""
        return None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; what was searched for is recorded with the look, for each member whom it is about (FAULTS N01)."""
        if any("\0" in value for values in request.GET.lists() for value in values[1]):
            raise SuspiciousOperation("PostgreSQL has no text with NUL in it")
        response = super().changelist_view(request, extra_context)
        if self.has_view_permission(request):
            query, action = request.GET.urlencode(), "search" if request.GET.get("q") else "list"
            changelist = getattr(response, "context_data", {}).get("cl")
            found: Collection[int | None] = self.sought(request, changelist.result_list if changelist else ())
            for member_id in found or [None]:
                self._looked(request, f"list:{self.opts.model_name}", action, query, member_id=member_id)
        return response

    def sought(self, request: HttpRequest, rows: Iterable[Any]) -> Collection[int]:
        """The members whom a list was narrowed to: those whose rows a search, or a link from a record, leads to."""
        if not request.GET.get("q") and not any(name in request.GET for name in self.linked_by):
            return ()
        return sorted({member.pk for row in rows for member in self.members_of(row)})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of one record."""
        obj = self.get_object(request, unquote(object_id)) if object_id else None
        if obj is not None and self.has_view_permission(request, obj):
            if (before := self.barrier(request, obj)) is not None:
                return before
            self.look(request, obj)
            extra_context = (extra_context or {}) | self.page_context(request, obj)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Nothing is edited here, so there is nothing to tell: what happened stands in the events."""
        raise PermissionDenied

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What the page shows beside the fields: `related` links, `tables`, and `tools` (what the viewer may do)."""
        return {"related": self.related(request, obj), "tools": self.tools(request, obj)}

    def related(self, request: HttpRequest, obj: Any) -> list[tuple[str, str]]:
        """Links to what belongs to the record: text and address."""
        return []

    def tools(self, request: HttpRequest, obj: Any) -> list[tuple[str, str]]:
        """What the viewer may do with the record: text and address."""
        return []

    def look(self, request: HttpRequest, obj: Any, *, action: str = "view", reason: str = "") -> None:
        """Record a look at a record, once for each member whose it is."""
        for member in self.members_of(obj) or [None]:
            self._looked(request, self.subject_of(obj), action, reason, member_id=member.pk if member else None)

    def _looked(
        self, request: HttpRequest, subject: str, action: str, reason: str = "", member_id: int | None = None
    ) -> None:
        assert request.user.pk is not None
        looked(
            user_id=request.user.pk,
            subject=subject,
            action=action,
            member_id=member_id,
            reason=reason[:500],
            address=get_adapter().get_client_ip(request),
        )

    def page(self, suffix: str, view: Callable[..., HttpResponse]) -> URLPattern:
        """A page of one record below its own: `<id>/SUFFIX/`, named `APP_MODEL_SUFFIX`."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_{suffix}"
        return path(f"<path:object_id>/{suffix}/", self.admin_site.admin_view(view), name=name)

    def page_address(self, suffix: str, obj: Any) -> str:
        """The address of such a page."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{suffix}", args=[obj.pk])

    def render(self, request: HttpRequest, template: str, title: str, obj: Any, **context: Any) -> TemplateResponse:
        """A page in the admin's frame."""
        frame = self.admin_site.each_context(request)
        return TemplateResponse(
            request, template, {**frame, "title": title, "opts": self.opts, "original": obj, **context}
        )


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic when it runs
    """Rows that belong to a record, to read."""

    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is edited by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted."""
        return False


def listed(view_name: str, **query: str | int) -> str:
    """The address of a list, filtered: `listed("bills_bill", household__id__exact=7)`."""
    address = reverse(f"admin:{view_name}_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def page_of(obj: models.Model) -> str:
    """The address of a record's page."""
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def link(obj: models.Model | None, text: object = None) -> SafeString | str:
    """A link to a record's page."""
    if obj is None:
        return "-"
    return format_html('<a href="{}">{}</a>', page_of(obj), obj if text is None else text)


def subject_link(subject: str) -> SafeString | str:
    """A link to what a subject or a reference names, or its text where it names nothing that has a list."""
    kind, _, name = subject.partition(":")
    if kind not in SUBJECTS or not name:
        return subject
    return format_html('<a href="{}">{}</a>', listed(SUBJECTS[kind], q=name), subject)
