"""Why it is owed: claims (explanations of benefits), their lines, and what counts towards the year's limits."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Household, Member
from accounts.visibility import Viewer, scope_of
from bills.models.bills import Bill


class ClaimQuerySet(models.QuerySet["Claim"]):
    """Claims, and who may see them."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Claims of the members whose services the viewer sees: never those of a pay-only delegate.

        The household, which every such member belongs to, lets a list walk its index in the order that is shown.
        """
        scope = scope_of(viewer)
        return self.filter(member_id__in=scope.clinical_ids, household_id__in=scope.household_ids)


class Claim(models.Model):
    """One adjudicated claim (explanation of benefits), US cents: billed, allowed, paid, and left to the member."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Processed")
        OPEN = "open", _("Not decided yet")
        REPLACED = "replaced", _("Replaced by a corrected claim")
        CANCELED = "canceled", _("Canceled")

    number = models.CharField(max_length=60, db_index=True)
    member = models.ForeignKey(Member, models.PROTECT, related_name="claims", db_index=False)
    household = models.ForeignKey(Household, models.PROTECT, related_name="claims", db_index=False)
    bill = models.ForeignKey(Bill, models.PROTECT, null=True, blank=True, related_name="claims")
    kind = models.CharField(max_length=20)  # professional, institutional, pharmacy, oral, vision
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.ACTIVE)
    provider_name = models.CharField(max_length=200, blank=True)
    service_on = models.DateField()
    service_end_on = models.DateField(null=True, blank=True)
    processed_on = models.DateField(null=True, blank=True)
    billed_cents = models.BigIntegerField(default=0)
    allowed_cents = models.BigIntegerField(default=0)
    discount_cents = models.BigIntegerField(default=0)
    plan_paid_cents = models.BigIntegerField(default=0)
    other_paid_cents = models.BigIntegerField(default=0)
    deductible_cents = models.BigIntegerField(default=0)
    copay_cents = models.BigIntegerField(default=0)
    coinsurance_cents = models.BigIntegerField(default=0)
    not_covered_cents = models.BigIntegerField(default=0)
    member_owes_cents = models.BigIntegerField(default=0)
    remark_codes = models.CharField(
        max_length=200, blank=True, db_default=""
    )  # of the 835, blanks between: N781 OA-209
    replaces = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="replaced_by")
    source = models.CharField(max_length=100)
    source_id = models.CharField(max_length=200)
    source_version = models.CharField(max_length=64)  # a digest of what was imported: unchanged records are passed over
    source_updated_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="bills_claim_source_once", fields=["source", "source_id"])]
        indexes = [
            models.Index(name="bills_claim_member_service", fields=["member", "-service_on", "-id"]),
            models.Index(name="bills_claim_household_service", fields=["household", "-service_on", "-id"]),
            models.Index(name="bills_claim_open", fields=["id"], condition=models.Q(status="open")),
        ]

    def __str__(self) -> str:
        return self.number


class ClaimLine(models.Model):
    """One service of a claim, US cents."""

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=300)
    service_on = models.DateField(null=True, blank=True)
    billed_cents = models.BigIntegerField(default=0)
    allowed_cents = models.BigIntegerField(default=0)
    discount_cents = models.BigIntegerField(default=0)
    plan_paid_cents = models.BigIntegerField(default=0)
    other_paid_cents = models.BigIntegerField(default=0)
    deductible_cents = models.BigIntegerField(default=0)
    copay_cents = models.BigIntegerField(default=0)
    coinsurance_cents = models.BigIntegerField(default=0)
    not_covered_cents = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(name="bills_claimline_position_once", fields=["claim", "position"])]

    def __str__(self) -> str:
        return f"line {self.position} of claim {self.claim_id}"

    @property
    def owed_cents(self) -> int:
        """What of the service is left to the member, US cents."""
        return self.deductible_cents + self.copay_cents + self.coinsurance_cents + self.not_covered_cents


class AccumulatorQuerySet(models.QuerySet["Accumulator"]):
    """What counts towards the year's limits, and who may see it."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Those of the members whose services the viewer sees."""
        return self.filter(member_id__in=scope_of(viewer).clinical_ids)


class Accumulator(models.Model):
    """What a member's active claims of a plan year sum to, US cents, towards the deductible and the yearly limit.

    Kept by the importers in the transaction that writes the claims; `check_ledger` recomputes it.
    """

    member = models.ForeignKey(Member, models.PROTECT, related_name="accumulators")
    year = models.PositiveSmallIntegerField()
    deductible_cents = models.BigIntegerField(default=0)
    out_of_pocket_cents = models.BigIntegerField(default=0)

    objects = AccumulatorQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="bills_accumulator_once", fields=["member", "year"])]

    def __str__(self) -> str:
        return f"{self.year} of member {self.member_id}"
