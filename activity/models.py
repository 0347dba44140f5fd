"""Append-only: what happened (Event, which is also the outbox), who looked (Access), and what waits for a person."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from activity.walls import ACCESS_WALLS, EVENT_WALLS


class Event(models.Model):
    """One thing that happened. `subject` names it in words another system can follow, e.g. `bill:7F3K-2201`.

    `data` carries ids and codes, never names, services or anything about health. `processed_at` is set once, by the
    app that tells people about it.
    """

    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    owner_id = models.BigIntegerField(default=0)
    from_status = models.CharField(max_length=20, blank=True, db_default="")
    to_status = models.CharField(max_length=20, blank=True, db_default="")
    actor = models.CharField(max_length=40)
    reason = models.CharField(max_length=500, blank=True, db_default="")
    data = models.JSONField(default=dict, db_default={})
    at = models.DateTimeField(db_default=models.functions.Now())
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(name="activity_event_subject", fields=["subject", "id"]),
            models.Index(name="activity_event_unprocessed", fields=["id"], condition=Q(processed_at__isnull=True)),
        ]
        triggers = EVENT_WALLS

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Access(models.Model):
    """Somebody of staff, or a delegate, looked at another person's record."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    member_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    subject = models.CharField(max_length=80)
    action = models.CharField(max_length=40)
    reason = models.CharField(max_length=500, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        verbose_name_plural = "accesses"
        indexes = [models.Index(name="activity_access_subject", fields=["subject", "id"])]
        triggers = ACCESS_WALLS

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class WorkItem(models.Model):
    """Something that needs a person of staff: opened once for its `dedupe_key`, done with a reason."""

    class Kind(models.TextChoices):
        PAYMENT_UNKNOWN = "payment_unknown", "Payment outcome unknown past its deadline"
        PAYMENT_CONFLICT = "payment_conflict", "Payment and provider disagree"
        UNEXPECTED_MONEY = "unexpected_money", "Money that no bill could take"
        REFUND_FAILED = "refund_failed", "Refund failed"
        REFUND_OUTSIDE = "refund_outside", "Refund made outside the portal"
        DISPUTE = "dispute", "Dispute"
        WEBHOOK_PARKED = "webhook_parked", "Webhook that could not be worked off"
        IMPORT_REVIEW = "import_review", "Imported record that does not add up"
        LEDGER = "ledger", "The book does not hold"
        SECOND_CLAIM = "second_claim", "A second person claims to be a member"
        SUSPENSE = "suspense", "Money at Stripe that nothing here explains"
        PAYMENT_FROZEN = "payment_frozen", "Frozen payment: unknown at Stripe"
        RECONCILIATION = "reconciliation", "Stripe's books and ours differ"
        BANK_DEBIT_LATE = "bank_debit_late", "Bank payment on its way for too long"
        LOCKBOX = "lockbox", "Paper check that names no bill or household"
        CHECK_RETURNED = "check_returned", "Paper check returned by the bank"
        REFUND_APPROVAL = "refund_approval", "Refund that waits for a second person"
        INQUIRY = "inquiry", "Question of a member"
        ASSISTANCE = "assistance", "Application for help to decide"
        GUEST_PAY = "guest_pay", "Guest pay: somebody tries numbers or cards"
        CONFIDENTIAL_LOOK = "confidential_look", "Staff opened a confidential record"
        DEPARTURE = "departure", "Somebody left a household, or has died"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    subject = models.CharField(max_length=80)
    detail = models.TextField(blank=True)
    dedupe_key = models.CharField(max_length=120, unique=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    opened_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(null=True, blank=True)  # activity.queue says when, by the kind
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    done_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            models.Index(name="activity_work_open", fields=["opened_at"], condition=Q(done_at__isnull=True)),
            models.Index(name="activity_work_due", fields=["due_at", "opened_at"], condition=Q(done_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"
