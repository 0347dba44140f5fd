"""Stripe's own book, line by line, and what came of holding ours against it."""

from django.conf import settings
from django.db import models
from django.db.models import Q, Sum

from payments.models.payment import Payment


class ReconciliationRun(models.Model):
    """One reconciliation of a span of time: what agreed, and what stood on one side only. Counts, and US cents.

    `reached_at` is how far it is: a run that was broken off is taken up there by the next.
    """

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Broken off"

    status = models.CharField(max_length=8, choices=Status.choices, default=Status.RUNNING)
    since = models.DateTimeField(null=True, blank=True)  # null: from the beginning of Stripe's account
    until = models.DateTimeField()
    reached_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lines = models.PositiveIntegerField(default=0)
    matched = models.PositiveIntegerField(default=0)
    matched_cents = models.BigIntegerField(default=0)
    adopted = models.PositiveIntegerField(default=0)  # of those matched: what we had not heard of
    only_there = models.PositiveIntegerField(default=0)
    only_there_cents = models.BigIntegerField(default=0)
    only_here = models.PositiveIntegerField(default=0)
    only_here_cents = models.BigIntegerField(default=0)
    differing = models.PositiveIntegerField(default=0)
    differing_cents = models.BigIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)  # what Stripe itself has not decided
    fees_cents = models.BigIntegerField(default=0)
    payouts_cents = models.BigIntegerField(default=0)
    message = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(name="payments_run_reached", fields=["-reached_at"])]

    def __str__(self) -> str:
        return f"reconciliation {self.pk}"


class Finding(models.Model):
    """What the two books do not say alike: opened once for its subject, closed when they do, or by staff with a reason.

    Of money that nothing here explains, the lines that stand in suspense are `lines`; what is left there is their sum.
    """

    class Kind(models.TextChoices):
        ONLY_THERE = "only_there", "Money at Stripe that nothing here explains"
        ONLY_HERE = "only_here", "Settled here, unknown at Stripe"
        DIFFERS = "differs", "The amounts differ"
        PAYOUT = "payout", "A payout is not the sum of its parts"
        MANUAL_PAYOUT = "manual_payout", "A manual payout: Stripe does not list its parts"

    kind = models.CharField(max_length=13, choices=Kind.choices)
    subject = models.CharField(max_length=60)  # Stripe's id of the charge, refund, dispute or payout
    intent_id = models.CharField(max_length=60, blank=True)  # of a charge: the payment intent it was made by
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, blank=True, related_name="findings")
    run = models.ForeignKey(ReconciliationRun, models.PROTECT, related_name="findings")
    here_cents = models.BigIntegerField(null=True, blank=True)
    there_cents = models.BigIntegerField(null=True, blank=True)
    detail = models.TextField(blank=True)
    opened_at = models.DateTimeField(auto_now_add=True)
    refund_asked_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    resolution = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="payments_finding_open_once", fields=["kind", "subject"], condition=Q(closed_at__isnull=True)
            )
        ]
        indexes = [
            models.Index(name="payments_finding_open", fields=["opened_at"], condition=Q(closed_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"

    @property
    def suspense_cents(self) -> int:
        """What of it stands in suspense now, US cents."""
        return self.lines.filter(outcome=BalanceTransaction.Outcome.SUSPENSE).aggregate(c=Sum("amount_cents"))["c"] or 0


class BalanceTransaction(models.Model):
    """One line of Stripe's book, US cents. Stored once, with its fee and, of a payout, its posting, in one transaction.

    `amount_cents` is what moved before `fee_cents`; `source_id` names the charge, refund, dispute or payout.
    """

    class Outcome(models.TextChoices):
        WAITING = "waiting", "Not compared yet"
        MATCHED = "matched", "Stands in the book"
        SUSPENSE = "suspense", "In suspense"
        DIFFERS = "differs", "Differs"

    stripe_id = models.CharField(max_length=60, unique=True)
    type = models.CharField(max_length=40)
    category = models.CharField(max_length=40, blank=True)  # docs.stripe.com/reports/reporting-categories
    source_id = models.CharField(max_length=60, blank=True, db_index=True)
    amount_cents = models.BigIntegerField()
    fee_cents = models.BigIntegerField(default=0)
    net_cents = models.BigIntegerField()
    created_at = models.DateTimeField(db_index=True)
    payout_id = models.CharField(max_length=60, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.WAITING)
    finding = models.ForeignKey(Finding, models.PROTECT, null=True, blank=True, related_name="lines")
    stored_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(name="payments_balance_waiting", fields=["created_at", "id"], condition=Q(outcome="waiting")),
            models.Index(name="payments_balance_payout", fields=["payout_id"], condition=~Q(payout_id="")),
        ]

    def __str__(self) -> str:
        return self.stripe_id
