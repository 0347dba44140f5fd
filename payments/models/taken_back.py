"""Money that goes back: refunds, and what the payer's bank has called into question."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
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
        SUBMITTED = "submitted", _("Submitted")
        PENDING = "pending", _("On its way")
        SUCCEEDED = "succeeded", _("Sent")
        FAILED = "failed", _("Failed")
        CANCELED = "canceled", _("Canceled")

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    bill = models.ForeignKey(Bill, models.PROTECT, null=True, blank=True, related_name="refunds")
    amount_cents = models.BigIntegerField()
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.SUBMITTED)
    reason = models.CharField(max_length=500)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    is_outside_portal = models.BooleanField(default=False)
    is_of_credit = models.BooleanField(default=False)  # overpaid money that is household credit: payments.overpaid
    form_key = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001  # null: not from a form
    stripe_refund_id = models.CharField(max_length=60, null=True, blank=True, unique=True)  # noqa: DJ001
    failure_code = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="payments_refund_amount_positive", condition=Q(amount_cents__gt=0)),
            models.UniqueConstraint(
                name="payments_refund_form_once", fields=["payment", "form_key"], condition=Q(form_key__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"refund {self.pk}"

    @property
    def idempotency_key(self) -> str:
        """The key of the call to Stripe: one refund row, one refund."""
        return f"refund-{self.pk}"


class Dispute(models.Model):
    """A payment that the cardholder or the bank has called into question."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="disputes")
    stripe_dispute_id = models.CharField(max_length=60, unique=True)
    status = models.CharField(max_length=30)
    reason = models.CharField(max_length=60, blank=True)
    amount_cents = models.BigIntegerField()
    is_withdrawn = models.BooleanField(default=False)
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"dispute {self.pk}"
