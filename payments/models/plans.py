"""Payment plans: bills paid by instalments, free of interest, by an agreement that is kept word for word."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Household
from accounts.visibility import Viewer, scope_of
from billing_portal.triggers import kept, moves
from bills.models import Bill
from payments.models.methods import PaymentMethod
from payments.models.plan_policies import PlanPolicy

AGREED = (
    "plan", "text", "version", "policy_version", "language", "signature", "accepted_at", "address", "user_agent",
    "state", "total_cents", "required_text",
)  # fmt: skip


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


class PlanStatus(models.TextChoices):
    """Where an agreement stands."""

    ACTIVE = "active", _("Active")
    COMPLETED = "completed", _("Paid off")
    DEFAULTED = "defaulted", _("Ended, as instalments were missed")
    ENDED = "ended", _("Ended by you")


# A payment that came back opens a plan that it had paid off.
PLAN_MOVES = (
    (PlanStatus.ACTIVE, PlanStatus.COMPLETED), (PlanStatus.ACTIVE, PlanStatus.DEFAULTED),
    (PlanStatus.ACTIVE, PlanStatus.ENDED), (PlanStatus.COMPLETED, PlanStatus.ACTIVE),
)  # fmt: skip


class PaymentPlan(models.Model):
    """An agreement to pay medical bills by instalments. What is paid of it is what was paid of its bills."""

    Status = PlanStatus

    class Pause(models.TextChoices):
        NONE = "", _("Not paused")
        HARDSHIP = "hardship", _("Paused by you")
        ASSISTANCE = "assistance", _("Paused while your application for help is pending")
        REVIEW = "review", _("Paused while a bill is under review")

    number = models.CharField(max_length=14, unique=True)
    household = models.ForeignKey(Household, models.PROTECT, related_name="plans")
    policy = models.ForeignKey(PlanPolicy, models.PROTECT, related_name="plans")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="plans")
    status = models.CharField(max_length=9, choices=PlanStatus.choices, default=PlanStatus.ACTIVE)
    day_of_month = models.PositiveSmallIntegerField()  # 29 to 31: the last day of a month that lacks it
    # How the owner means to pay: a suggestion at the checkout, no leave to charge by itself (12 CFR 1005.10(e)).
    method = models.ForeignKey(PaymentMethod, models.PROTECT, null=True, blank=True, related_name="plans")
    paused_from = models.DateField(null=True, blank=True)
    paused_until = models.DateField(null=True, blank=True)  # of a pause that waits for something: looked at daily
    pause_reason = models.CharField(max_length=20, blank=True, choices=Pause.choices)
    hardship_used_at = models.DateTimeField(null=True, blank=True)  # once in the life of a plan
    paid_cents = models.BigIntegerField(default=0)  # as it was last seen, so that what came back is noticed
    reopened_on = models.DateField(null=True, blank=True)  # a payment came back: nothing was missed before this day
    missed_since = models.DateField(null=True, blank=True)
    noticed_on = models.DateField(null=True, blank=True)  # notice of default was given
    cured_on = models.DateField(null=True, blank=True)
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
            models.CheckConstraint(
                name="payments_plan_pause_has_reason",
                condition=Q(paused_from__isnull=True, pause_reason="")
                | Q(paused_from__isnull=False, pause_reason__in=("hardship", "assistance", "review")),
            ),
            models.CheckConstraint(
                name="payments_plan_default_after_notice",
                condition=~Q(status="defaulted") | Q(noticed_on__isnull=False, defaulted_at__isnull=False),
            ),
            models.CheckConstraint(
                name="payments_plan_ended_when",
                condition=Q(status="active", ended_at__isnull=True) | ~Q(status="active") & Q(ended_at__isnull=False),
            ),
        ]
        indexes = [models.Index(name="payments_plan_running", fields=["id"], condition=Q(status="active"))]
        triggers = [
            moves(PLAN_MOVES, name="plan_moves_as_allowed"),
        ]

    def __str__(self) -> str:
        return self.number


class PlanBillQuerySet(models.QuerySet["PlanBill"]):
    """Bills of plans."""

    def standing(self) -> Self:
        """Those that are still on their plan."""
        return self.filter(removed_at__isnull=True)


class PlanBill(models.Model):
    """A bill on a plan, and what was owed on it when it joined, US cents."""

    plan = models.ForeignKey(PaymentPlan, models.PROTECT, related_name="plan_bills")
    bill = models.ForeignKey(Bill, models.PROTECT, related_name="plan_bills")
    amount_cents = models.BigIntegerField()
    paid_before_cents = models.BigIntegerField(default=0)  # of it before it joined: that is not paid of the plan
    added_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    paid_here_cents = models.BigIntegerField(null=True, blank=True)  # while it was on the plan, once it is not

    objects = PlanBillQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="payments_planbill_amount_positive", condition=Q(amount_cents__gt=0)),
            models.CheckConstraint(
                name="payments_planbill_removed_whole",
                condition=Q(removed_at__isnull=True, paid_here_cents__isnull=True)
                | Q(removed_at__isnull=False, paid_here_cents__isnull=False, paid_here_cents__gte=0),
            ),
            models.UniqueConstraint(
                name="payments_planbill_one_plan_at_a_time", fields=["bill"], condition=Q(removed_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"bill {self.bill_id} on plan {self.plan_id}"


class InstallmentQuerySet(models.QuerySet["Installment"]):
    """Instalments."""

    def standing(self) -> Self:
        """As they were last spread, in order."""
        return self.filter(superseded_at__isnull=True).order_by("plan_id", "position")


class Installment(models.Model):
    """One instalment as it was last spread, US cents; a changed schedule supersedes the rows not yet due."""

    class Told(models.IntegerChoices):
        """What its owner was told of it last: each is told once, and none after a later one."""

        NOTHING = 0, _("nothing")
        SOON = 1, _("due soon")
        TODAY = 2, _("due today")
        MISSED = 3, _("missed")

    plan = models.ForeignKey(PaymentPlan, models.PROTECT, related_name="installments")
    position = models.PositiveSmallIntegerField()  # 0 is the down payment
    due_on = models.DateField()
    amount_cents = models.BigIntegerField()
    told = models.PositiveSmallIntegerField(choices=Told.choices, default=Told.NOTHING, db_default=Told.NOTHING)
    created_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(null=True, blank=True)

    objects = InstallmentQuerySet.as_manager()

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


class PlanAgreementQuerySet(models.QuerySet["PlanAgreement"]):
    """Agreements, and who may read them."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Those of the plans that the viewer sees."""
        return self.filter(plan__in=PaymentPlan.objects.visible_to(viewer).values("pk"))


class PlanAgreement(models.Model):
    """What was agreed to, word for word, with the credit box and the state's text; a change makes another one."""

    plan = models.ForeignKey(PaymentPlan, models.PROTECT, related_name="agreements")
    text = models.TextField()
    version = models.CharField(max_length=20)
    policy_version = models.CharField(max_length=20)
    state = models.CharField(max_length=2)
    required_text = models.TextField(blank=True)
    total_cents = models.BigIntegerField()
    language = models.CharField(max_length=5)
    signature = models.CharField(max_length=120)
    accepted_at = models.DateTimeField()
    address = models.GenericIPAddressField()
    user_agent = models.CharField(max_length=500)

    objects = PlanAgreementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="payments_agreement_signed", condition=~Q(signature="")),
            models.CheckConstraint(
                name="payments_agreement_has_its_text",
                condition=Q(required_text="") | Q(text__contains=F("required_text")),
            ),
            # Civ. Code 1785.27: without its text a contract that creates medical debt in California is void.
            models.CheckConstraint(
                name="payments_agreement_california",
                condition=~Q(state="CA") | Q(text__contains="Section 1785.27 of the Civil Code"),
            ),
        ]
        triggers = kept(*AGREED)

    def __str__(self) -> str:
        return f"agreement {self.pk}"
