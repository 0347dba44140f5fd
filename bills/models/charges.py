"""What is charged for paying late: terms by state and day, never above the law's cap; each charge and why."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.visibility import Viewer, scope_of
from bills.models.bills import Bill


class ChargeRuleQuerySet(models.QuerySet["ChargeRule"]):
    """The terms, which are nobody's."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Everybody's: they are printed on the bills that they are for."""
        return self


class ChargeRule(models.Model):
    """A state's terms from a day on: what the plan charges (0 unless staff say otherwise), and the most that it may.

    Interest in basis points a year (300: 3 percent), fees in US cents. A state without a row has no charges. A row is
    never edited: new terms are a row more. No foreign keys: it is of no member.
    """

    state = models.CharField(max_length=2)
    effective_from = models.DateField()
    rate_bp = models.PositiveIntegerField(default=0)
    late_fee_cents = models.PositiveIntegerField(default=0)
    cap_rate_bp = models.PositiveIntegerField()
    cap_late_fee_cents = models.PositiveIntegerField()
    after_days = models.PositiveSmallIntegerField(default=0)  # past due before anything is charged
    source = models.CharField(max_length=200)

    objects = ChargeRuleQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(name="bills_chargerule_once", fields=["state", "effective_from"]),
            models.CheckConstraint(
                name="bills_chargerule_within_cap",
                condition=Q(rate_bp__lte=F("cap_rate_bp"), late_fee_cents__lte=F("cap_late_fee_cents")),
            ),
            models.CheckConstraint(
                name="bills_chargerule_caps_of_the_law",  # RULES section 5; a law that changes is a migration
                condition=(~Q(state="NY") | Q(cap_rate_bp__lte=200))
                & (~Q(state__in=["CO", "VA"]) | Q(cap_rate_bp__lte=300))
                & (~Q(state="VA") | Q(after_days__gte=90))
                & (~Q(state="WA") | Q(cap_rate_bp__lte=900))
                & (~Q(state="OR") | Q(cap_rate_bp__lte=500))
                & (~Q(state__in=["CA", "MD"]) | Q(cap_rate_bp=0, cap_late_fee_cents=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} from {self.effective_from}"


class FinanceChargeQuerySet(models.QuerySet["FinanceCharge"]):
    """Charges for paying late, and who may see them."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Those of the bills that the viewer sees."""
        return self.filter(bill__in=Bill.objects.visible_to(scope_of(viewer)).values("pk"))

    def standing(self) -> Self:
        """Those that are not waived."""
        return self.filter(waived_at__isnull=True)


class FinanceCharge(models.Model):
    """One charge of one bill: interest for one whole month that it was past due, or its one late fee. US cents."""

    class Kind(models.TextChoices):
        INTEREST = "interest", _("Interest")
        LATE_FEE = "late_fee", _("Late fee")

    bill = models.ForeignKey(Bill, models.PROTECT, related_name="finance_charges")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    month = models.DateField()  # the first day of the month that it is for
    rule = models.ForeignKey(ChargeRule, models.PROTECT, related_name="+")
    rate_bp = models.PositiveIntegerField(default=0)
    base_cents = models.BigIntegerField()  # what was past due
    amount_cents = models.BigIntegerField()
    charged_on = models.DateField()
    waived_at = models.DateTimeField(null=True, blank=True)
    waived_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    waived_reason = models.CharField(max_length=500, blank=True)

    objects = FinanceChargeQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(name="bills_financecharge_once_a_month", fields=["bill", "month", "kind"]),
            models.UniqueConstraint(
                name="bills_financecharge_one_late_fee", fields=["bill"], condition=Q(kind="late_fee")
            ),
            models.CheckConstraint(name="bills_financecharge_positive", condition=Q(amount_cents__gt=0)),
            models.CheckConstraint(  # a month is at most a twelfth of the year's rate
                name="bills_financecharge_within_rate",
                condition=Q(kind="late_fee") | Q(amount_cents__lte=F("base_cents") * F("rate_bp") / 120_000),
            ),
        ]

    def __str__(self) -> str:
        return f"finance charge {self.pk} of bill {self.bill_id}"

    @property
    def household_id(self) -> int:
        """Whose it is. The bill is at hand."""
        return self.bill.household_id
