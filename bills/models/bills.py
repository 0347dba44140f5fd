"""What members owe: bills and their lines."""

from typing import Self

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

    def set_apart(self) -> Self:
        """Bills that wait or are on a payment plan, along the index of these few."""
        return self.filter(Q(held_since__isnull=False) | Q(on_plan_since__isnull=False))

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
    held_since = models.DateTimeField(null=True, blank=True)  # kept by bills.holds: the first hold that stands
    hold_reason = models.CharField(max_length=200, blank=True)
    on_plan_since = models.DateTimeField(null=True, blank=True)  # kept by payments.plans, under the bill's lock
    voided_at = models.DateTimeField(null=True, blank=True)
    shared_at = models.DateTimeField(null=True, blank=True)  # a confidential member lets the holder see and pay it
    # When it came to its person's private side with what had happened to it: others had seen it before.
    moved_aside_at = models.DateTimeField(null=True, blank=True)
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
            models.Index(
                name="bills_bill_member_service", fields=["member", "service_on"], condition=Q(kind="medical")
            ),
            models.Index(
                name="bills_bill_set_apart", fields=["household"],
                condition=Q(held_since__isnull=False) | Q(on_plan_since__isnull=False),
            ),
            BrinIndex(name="bills_bill_created", fields=["created_at"], autosummarize=True),  # for check_ledger
        ]  # fmt: skip

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
