"""What a member asks for: an application, its sources of income with a proof each, and how it was decided."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Household, Member, Upload
from accounts.visibility import Viewer, scope_of
from assistance.models.rules import AssistancePolicy, PovertyGuideline
from assistance.states import ALLOWED, OPEN, PENDING, ApplicationStatus
from billing_portal.triggers import moves


class ApplicationQuerySet(models.QuerySet["Application"]):
    """Applications, who may see them, and which wait."""

    def visible_to(self, viewer: Viewer) -> Self:
        """One's own: what a person earns is nobody else's business in the household."""
        return self.filter(applicant_id=scope_of(viewer).user_id)

    def pending(self) -> Self:
        """Those for whose sake bills wait."""
        return self.filter(status__in=PENDING)

    def open(self) -> Self:
        """Those that are neither decided for good nor withdrawn."""
        return self.filter(status__in=OPEN)


class Application(models.Model):
    """An application for financial assistance, for charitable coverage, or for both: one form feeds both."""

    number = models.CharField(max_length=9, unique=True)
    household = models.ForeignKey(Household, models.PROTECT, related_name="applications")
    applicant = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="applications")
    members = models.ManyToManyField(Member, related_name="applications")
    status = models.CharField(max_length=9, choices=ApplicationStatus.choices, default=ApplicationStatus.DRAFT)
    wants_assistance = models.BooleanField(default=True)
    wants_charitable = models.BooleanField(default=False)
    state = models.CharField(max_length=2)
    household_size = models.PositiveSmallIntegerField(default=1)
    expense_cents = models.BigIntegerField(default=0)  # medical, paid by oneself in the policy's months, no premiums
    signature = models.CharField(max_length=120, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    language = models.CharField(max_length=5, default="en")
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    complete_at = models.DateTimeField(null=True, blank=True)  # the decision's clock runs from here
    decide_by = models.DateField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True)  # of a denial, as the applicant reads it
    appeal = models.TextField(max_length=2000, blank=True)
    appealed_at = models.DateTimeField(null=True, blank=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                name="assistance_application_one_open", fields=["applicant"], condition=Q(status__in=OPEN)
            ),
            models.CheckConstraint(
                name="assistance_application_signed",
                condition=Q(status__in=["draft", "withdrawn"]) | (Q(signed_at__isnull=False) & ~Q(signature="")),
            ),
            models.CheckConstraint(
                name="assistance_application_amounts", condition=Q(expense_cents__gte=0, household_size__gte=1)
            ),
            models.CheckConstraint(
                name="assistance_application_denial_says_why", condition=~Q(status="denied") | ~Q(reason="")
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(name="assistance_pending", fields=["decide_by"], condition=Q(status__in=PENDING)),
        ]
        triggers: ClassVar = [moves(ALLOWED)]

    def __str__(self) -> str:
        return self.number

    @property
    def reference(self) -> str:
        """What its holds are known by."""
        return f"application:{self.pk}"

    @property
    def is_draft(self) -> bool:
        """Whether it may still be written."""
        return self.status == ApplicationStatus.DRAFT

    @property
    def is_pending(self) -> bool:
        """Whether bills wait for it."""
        return self.status in PENDING


class IncomeSource(models.Model):
    """One source of a household's income before tax, US cents each time it comes, with one proof (RULES 1.2)."""

    class Kind(models.TextChoices):
        WAGES = "wages", _("Wages or salary")
        SELF = "self", _("Self-employment")
        BENEFITS = "benefits", _("Unemployment or disability benefits")
        RETIREMENT = "retirement", _("Social Security or pension")
        SUPPORT = "support", _("Child support or alimony")
        OTHER = "other", _("Other")

    class Period(models.IntegerChoices):
        WEEK = 52, _("a week")
        TWO_WEEKS = 26, _("every two weeks")
        HALF_MONTH = 24, _("twice a month")
        MONTH = 12, _("a month")
        YEAR = 1, _("a year")

    application = models.ForeignKey(Application, models.CASCADE, related_name="sources")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    amount_cents = models.BigIntegerField()
    times_a_year = models.PositiveSmallIntegerField(choices=Period.choices)
    upload = models.ForeignKey(Upload, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(name="assistance_income_positive", condition=Q(amount_cents__gt=0))]

    def __str__(self) -> str:
        return f"income {self.pk}"

    @property
    def yearly_cents(self) -> int:
        """What it brings a year."""
        return self.amount_cents * self.times_a_year


class MissingItem(models.Model):
    """One thing that an application lacks, in words that its applicant reads; answered with a file or in words."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="missing_items")
    text = models.CharField(max_length=500)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    upload = models.ForeignKey(Upload, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"missing item {self.pk}"


class Determination(models.Model):
    """How an application was decided, by which rows of the rules and on which figures: never changed."""

    class Basis(models.TextChoices):
        INCOME = "income", _("Household income")
        EXPENSE = "expense", _("High medical expense")
        NONE = "none", _("Income above the limit")

    application = models.ForeignKey(Application, models.PROTECT, related_name="determinations")
    guideline = models.ForeignKey(PovertyGuideline, models.PROTECT, related_name="+")
    guideline_year = models.PositiveSmallIntegerField()
    guideline_version = models.CharField(max_length=20)
    region = models.CharField(max_length=2)
    policy = models.ForeignKey(AssistancePolicy, models.PROTECT, related_name="+")
    household_size = models.PositiveSmallIntegerField()
    income_cents = models.BigIntegerField()
    expense_cents = models.BigIntegerField()
    guideline_cents = models.BigIntegerField()
    basis = models.CharField(max_length=7, choices=Basis.choices)
    award_pct = models.PositiveSmallIntegerField()  # 0: none
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"determination {self.pk}"
