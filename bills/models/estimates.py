"""Good-faith estimates: what a provider said beforehand that it would charge (45 CFR 149.610)."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from accounts.models import Household, Member
from accounts.visibility import Viewer, scope_of
from bills.models.bills import Bill


class EstimateQuerySet(models.QuerySet["Estimate"]):
    """Estimates, and who may see them."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Those of the members whose services the viewer sees."""
        return self.filter(member_id__in=scope_of(viewer).clinical_ids)


class Estimate(models.Model):
    """What one provider of a good-faith estimate said it would charge, US cents; a row for each of its providers."""

    number = models.CharField(max_length=60)
    member = models.ForeignKey(Member, models.PROTECT, related_name="estimates")
    household = models.ForeignKey(Household, models.PROTECT, related_name="+")
    provider_name = models.CharField(max_length=200)
    service_on = models.DateField()
    issued_on = models.DateField()
    amount_cents = models.BigIntegerField()
    bills = models.ManyToManyField(Bill, related_name="estimates", blank=True)
    source = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EstimateQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="bills_estimate_amount_positive", condition=Q(amount_cents__gt=0)),
            models.UniqueConstraint(
                name="bills_estimate_once_a_provider", fields=["source", "number", "provider_name"]
            ),
        ]

    def __str__(self) -> str:
        return self.number
