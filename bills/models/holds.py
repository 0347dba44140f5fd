"""Why a bill waits: while a hold stands nothing charges it, chases it or adds to it; it is paid only on purpose."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bills.models.bills import Bill


class HoldQuerySet(models.QuerySet["Hold"]):
    """Holds, and which stand."""

    def standing(self) -> Self:
        """Those that have not ended."""
        return self.filter(ended_at__isnull=True)


class Hold(models.Model):
    """One cause for which a bill waits. `reference` names what it came of (`inquiry:12`): each holds a bill once."""

    class Cause(models.TextChoices):
        REVIEW = "review", _("We are looking at it")
        CLAIM_OPEN = "claim_open", _("Its claim is not decided yet")
        DISPUTE = "dispute", _("You said that it is wrong")
        ESTIMATE = "estimate", _("It is above its good-faith estimate")
        QUESTION = "question", _("You asked us about it")
        ASSISTANCE = "assistance", _("Your application for help is pending")
        APPEAL = "appeal", _("Your appeal is pending")
        BANKRUPTCY = "bankruptcy", _("A court decides about it")
        DECEASED = "deceased", _("We are settling an estate")

    bill = models.ForeignKey(Bill, models.PROTECT, related_name="holds")
    cause = models.CharField(max_length=10, choices=Cause.choices)
    reference = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    began_at = models.DateTimeField()
    began_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    objects = HoldQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                name="bills_hold_once", fields=["bill", "cause", "reference"], condition=Q(ended_at__isnull=True)
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(name="bills_hold_reference", fields=["reference"], condition=Q(ended_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"hold {self.pk} of bill {self.bill_id}"
