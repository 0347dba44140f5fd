"""Plans and what covers whom."""

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Household, Member
from accounts.visibility import Viewer, scope_of


class Plan(models.Model):
    """A health plan product, with its year's limits in US cents."""

    name = models.CharField(max_length=200)
    year = models.PositiveSmallIntegerField()
    deductible_individual_cents = models.BigIntegerField(default=0)
    deductible_family_cents = models.BigIntegerField(default=0)
    out_of_pocket_individual_cents = models.BigIntegerField(default=0)
    out_of_pocket_family_cents = models.BigIntegerField(default=0)
    source = models.CharField(max_length=100, blank=True)
    source_id = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="accounts_plan_once", fields=["name", "year"])]

    def __str__(self) -> str:
        return f"{self.name} {self.year}"


class CoverageQuerySet(models.QuerySet["Coverage"]):
    """Coverages, who may see them, and when they are in force."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Coverages whose subscriber the viewer sees: with what they cost."""
        return self.filter(subscriber_id__in=scope_of(viewer).member_ids)

    def covering(self, viewer: Viewer) -> Self:
        """Coverages of members whose services the viewer sees: what they cover, not what they cost."""
        return self.filter(members__in=scope_of(viewer).clinical_ids).distinct()

    def in_force(self, first: dt.date, last: dt.date) -> Self:
        """Those in force on at least one day from `first` to `last`, both included."""
        return self.filter(Q(end_on__isnull=True) | Q(end_on__gte=first), start_on__lte=last)


class Coverage(models.Model):
    """What covers which members, from when to when (both days included), and what it costs a month in US cents."""

    class Kind(models.TextChoices):
        INDIVIDUAL = "individual", _("Individual")
        FAMILY = "family", _("Family")
        MEDICARE_ADVANTAGE = "medicare_advantage", _("Medicare Advantage")
        MEDICARE_PART_D = "medicare_part_d", _("Medicare Part D")
        MEDIGAP = "medigap", _("Medigap")
        COBRA = "cobra", _("COBRA")
        CHARITABLE = "charitable", _("Charitable")

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="coverages")
    kind = models.CharField(max_length=18, choices=Kind.choices)
    household = models.ForeignKey(Household, models.PROTECT, related_name="coverages")
    subscriber = models.ForeignKey(Member, models.PROTECT, related_name="subscribed_coverages")
    members = models.ManyToManyField(Member, related_name="coverages")
    start_on = models.DateField()
    end_on = models.DateField(null=True, blank=True)
    premium_cents = models.BigIntegerField(default=0)
    subsidy_cents = models.BigIntegerField(default=0)
    subsidy_ends_on = models.DateField(null=True, blank=True)
    charitable_cents = models.BigIntegerField(default=0)
    charitable_starts_on = models.DateField(null=True, blank=True)  # what months before it were given stands as it is
    charitable_ends_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=100, blank=True)
    source_id = models.CharField(max_length=200, blank=True)

    objects = CoverageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="accounts_coverage_ends_after_start",
                condition=Q(end_on__isnull=True) | Q(end_on__gte=F("start_on")),
            ),
            models.CheckConstraint(
                name="accounts_coverage_amounts_not_negative",
                condition=Q(premium_cents__gte=0, subsidy_cents__gte=0, charitable_cents__gte=0),
            ),
            models.CheckConstraint(
                name="accounts_coverage_subsidies_within_premium",
                condition=Q(premium_cents__gte=F("subsidy_cents") + F("charitable_cents")),
            ),
            models.UniqueConstraint(
                name="accounts_coverage_source_once", fields=["source", "source_id"], condition=~Q(source_id="")
            ),
        ]
        indexes = [models.Index(name="accounts_coverage_span", fields=["start_on", "end_on"])]

    def __str__(self) -> str:
        return f"coverage {self.pk}"
