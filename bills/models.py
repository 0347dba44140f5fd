"""What members owe and why: bills and their lines, claims and theirs, and what imports brought."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Coverage, Household, Member
from accounts.visibility import Viewer, scope_of
from ledger.models import Account


class BillQuerySet(models.QuerySet["Bill"]):
    """Bills, who may see them, and what is still owed."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Bills of the members the viewer sees, and those that a confidential member shared with the holder."""
        scope = scope_of(viewer)
        shared = Q(member_id__in=scope.confidential_ids, shared_at__isnull=False)
        return self.filter(
            Q(member_id__in=scope.member_ids) | shared, household_id__in=scope.household_ids
        ).select_related("receivable", "member", "household")

    def owed(self) -> Self:
        """Bills with a balance, the earliest due first, walking the ledger's index of what is open."""
        return self.filter(
            receivable__balance_cents__gt=0,
            receivable__matures_on__isnull=False,
            receivable__owner_id=F("household_id"),
        ).order_by("receivable__matures_on", "receivable_id")


class Bill(models.Model):
    """One amount that a member was asked to pay. Its balance is its receivable's; its state is derived (bills.states).

    `amount_cents` is what was charged when it was issued; later corrections are transfers, never an edit of it.
    """

    class Kind(models.TextChoices):
        MEDICAL = "medical", _("Medical bill")
        PREMIUM = "premium", _("Premium")

    number = models.CharField(max_length=9, unique=True)
    kind = models.CharField(max_length=7, choices=Kind.choices)
    household = models.ForeignKey(Household, models.PROTECT, related_name="bills", db_index=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="bills", db_index=False)
    issued_on = models.DateField()
    due_on = models.DateField()
    service_on = models.DateField(null=True, blank=True)
    title = models.CharField(max_length=200)
    provider_name = models.CharField(max_length=200, blank=True)
    amount_cents = models.BigIntegerField()
    receivable = models.OneToOneField(Account, models.PROTECT, related_name="bill")
    coverage = models.ForeignKey(Coverage, models.PROTECT, null=True, blank=True, related_name="bills")
    period = models.DateField(null=True, blank=True)  # the first day of the month a premium is for
    plan_eligible = models.BooleanField(default=True)
    held_since = models.DateTimeField(null=True, blank=True)
    hold_reason = models.CharField(max_length=200, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    shared_at = models.DateTimeField(null=True, blank=True)  # a confidential member lets the holder see and pay it
    source = models.CharField(max_length=100)
    source_id = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BillQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="bills_bill_amount_not_negative", condition=Q(amount_cents__gte=0)),
            models.CheckConstraint(
                name="bills_bill_premium_has_period",
                condition=Q(kind="medical") | Q(coverage__isnull=False, period__isnull=False),
            ),
            models.UniqueConstraint(name="bills_bill_source_once", fields=["source", "source_id"]),
            models.UniqueConstraint(
                name="bills_bill_one_premium_a_month", fields=["coverage", "period"], condition=Q(kind="premium")
            ),
        ]
        indexes = [
            models.Index(name="bills_bill_household_due", fields=["household", "-due_on", "-id"]),
            models.Index(name="bills_bill_member_due", fields=["member", "-due_on", "-id"]),
            BrinIndex(name="bills_bill_created", fields=["created_at"], autosummarize=True),  # for check_ledger
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def balance_cents(self) -> int:
        """What is owed on it now, in US cents: the balance of its receivable."""
        return self.receivable.balance_cents


class BillLine(models.Model):
    """One line of a bill, US cents. `amount_cents` is the member's share; the other columns say how it came about."""

    bill = models.ForeignKey(Bill, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=300)
    service_on = models.DateField(null=True, blank=True)
    charged_cents = models.BigIntegerField(default=0)
    discount_cents = models.BigIntegerField(default=0)
    plan_paid_cents = models.BigIntegerField(default=0)
    other_paid_cents = models.BigIntegerField(default=0)
    deductible_cents = models.BigIntegerField(default=0)
    copay_cents = models.BigIntegerField(default=0)
    coinsurance_cents = models.BigIntegerField(default=0)
    not_covered_cents = models.BigIntegerField(default=0)
    amount_cents = models.BigIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(name="bills_billline_position_once", fields=["bill", "position"])]

    def __str__(self) -> str:
        return f"line {self.position} of bill {self.bill_id}"


class ClaimQuerySet(models.QuerySet["Claim"]):
    """Claims, and who may see them."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Claims of the members whose services the viewer sees: never those of a pay-only delegate."""
        return self.filter(member_id__in=scope_of(viewer).clinical_ids)


class Claim(models.Model):
    """One adjudicated claim (explanation of benefits), US cents: billed, allowed, paid, and left to the member."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Processed")
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
    replaces = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="replaced_by")
    source = models.CharField(max_length=100)
    source_id = models.CharField(max_length=200)
    source_version = models.CharField(max_length=64)  # a digest of what was imported: unchanged records are passed over
    source_updated_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="bills_claim_source_once", fields=["source", "source_id"])]
        indexes = [models.Index(name="bills_claim_member_service", fields=["member", "-service_on", "-id"])]

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
