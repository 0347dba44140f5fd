"""The inbox of the provider's events."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class StripeEvent(models.Model):
    """The inbox of webhooks: each event once by its id; worked off later, in any order."""

    class Outcome(models.TextChoices):
        WAITING = "waiting", "Waiting"
        PROCESSED = "processed", "Processed"
        IGNORED = "ignored", "Ignored, with reason"
        PARKED = "parked", "Parked for staff"

    event_id = models.CharField(max_length=60, unique=True)
    type = models.CharField(max_length=80)
    object_id = models.CharField(max_length=60, blank=True)
    api_version = models.CharField(max_length=40, blank=True)
    body = models.JSONField()
    outcome = models.CharField(max_length=9, choices=Outcome.choices, default=Outcome.WAITING)
    reason = models.CharField(max_length=300, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    received_at = models.DateTimeField(auto_now_add=True)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(name="payments_event_waiting", fields=["id"], condition=Q(outcome="waiting"))]

    def __str__(self) -> str:
        return self.event_id
