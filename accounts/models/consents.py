"""From which age somebody may consent to a sensitive service themself: rules by state and kind, data with dates."""

from typing import Self

from django.db import models
from django.db.models import Q

from accounts.visibility import Viewer


class Sensitive(models.TextChoices):
    """The sensitive services of Cal. Civ. Code 56.05, and what a source marks as restricted without saying why."""

    MENTAL = "mental_health", "Mental and behavioral health"
    SUBSTANCE = "substance_use", "Substance use"
    REPRODUCTIVE = "reproductive", "Sexual and reproductive health"
    INFECTION = "sti", "Sexually transmitted infections"
    GENDER = "gender_affirming", "Gender-affirming care"
    VIOLENCE = "violence", "Sexual assault and intimate partner violence"
    RESTRICTED = "restricted", "Restricted for another reason"


class ConsentRuleQuerySet(models.QuerySet["ConsentRule"]):
    """The rules."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Everybody's: they are the law's and the plan's, and tell of nobody."""
        return self


class ConsentRule(models.Model):
    """The age for one kind of service, or (empty) for every kind without a rule of its own, in a state or anywhere.

    Age 0 is a law that names none. A rule is never edited: a new one with its own first day takes its place.
    """

    state = models.CharField(max_length=2, blank=True)
    kind = models.CharField(max_length=16, choices=Sensitive.choices, blank=True)
    from_age = models.PositiveSmallIntegerField()
    effective_from = models.DateField()
    source = models.CharField(max_length=200)

    objects = ConsentRuleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="accounts_consentrule_once", fields=["state", "kind", "effective_from"]),
            models.CheckConstraint(name="accounts_consentrule_of_minors", condition=Q(from_age__lte=18)),
        ]

    def __str__(self) -> str:
        return f"{self.state or 'anywhere'}: {self.kind or 'any service'} from {self.from_age}"
