"""Standing orders that were taken over from another system, and why one of them does not charge."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from accounts.models import Coverage, Member
from bills.models import ImportBatch
from payments.models.autopay import AutopayEnrollment


class ImportedAutopayQuerySet(models.QuerySet["ImportedAutopay"]):
    """Standing orders, and which of them wait for somebody."""

    def unsettled(self) -> Self:
        """Those that somebody must act on: no enrolment yet, or one that is stopped as it was taken over."""
        begun = Q(enrollment__status="suspended", enrollment__suspended_code=F("code"))
        return self.filter(begun | (Q(enrollment__isnull=True) & ~Q(code=ImportedAutopay.Code.ALREADY_ON)))


class ImportedAutopay(models.Model):
    """One standing order as its source last stated it; its enrolment, once its member has an account to hold it.

    From then on it is the member's: no later file changes or ends it.
    """

    class Code(models.TextChoices):
        TAKEN = "", "On, nobody has to act"
        NO_USER = "no_user", "Member has no account: invite them to sign up"
        NO_MANDATE = "imported_no_mandate", "No words of consent: the member has to agree again"
        METHOD_UNKNOWN = "imported_unknown", "Method not found at the provider: the member has to add one"
        CARD_EXPIRED = "imported_expired", "Card has expired: the member has to choose another"
        METHOD_UNFIT = "imported_unfit", "Method cannot pay this: the member has to choose another"
        NOT_PAYABLE = "not_payable", "Not the member's to pay, or with another's method: Billing has to look"
        ALREADY_ON = "already_on", "Autopay was on already and stays as it is: nobody has to act"

    source = models.CharField(max_length=100)
    source_id = models.CharField(max_length=100)
    as_of = models.DateField()  # when the source stated it: an older statement changes nothing
    digest = models.CharField(max_length=64)
    batch = models.ForeignKey(ImportBatch, models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, models.PROTECT, related_name="imported_autopay")
    covers = models.CharField(max_length=7, choices=AutopayEnrollment.Covers.choices)
    coverage = models.ForeignKey(Coverage, models.PROTECT, null=True, blank=True, related_name="+")
    stripe_method_id = models.CharField(max_length=60)
    method_kind = models.CharField(max_length=20)
    brand = models.CharField(max_length=30, blank=True)
    last4 = models.CharField(max_length=4)
    expires_month = models.PositiveSmallIntegerField(null=True, blank=True)
    expires_year = models.PositiveSmallIntegerField(null=True, blank=True)
    mandate_text = models.TextField(blank=True)
    mandate_version = models.CharField(max_length=20, blank=True)
    mandate_accepted_on = models.DateField(null=True, blank=True)
    day_rule = models.CharField(max_length=12, choices=AutopayEnrollment.DayRule.choices)
    day = models.PositiveSmallIntegerField(null=True, blank=True)
    limit_cents = models.BigIntegerField(null=True, blank=True)
    code = models.CharField(max_length=20, choices=Code.choices, blank=True)
    enrollment = models.OneToOneField(
        AutopayEnrollment, models.PROTECT, null=True, blank=True, related_name="imported"
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ImportedAutopayQuerySet.as_manager()

    class Meta:
        verbose_name = "imported autopay"
        verbose_name_plural = "imported autopay"
        constraints = [
            models.UniqueConstraint(name="payments_importedautopay_once", fields=["source", "source_id"]),
            models.CheckConstraint(
                name="payments_importedautopay_taken_or_why", condition=Q(enrollment__isnull=False) | ~Q(code="")
            ),
        ]
        indexes = [models.Index(name="payments_importedautopay_code", fields=["code"])]

    def __str__(self) -> str:
        return f"imported autopay {self.pk}"
