"""Money that goes back: refunds, and what the payer's bank has called into question."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.visibility import Viewer
from bills.models import Bill
from payments.models.payment import Payment


class RefundQuerySet(models.QuerySet["Refund"]):
    """Refunds, and who may see them."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Those of the payments that the viewer sees."""
        return self.filter(payment__in=Payment.objects.visible_to(viewer).values("pk"))


class Refund(models.Model):
    """Money sent back to the method it came from, US cents."""

    class Status(models.TextChoices):
        AWAITING_APPROVAL = "awaiting_approval", _("Being checked")
        SUBMITTED = "submitted", _("Submitted")
        PENDING = "pending", _("On its way")
        SUCCEEDED = "succeeded", _("Sent")
        FAILED = "failed", _("Failed")
        CANCELED = "canceled", _("Canceled")
        DECLINED = "declined", _("Not approved")

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    bill = models.ForeignKey(Bill, models.PROTECT, null=True, blank=True, related_name="refunds")
    amount_cents = models.BigIntegerField()
    status = models.CharField(max_length=17, choices=Status.choices, default=Status.SUBMITTED)
    reason = models.CharField(max_length=500)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    # The second person of staff, where the amount asked for one: who approved or declined it, and why.
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)
    is_outside_portal = models.BooleanField(default=False)
    is_of_credit = models.BooleanField(default=False)  # overpaid money that is household credit: payments.overpaid
    form_key = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001  # null: not from a form
    stripe_refund_id = models.CharField(max_length=60, null=True, blank=True, unique=True)  # noqa: DJ001
    attempt = models.PositiveSmallIntegerField(default=0, db_default=0)
    failure_code = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="payments_refund_amount_positive", condition=Q(amount_cents__gt=0)),
            models.CheckConstraint(
                name="payments_refund_two_people",
                condition=Q(decided_by__isnull=True) | Q(requested_by__isnull=True) | ~Q(decided_by=F("requested_by")),
            ),
            models.UniqueConstraint(
                name="payments_refund_form_once", fields=["payment", "form_key"], condition=Q(form_key__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"refund {self.pk}"

    @property
    def idempotency_key(self) -> str:
        """The key of the present attempt's call to Stripe: one refund row, one refund."""
        return f"refund-{self.pk}-{self.attempt}" if self.attempt else f"refund-{self.pk}"


class DisputeQuerySet(models.QuerySet["Dispute"]):
    """Disputes and returns, and who may see them."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Those of the payments that the viewer sees."""
        return self.filter(payment__in=Payment.objects.visible_to(viewer).values("pk"))


class Dispute(models.Model):
    """A payment that the payer's bank called into question, or took back: at Stripe both are a dispute of its charge.

    `booked_cents` is what stands in the book as taken back, US cents: what the dispute's balance transactions took out,
    less what they put back. `movements` counts those that are booked; the book never goes back to fewer.
    """

    class Kind(models.TextChoices):
        DISPUTE = "dispute", _("Dispute")
        RETURN = "return", _("Bank return")

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="disputes")
    stripe_dispute_id = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=7, choices=Kind.choices, default=Kind.DISPUTE)
    status = models.CharField(max_length=30)
    reason = models.CharField(max_length=60, blank=True)
    return_code = models.CharField(max_length=4, blank=True)  # of a bank return: payments.return_codes
    amount_cents = models.BigIntegerField()
    booked_cents = models.BigIntegerField(default=0)
    movements = models.PositiveSmallIntegerField(default=0)
    booked_as = models.PositiveSmallIntegerField(default=0)  # the number of movements when what stands was booked
    booked_at = models.DateTimeField(null=True, blank=True)  # when the book last followed it
    is_refundable = models.BooleanField(default=False)
    due_by = models.DateTimeField(null=True, blank=True)  # until then the provider takes what we send
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="payments_dispute_booked_not_negative", condition=Q(booked_cents__gte=0))
        ]

    def __str__(self) -> str:
        return f"dispute {self.pk}"

    @property
    def booking_key(self) -> str:
        """The beginning of the ledger keys of what stands booked."""
        return f"dispute:{self.pk}:{self.booked_as}"

    @property
    def reference(self) -> str:
        """What its transfers are about, in the ledger's words."""
        return f"dispute:{self.pk} of payment:{self.payment.number}"
