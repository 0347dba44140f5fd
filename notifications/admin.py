"""Staff pages: what people were told, and whether it left."""

from typing import Any

from django.contrib import admin
from django.db.models import Q

from accounts.models import User
from activity.staff import ReadOnlyAdmin, subject_link
from notifications.models import Notification


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Notices."""

    list_display = ("id", "kind", "about", "user_email", "status", "tries", "created_at", "sent_at", "reason")
    list_filter = ("status",)
    list_select_related = ("user",)
    search_help_text = "An email address, whole"
    exact_search = ("user_id",)
    fields = (
        "kind", "about", "user_email", "address", "language", "status", "reason", "tries", "next_try_at", "created_at",
        "sent_at", "dedupe_key",
    )  # fmt: skip
    readonly_fields = ("about", "user_email")

    def searched(self, term: str) -> Q:
        """By the person's address."""
        return Q(user_id__in=list(User.objects.filter(email=term.lower()).values_list("pk", flat=True)))

    def subject_of(self, obj: Any) -> str:
        """By id."""
        return f"notification:{obj.pk}"

    @admin.display(description="about")
    def about(self, obj: Notification) -> str:
        """A link to what it is about."""
        return subject_link(obj.subject)

    @admin.display(description="to")
    def user_email(self, obj: Notification) -> str:
        """Whom."""
        return obj.user.email if obj.user else obj.address
