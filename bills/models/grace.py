"""How long a premium may be late: rules by product and state, data with dates; and every grace period that began."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Coverage
from accounts.visibility import Viewer, scope_of


class Product(models.TextChoices):
    """What the law's grace depends on: the kind of coverage, and who helps to pay it."""

    MARKETPLACE = "marketplace", _("Marketplace plan with a premium tax credit")
    INDIVIDUAL = "individual", _("Individual or family plan")
    MEDICARE_ADVANTAGE = "medicare_advantage", _("Medicare Advantage")
    MEDICARE_PART_D = "medicare_part_d", _("Medicare Part D")
    MEDIGAP = "medigap", _("Medigap")
    COBRA_FIRST = "cobra_first", _("COBRA, first payment")
    COBRA = "cobra", _("COBRA")
    CHARITABLE = "charitable", _("Charitable coverage")


class GraceRuleQuerySet(models.QuerySet["GraceRule"]):
    """The rules, and which hold on a day."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Everybody's: they are the law's and the plan's, and tell of nobody."""
        return self


class GraceRule(models.Model):
    """The grace of a product, in a state or (empty) wherever no rule of a state stands, on and after a day.

    A rule is never edited: a new one with its own first day takes its place. No foreign keys: it is of no member.
    """

    class Counts(models.TextChoices):
        DUE = "due", "from the due date"
        MONTH = "month", "from the first of the unpaid month"
        BILL = "bill", "from the first of the unpaid month, or of the month after the bill if later"
        NOTICE = "notice", "from the notice of the start of the grace period"
        START = "start", "from the start of the coverage"

    class Ends(models.TextChoices):
        FIRST_MONTH = "first_month", "on the last day of the first month of grace"
        PAID_THROUGH = "paid_through", "on the last day that is paid for"
        GRACE_END = "grace_end", "on the last day of grace"

    product = models.CharField(max_length=18, choices=Product.choices)
    state = models.CharField(max_length=2, blank=True)
    counts_from = models.CharField(max_length=6, choices=Counts.choices)
    months = models.PositiveSmallIntegerField(default=0)
    days = models.PositiveSmallIntegerField(default=0)
    cover_ends = models.CharField(max_length=12, choices=Ends.choices)
    claims_wait_from_month = models.PositiveSmallIntegerField(default=0)  # of the grace; 0: claims are paid throughout
    needs_all = models.BooleanField(default=False)  # only all that is due cures it, not its first month alone
    # What may be short of a month's premium without its being late: the lesser of the two; 0 where nothing may.
    shortfall_cents = models.BigIntegerField(default=0)
    shortfall_percent = models.PositiveSmallIntegerField(default=0)
    effective_from = models.DateField()
    source = models.CharField(max_length=200)

    objects = GraceRuleQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(name="bills_gracerule_once", fields=["product", "state", "effective_from"]),
            models.CheckConstraint(name="bills_gracerule_lasts", condition=Q(months__gt=0) | Q(days__gt=0)),
            # What no rule may undercut: 45 CFR 156.270(d), 42 CFR 422.74(d) and 423.44(d), 26 CFR 54.4980B-8, and in
            # California H&S 1365 with 28 CCR 1300.65.
            models.CheckConstraint(
                name="bills_gracerule_not_below_the_law",
                condition=(~Q(product="marketplace") | Q(months__gte=3, needs_all=True))
                & (~Q(product__startswith="medicare") | Q(months__gte=2))
                & (~Q(product="cobra") | Q(days__gte=30) | Q(months__gte=1))
                & (~Q(product="cobra_first") | Q(days__gte=45))
                & (~Q(product="individual", state="CA") | Q(days__gte=30, counts_from="notice")),
            ),
            models.CheckConstraint(
                name="bills_gracerule_shortfall_both",
                condition=Q(shortfall_cents=0, shortfall_percent=0)
                | Q(shortfall_cents__gt=0, shortfall_percent__range=(1, 10)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} {self.state or 'everywhere'} from {self.effective_from}"


class GracePeriodQuerySet(models.QuerySet["GracePeriod"]):
    """Grace periods, and who may see them."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Those of the coverages that the viewer sees."""
        return self.filter(coverage__subscriber_id__in=scope_of(viewer).member_ids)

    def open(self) -> Self:
        """Those that run."""
        return self.filter(status=GracePeriod.Status.OPEN)


class GracePeriod(models.Model):
    """One grace period of a coverage: which month was not paid, when the notice went out, and how it ended.

    Its days were worked out by the rule of its first day and stand. A month whose payment the bank takes back begins
    anew (`times`), with a notice and an end of its own. Amounts are US cents.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("In grace")
        CURED = "cured", _("Paid in time")
        ENDED = "ended", _("Coverage ended")

    coverage = models.ForeignKey(Coverage, models.PROTECT, related_name="grace_periods")
    period = models.DateField()  # the first day of the first month that is not paid
    rule = models.ForeignKey(GraceRule, models.PROTECT, related_name="+")
    status = models.CharField(max_length=5, choices=Status.choices, default=Status.OPEN)
    times = models.PositiveSmallIntegerField(default=1)
    began_on = models.DateField()
    noticed_on = models.DateField()  # the day of the notice of the start of grace
    ends_on = models.DateField()  # the last day to pay
    cover_ends_on = models.DateField()  # the last day of coverage if it is not paid
    claims_wait_from = models.DateField(null=True, blank=True)
    due_cents = models.BigIntegerField()  # what was to be paid when the notice was made
    warned_on = models.DateField(null=True, blank=True)
    closed_on = models.DateField(null=True, blank=True)

    objects = GracePeriodQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(name="bills_graceperiod_once", fields=["coverage", "period"]),
            models.UniqueConstraint(name="bills_graceperiod_one_open", fields=["coverage"], condition=Q(status="open")),
            models.CheckConstraint(
                name="bills_graceperiod_ends_after_notice", condition=Q(ends_on__gte=F("noticed_on"))
            ),
            models.CheckConstraint(
                name="bills_graceperiod_closed_has_day",
                condition=Q(status="open", closed_on__isnull=True) | (~Q(status="open") & Q(closed_on__isnull=False)),
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(name="bills_graceperiod_running", fields=["ends_on"], condition=Q(status="open"))
        ]

    def __str__(self) -> str:
        return f"grace {self.pk} of coverage {self.coverage_id}"
