"""Rules as data with dates: poverty guidelines, policies and their bands, charitable coverage. US cents a year.

What was decided stores the rows it was decided by, so that a rule that changes tomorrow changes nothing of yesterday.
A rule is not edited once it has been used: its end is set, and another row begins.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class PovertyGuideline(models.Model):
    """The federal poverty guideline of a year for one region: so much for one person, so much for each more (HHS)."""

    class Region(models.TextChoices):
        CONTIGUOUS = "48", _("48 states and D.C.")
        ALASKA = "AK", _("Alaska")
        HAWAII = "HI", _("Hawaii")

    year = models.PositiveSmallIntegerField()
    region = models.CharField(max_length=2, choices=Region.choices)
    version = models.CharField(max_length=20)  # of the table: the notice in the Federal Register
    first_cents = models.BigIntegerField()
    each_more_cents = models.BigIntegerField()
    effective_from = models.DateField()
    effective_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="assistance_guideline_once", fields=["year", "region", "version"]),
            models.CheckConstraint(
                name="assistance_guideline_positive", condition=Q(first_cents__gt=0, each_more_cents__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.region}"

    def cents_for(self, size: int) -> int:
        """The guideline of a household of so many people, US cents a year."""
        if size < 1:
            raise ValueError("a household has at least one person")
        return self.first_cents + (size - 1) * self.each_more_cents


class AssistancePolicy(models.Model):
    """What helps in one state, from when to when; the row without a state is for every other (RULES 1.2, 1.3)."""

    name = models.CharField(max_length=80)
    state = models.CharField(max_length=2, blank=True)
    effective_from = models.DateField()
    effective_to = models.DateField(null=True, blank=True)
    notification_days = models.PositiveSmallIntegerField(default=120)  # no collection before, 26 CFR 1.501(r)-6
    application_days = models.PositiveSmallIntegerField(default=240)  # from the first statement
    takes_any_time = models.BooleanField(default=False)  # CA AB 2297: an open bill may be applied for at any time
    decision_business_days = models.PositiveSmallIntegerField(default=30)
    award_months = models.PositiveSmallIntegerField(default=12)
    expense_pct = models.PositiveSmallIntegerField(default=10)  # of income, high medical expense
    expense_months = models.PositiveSmallIntegerField(default=12)
    expense_award_pct = models.PositiveSmallIntegerField(default=50)
    refund_floor_cents = models.PositiveIntegerField(default=500)  # less than this is not given back
    refund_interest_basis_points = models.PositiveIntegerField(default=0)  # a year; off until counsel has confirmed it
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "assistance policies"
        constraints = [
            models.UniqueConstraint(name="assistance_policy_once", fields=["state", "effective_from"]),
            models.CheckConstraint(
                name="assistance_policy_ends_after_start",
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=F("effective_from")),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PolicyBand(models.Model):
    """Up to this percentage of the guideline, itself included, so much of the patient's share is taken off."""

    policy = models.ForeignKey(AssistancePolicy, models.PROTECT, related_name="bands")
    up_to_pct = models.PositiveSmallIntegerField()
    award_pct = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["policy", "up_to_pct"]
        constraints = [
            models.UniqueConstraint(name="assistance_band_once", fields=["policy", "up_to_pct"]),
            models.CheckConstraint(
                name="assistance_band_award_percent", condition=Q(award_pct__gte=1, award_pct__lte=100)
            ),
        ]

    def __str__(self) -> str:
        return f"up to {self.up_to_pct} %: {self.award_pct} %"


class ExcludedService(models.Model):
    """A word by which a line of a bill is known to be for what no policy covers (elective, optical, hearing aids)."""

    word = models.CharField(max_length=40, unique=True)
    why = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.word


class CharitableRule(models.Model):
    """Who may have charitable coverage in a state: ages and incomes; for how many years where that ends."""

    state = models.CharField(max_length=2)
    effective_from = models.DateField()
    effective_to = models.DateField(null=True, blank=True)
    from_age = models.PositiveSmallIntegerField(default=0)
    to_age = models.PositiveSmallIntegerField(default=130)  # itself included
    over_pct = models.PositiveSmallIntegerField(default=0)  # itself excluded
    up_to_pct = models.PositiveSmallIntegerField()  # itself included
    premium_pct = models.PositiveSmallIntegerField(default=100)  # of what the member would pay
    years_at_most = models.PositiveSmallIntegerField(null=True, blank=True)  # in a row, once in a life; empty: no end
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="assistance_charitable_once", fields=["state", "effective_from", "from_age"]),
            models.CheckConstraint(
                name="assistance_charitable_percent", condition=Q(premium_pct__gte=1, premium_pct__lte=100)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} from age {self.from_age}"
