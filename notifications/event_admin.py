"""Staff pages: what happened, and who looked. Of one's own household neither says anything."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from accounts.models import Member
from accounts.staff import MemberRecordAdmin, closed_to, own_households
from activity.models import Access, Event
from activity.staff import subject_link
from notifications import whose
from notifications.whose import Whose

# What tells of an application, its reasons and incomes: for those who may read applications.
OF_APPLICATIONS = ("application", "award")
READS_APPLICATIONS = "assistance.view_application"


class SubjectAdmin(MemberRecordAdmin):
    """A record with a `subject` that leads to what it is about, and whose record that is."""

    exact_search = ("subject",)

    def whose(self, obj: Any) -> Whose:
        """Whose record the subject names: the barrier and the look ask, and it is worked out once a row read."""
        if not hasattr(obj, "whose"):
            obj.whose = self.named_by(obj)
        found: Whose = obj.whose
        return found

    def named_by(self, obj: Any) -> Whose:
        """Whose record it is, by what stands in it."""
        return whose.of(obj.subject)

    def household_id_of(self, obj: Any) -> int:
        """Of several, or none: `whose` says."""
        return 0

    def members_of(self, obj: Any) -> Sequence[Member]:
        """The members that the subject tells of."""
        return self.whose(obj).members

    def named(self, request: HttpRequest) -> set[int]:
        """By a subject too: those that it tells of."""
        subjects = [request.GET.get(key, "").strip() for key in ("q", "subject", "subject__exact")]
        told = {member.pk for subject in subjects if ":" in subject for member in whose.of(subject).members}
        return told | super().named(request)

    @admin.display(description="about")
    def about(self, obj: Any) -> SafeString | str:
        """A link to what it is about."""
        return subject_link(obj.subject)


@admin.register(Event)
class EventAdmin(SubjectAdmin):
    """What happened. The list names no reason and no amount; the page of an event opens as its member's record does."""

    list_display = ("at", "kind", "about", "from_status", "to_status", "actor")
    list_display_links = ("at",)
    search_help_text = "A subject, whole: bill:7F3K-2201, payment:…, refund:…"
    fields = (
        "at", "kind", "about", "owner_id", "from_status", "to_status", "actor", "reason", "data", "processed_at",
    )  # fmt: skip
    readonly_fields = ("about",)
    linked_by = ("owner_id", "owner_id__exact", "subject", "subject__exact")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without one's own household, and without applications for who may not read those."""
        rows = super().get_queryset(request)
        if not request.user.has_perm(READS_APPLICATIONS):
            rows = rows.exclude(reduce(or_, (Q(subject__startswith=f"{family}:") for family in OF_APPLICATIONS)))
        own = own_households(request.user)  # type: ignore[arg-type]
        return rows.exclude(Q(owner_id__in=own) | Q(subject__in=whose.subjects_of(own))) if own else rows

    def named_by(self, obj: Event) -> Whose:
        """Whose record its subject and its data name."""
        return whose.of(obj.subject, owner_id=obj.owner_id, data=obj.data)

    def barrier(self, request: HttpRequest, obj: Event) -> HttpResponse | None:
        """As before the record that it tells of (FAULTS F25); of work, as before what the work was about."""
        found = self.whose(obj)
        if found.families.intersection(OF_APPLICATIONS) and not request.user.has_perm(READS_APPLICATIONS):
            raise PermissionDenied("an event of an application")
        return None if found.is_of_all else super().barrier(request, obj)


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

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without looks at the confidential of one's own household."""
        rows = super().get_queryset(request)
        closed = closed_to(request.user)  # type: ignore[arg-type]
        return rows.exclude(member_id__in=closed) if closed else rows

    def members_of(self, obj: Access) -> Sequence[Member]:
        """Whose record was looked at."""
        return list(Member.objects.filter(pk=obj.member_id or 0))

    def barrier(self, request: HttpRequest, obj: Access) -> HttpResponse | None:
        """None: it says who looked and why, to be judged by a second person, and nothing of the record."""
        return None

    @admin.display(description="who")
    def user_email(self, obj: Access) -> str:
        """Who looked."""
        return obj.user.email
