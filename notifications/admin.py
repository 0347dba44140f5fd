"""Staff pages: what people were told, and whether it left."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html

from accounts.models import Member, User
from accounts.staff import MemberRecordAdmin
from activity.staff import ReadOnlyAdmin, subject_link
from notifications import event_admin, work_admin
from notifications.models import Notification, SentText, Suppression

__all__ = ["event_admin", "work_admin"]  # their pages are registered with these


@admin.register(Notification)
class NotificationAdmin(MemberRecordAdmin):
    """Notices. What a confidential member was told opens for a reason, as their records do (FAULTS F25)."""

    member_path = "member_id"
    list_display = (
        "id", "kind", "channel", "about", "user_email", "status", "tries", "created_at", "sent_at", "reason",
    )  # fmt: skip
    list_filter = ("status", "channel")
    list_select_related = ("user",)
    search_help_text = "An email address, whole"
    exact_search = ("user_id",)
    fields = (
        "kind", "channel", "about", "user_email", "address", "language", "status", "reason", "tries", "next_try_at",
        "created_at", "sent_at", "read_at", "dedupe_key", "what_it_said",
    )  # fmt: skip
    readonly_fields = ("about", "user_email", "what_it_said")

    def searched(self, term: str) -> Q:
        """By the person's address."""
        return Q(user_id__in=list(User.objects.filter(email=term.lower()).values_list("pk", flat=True)))

    def subject_of(self, obj: Any) -> str:
        """By id."""
        return f"notification:{obj.pk}"

    def members_of(self, obj: Notification) -> list[Member]:
        """Whose bill it is about; otherwise the members that its reader is."""
        if obj.member_id is not None:
            return list(Member.objects.filter(pk=obj.member_id))
        return list(obj.user.members.all()) if obj.user else []

    @admin.display(description="what it said")
    def what_it_said(self, obj: Notification) -> str:
        """Subject and text as they were sent, or were about to be."""
        said = SentText.objects.filter(pk=obj.pk).first()
        if said is None:
            return "Not sent"
        doubt = "" if obj.status == Notification.Status.SENT else "Not known to have been sent: "
        return format_html("{}{}<pre>{}</pre>", doubt, said.subject, said.text)

    @admin.display(description="about")
    def about(self, obj: Notification) -> str:
        """A link to what it is about."""
        return subject_link(obj.subject)

    @admin.display(description="to")
    def user_email(self, obj: Notification) -> str:
        """Whom."""
        return obj.user.email if obj.user else obj.address


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    """Addresses that are not written to."""

    list_display = ("id", "address", "cause", "at")
    list_filter = ("cause",)
    search_help_text = "An email address, whole"
    exact_search = ("address",)
    fields = ("address", "cause", "event_id", "at")

    def searched(self, term: str) -> Q:
        """By the address."""
        return Q(address=term.lower())
