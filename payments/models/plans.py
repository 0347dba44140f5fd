"""Payment plans: bills paid by instalments, free of interest, by an agreement that is kept word for word."""

from typing import Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Household
from accounts.visibility import Viewer, scope_of
from billing_portal.triggers import Trigger
from bills.models import Bill

AGREED = (
    "plan", "text", "version", "policy_version", "language", "signature", "accepted_at", "address", "user_agent",
    "state", "total_cents",
)  # fmt: skip
REFUSE = "RAISE EXCEPTION 'what was agreed to is neither changed nor deleted';"


class PaymentPlanQuerySet(models.QuerySet["PaymentPlan"]):
    """Plans, and who may see them."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own, and those of which every bill that was ever on them is seen."""
        scope = scope_of(viewer)
        hidden = PlanBill.objects.exclude(bill__in=Bill.objects.visible_to(scope).values("pk"))
        others = Q(household_id__in=scope.household_ids) & ~Q(pk__in=hidden.values("plan_id"))
        return self.filter(Q(owner_id=scope.user_id) | others)

    def owned_by(self, viewer: Viewer) -> Self:
        """The viewer's own: those that the viewer may change."""
        return self.filter(owner_id=scope_of(viewer).user_id)

    def running(self) -> Self:
        """Those by which something is still to be paid."""
        return self.filter(status=PaymentPlan.Status.ACTIVE)


class PaymentPlan(models.Model):
    """An agreement to pay medical bills by instalments. What is paid of it is what was paid of its bills."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        COMPLETED = "completed", _("Paid off")
        DEFAULTED = "defaulted", _("Ended, as instalments were missed")
        ENDED = "ended", _("Ended by you")

    number = models.CharField(max_length=14, unique=True)
    household = models.ForeignKey(Household, models.PROTECT, related_name="plans")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="plans")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.ACTIVE)
    day_of_month = models.PositiveSmallIntegerField()  # 29 to 31: the last day of a month that lacks it
    paused_from = models.DateField(null=True, blank=True)
    paused_until = models.DateField(null=True, blank=True)
    pause_reason = models.CharField(max_length=20, blank=True)  # hardship (once), assistance
    defaulted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_code = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PaymentPlanQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="payments_plan_day", condition=Q(day_of_month__gte=1, day_of_month__lte=31)),
            models.CheckConstraint(
                name="payments_plan_pause_whole",
                condition=Q(paused_from__isnull=True, paused_until__isnull=True)
                | Q(paused_from__isnull=False, paused_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class PlanBill(models.Model):
    """A bill on a plan, and what was owed on it when it joined, US cents."""

    plan = models.ForeignKey(PaymentPlan, models.PROTECT, related_name="plan_bills")
    bill = models.ForeignKey(Bill, models.PROTECT, related_name="plan_bills")
    amount_cents = models.BigIntegerField()
    added_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="payments_planbill_amount_positive", condition=Q(amount_cents__gt=0)),
            models.UniqueConstraint(
                name="payments_planbill_one_plan_at_a_time", fields=["bill"], condition=Q(removed_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"bill {self.bill_id} on plan {self.plan_id}"


class Installment(models.Model):
    """One instalment as it was last spread, US cents; a changed schedule supersedes the rows not yet due."""

    plan = models.ForeignKey(PaymentPlan, models.PROTECT, related_name="installments")
    position = models.PositiveSmallIntegerField()  # 0 is the down payment
    due_on = models.DateField()
    amount_cents = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="payments_installment_amount_positive", condition=Q(amount_cents__gt=0)),
            models.UniqueConstraint(
                name="payments_installment_once",
                fields=["plan", "position"],
                condition=Q(superseded_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(name="payments_installment_due", fields=["due_on"], condition=Q(superseded_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"instalment {self.position} of plan {self.plan_id}"


class PlanAgreement(models.Model):
    """What was agreed to, word for word, with the credit box and the state's text; a change makes another one."""

    plan = models.ForeignKey(PaymentPlan, models.PROTECT, related_name="agreements")
    text = models.TextField()
    version = models.CharField(max_length=20)
    policy_version = models.CharField(max_length=20)
    state = models.CharField(max_length=2)
    total_cents = models.BigIntegerField()
    language = models.CharField(max_length=5)
    signature = models.CharField(max_length=120)
    accepted_at = models.DateTimeField()
    address = models.GenericIPAddressField()
    user_agent = models.CharField(max_length=500)

    class Meta:
        triggers = [
            Trigger(
                name="words_stay",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.AnyChange(*AGREED),
                func=REFUSE,
            ),
            Trigger(name="is_kept", operation=pgtrigger.Delete, when=pgtrigger.Before, func=REFUSE),
        ]

    def __str__(self) -> str:
        return f"agreement {self.pk}"
