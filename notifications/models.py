"""What is told to whom, and when."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.visibility import Viewer, scope_of


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Notices, and whose they are."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own, and nobody else's."""
        return self.filter(user_id=scope_of(viewer).user_id)


class Notification(models.Model):
    """One notice to one person, once for its `dedupe_key`. Nothing about health, no amount (FAULTS L01)."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        DROPPED = "dropped", "Not sent, with reason"
        FAILED = "failed", "Failed"

    dedupe_key = models.CharField(max_length=120, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="notifications"
    )
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    address = models.EmailField(blank=True)
    language = models.CharField(max_length=5, default="en")
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.WAITING)
    reason = models.CharField(max_length=200, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(name="notifications_waiting", fields=["id"], condition=Q(status__in=["waiting", "sending"]))
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
