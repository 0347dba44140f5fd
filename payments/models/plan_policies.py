"""The rules of payment plans as data: by state, with dates and versions. A rule is replaced by a later one, not edited.

What the law of a state asks for stands beside what the operator chose within it (RULES section 5).
"""

import datetime as dt
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing_portal.triggers import kept

FIXED = (
    "state", "version", "effective_on", "min_bill_cents", "min_installment_cents", "max_installments",
    "notice_after_days", "notice_days", "default_after_days", "pause_months", "income_cap_basis_points",
    "income_basis", "needs_text", "required_text", "source",
)  # fmt: skip


class PlanPolicyQuerySet(models.QuerySet["PlanPolicy"]):
    """Rules, and which hold where and when."""

    def in_force(self, state: str, *, on: dt.date) -> Self:
        """Those of a state and those of everywhere, on a day: the one that holds first."""
        return self.filter(state__in=["", state], effective_on__lte=on).order_by("-state", "-effective_on")


class PlanPolicy(models.Model):
    """What a plan may be in one state, or everywhere else (`state` empty), from a day until the next rule's day."""

    class IncomeBasis(models.TextChoices):
        NONE = "", _("No cap")
        GROSS = "gross", _("gross monthly income")
        ADJUSTED = "adjusted", _("adjusted gross household income, a month")
        AFTER_EXPENSES = "after_expenses", _("monthly family income after essential living expenses")

    state = models.CharField(max_length=2, blank=True)
    version = models.CharField(max_length=20, unique=True)
    effective_on = models.DateField()
    min_bill_cents = models.BigIntegerField()  # the least that a plan is made for
    min_installment_cents = models.BigIntegerField()  # no instalment is less, but the last
    max_installments = models.PositiveSmallIntegerField()
    notice_after_days = models.PositiveSmallIntegerField()  # of a missed instalment: then notice of default is given
    notice_days = models.PositiveSmallIntegerField()  # at least so long after that notice
    default_after_days = models.PositiveSmallIntegerField()  # and at least so long after the instalment was missed
    pause_months = models.PositiveSmallIntegerField()  # the longest pause for hardship, once
    income_cap_basis_points = models.PositiveSmallIntegerField(null=True, blank=True)  # 500: 5 % of the income a month
    income_basis = models.CharField(max_length=14, choices=IncomeBasis.choices, blank=True)
    needs_text = models.BooleanField(default=False)
    required_text = models.TextField(blank=True)  # verbatim in every agreement, in the words of the law
    source = models.CharField(max_length=300)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PlanPolicyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "plan policies"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(name="payments_planpolicy_one_a_day", fields=["state", "effective_on"]),
            models.CheckConstraint(
                name="payments_planpolicy_text_where_needed", condition=Q(needs_text=False) | ~Q(required_text="")
            ),
            # Civ. Code 1785.27: a contract that creates medical debt without the text is void.
            models.CheckConstraint(
                name="payments_planpolicy_california_has_text", condition=~Q(state="CA") | Q(needs_text=True)
            ),
            models.CheckConstraint(
                name="payments_planpolicy_bounds",
                condition=Q(
                    min_bill_cents__gte=100, min_installment_cents__gte=50, max_installments__gte=2,
                    max_installments__lte=120, pause_months__lte=12, notice_days__gte=10,
                    default_after_days__gte=F("notice_after_days") + F("notice_days"),
                ),
            ),
            # H&S 127425: a plan is inoperative only after 90 days of missed payments, and after notice.
            models.CheckConstraint(
                name="payments_planpolicy_california_90_days", condition=~Q(state="CA") | Q(default_after_days__gte=90)
            ),
            models.CheckConstraint(
                name="payments_planpolicy_cap_whole",
                condition=Q(income_cap_basis_points__isnull=True, income_basis="")
                | Q(
                    income_cap_basis_points__isnull=False,  # a comparison with NULL would pass
                    income_cap_basis_points__gte=1, income_cap_basis_points__lte=10_000,
                ) & ~Q(income_basis=""),
            ),
        ]  # fmt: skip
        triggers: ClassVar = kept(
            *FIXED, because="a rule of payment plans is replaced, and neither changed nor deleted",
            names=("rule_stays", "rule_is_kept"),
        )  # fmt: skip

    def __str__(self) -> str:
        return self.version
