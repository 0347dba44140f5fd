"""What is wrong with autopay before it charges, and the private address of a member's calendar."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from payments.models.autopay import AutopayEnrollment


class AutopayProblem(models.Model):
    """Something that would make the next charge of an enrolment fail or never come: found ahead, told once, closed.

    It is opened again where it comes back.
    """

    class Code(models.TextChoices):
        METHOD_REMOVED = "method_removed", "Payment method removed"
        METHOD_BLOCKED = "method_blocked", "Payment method stopped by a bank"
        METHOD_UNVERIFIED = "method_unverified", "Bank account not verified"
        MANDATE_LOST = "mandate_lost", "Authorization to debit missing or ended"
        SHARE_ENDED = "share_ended", "Payment method no longer shared"
        CARD_EXPIRES = "card_expires", "Card expires before the next charge"
        SECOND_PAYS = "second_pays", "First method cannot be charged: the second one pays meanwhile"
        COVERAGE_ENDED = "coverage_ended", "Coverage has ended"
        COVERAGE_REPLACED = "coverage_replaced", "New coverage without autopay"
        ABOVE_LIMIT = "above_limit", "Premium above the member's limit"
        NOT_PAYABLE = "not_payable", "Member left or is no longer seen"

    enrollment = models.ForeignKey(AutopayEnrollment, models.PROTECT, related_name="problems")
    code = models.CharField(max_length=20, choices=Code.choices)
    charge_on = models.DateField(null=True, blank=True)  # of the charge that it stands in the way of
    opened_at = models.DateTimeField(auto_now_add=True)
    told_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="payments_autopayproblem_open_once",
                fields=["enrollment", "code"],
                condition=Q(closed_at__isnull=True),
            )
        ]
        indexes = [
            models.Index(name="payments_autopayproblem_open", fields=["code"], condition=Q(closed_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.code} of autopay {self.enrollment_id}"


class CalendarFeed(models.Model):
    """A member's private calendar address: only the hash of its secret is kept, so that it is shown once."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_feed")
    secret_hash = models.CharField(max_length=64, unique=True)
    states_amounts = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"calendar feed {self.pk}"
