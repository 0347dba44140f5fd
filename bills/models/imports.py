"""What imports brought, and what they did not take."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class ImportBatch(models.Model):
    """One run of an importer over one file or folder, and what came of it."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        REFUSED = "refused", "Refused whole"
        FAILED = "failed", "Failed"

    format = models.CharField(max_length=10)  # fhir, csv
    file_name = models.CharField(max_length=255)
    file_digest = models.CharField(max_length=64, blank=True, db_index=True)
    upload = models.FileField(upload_to="imports/", blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    read = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True, blank=True)
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0)
    in_review = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name_plural = "import batches"

    def __str__(self) -> str:
        return f"import {self.pk}"


class ImportReject(models.Model):
    """A record that an import did not take: refused, or held for a person to review, with the reason."""

    class Outcome(models.TextChoices):
        REFUSED = "refused", "Refused"
        REVIEW = "review", "In review"

    batch = models.ForeignKey(ImportBatch, models.PROTECT, related_name="rejects")
    outcome = models.CharField(max_length=7, choices=Outcome.choices)
    line = models.PositiveIntegerField(null=True, blank=True)
    field = models.CharField(max_length=100, blank=True)
    rule = models.CharField(max_length=60)
    reason = models.CharField(max_length=500)
    source = models.CharField(max_length=100, blank=True)
    source_id = models.CharField(max_length=200, blank=True)
    record = models.JSONField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    resolution = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="bills_importreject_one_open_review",
                fields=["source", "source_id"],
                condition=Q(outcome="review", resolved_at__isnull=True) & ~Q(source_id=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()}: {self.rule}"
