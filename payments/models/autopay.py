"""Autopay: what a member let us charge by itself, and each charge that comes of it."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Coverage, Household, Member
from accounts.visibility import Viewer, scope_of
from billing_portal.triggers import kept, moves
from bills.models import Bill
from payments.models.methods import PaymentMethod
from payments.models.payment import Payment
from payments.models.plans import Installment, PaymentPlan, PlanBill

CONSENTED = ("enrollment", "text", "version", "language", "accepted_at", "address", "user_agent")


class AutopayEnrollmentQuerySet(models.QuerySet["AutopayEnrollment"]):
    """Enrolments, and whose they are."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own, and nobody else's."""
        return self.filter(user_id=scope_of(viewer).user_id)

    def in_force(self) -> Self:
        """Those that charge, or would again after a pause."""
        return self.exclude(status=AutopayEnrollment.Status.ENDED)


class AutopayEnrollment(models.Model):
    """A standing leave to charge: the premiums of one coverage, medical bills of chosen people, or one payment plan."""

    class Covers(models.TextChoices):
        PREMIUM = "premium", _("Premiums")
        MEDICAL = "medical", _("Medical bills")
        PLAN = "plan", _("A payment plan")

    class DayRule(models.TextChoices):
        ON_DUE = "on_due", _("On the due date")
        DAYS_BEFORE = "days_before", _("Some days before the due date")
        DAY_OF_MONTH = "day_of_month", _("On a day of the month")

    class Status(models.TextChoices):
        ACTIVE = "active", _("On")
        PAUSED = "paused", _("Paused")  # by the member, until paused_until
        SUSPENDED = "suspended", _("Stopped until you act")  # by us; suspended_code says why
        ENDED = "ended", _("Off")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="autopay")
    household = models.ForeignKey(Household, models.PROTECT, related_name="autopay")
    covers = models.CharField(max_length=7, choices=Covers.choices)
    coverage = models.ForeignKey(Coverage, models.PROTECT, null=True, blank=True, related_name="autopay")
    members = models.ManyToManyField(Member, blank=True, related_name="+")  # whose medical bills
    plan = models.ForeignKey(PaymentPlan, models.PROTECT, null=True, blank=True, related_name="autopay")
    method = models.ForeignKey(PaymentMethod, models.PROTECT, related_name="autopay")
    fallback = models.ForeignKey(PaymentMethod, models.PROTECT, null=True, blank=True, related_name="+")
    attestation = models.CharField(max_length=20, blank=True)  # a premium from an HSA: payments.eligibility
    day_rule = models.CharField(max_length=12, choices=DayRule.choices, default=DayRule.ON_DUE)
    days_before = models.PositiveSmallIntegerField(null=True, blank=True)
    day_of_month = models.PositiveSmallIntegerField(null=True, blank=True)
    limit_cents = models.BigIntegerField(null=True, blank=True)  # above it the member is asked instead of charged
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.ACTIVE)
    paused_until = models.DateField(null=True, blank=True)
    suspended_code = models.CharField(max_length=40, blank=True)
    imported_from = models.CharField(max_length=220, blank=True)  # the system and record that it was taken over from
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_code = models.CharField(max_length=40, blank=True)

    objects = AutopayEnrollmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="payments_autopay_of_one_thing",
                condition=Q(covers="premium", coverage__isnull=False, plan__isnull=True)
                | Q(covers="medical", coverage__isnull=True, plan__isnull=True)
                | Q(covers="plan", coverage__isnull=True, plan__isnull=False),
            ),
            models.CheckConstraint(
                name="payments_autopay_day",
                condition=Q(day_rule="on_due")
                | Q(day_rule="days_before", days_before__gte=1, days_before__lte=20)
                | Q(day_rule="day_of_month", day_of_month__gte=1, day_of_month__lte=31),
            ),
            models.CheckConstraint(
                name="payments_autopay_limit_positive", condition=Q(limit_cents__isnull=True) | Q(limit_cents__gt=0)
            ),
            models.UniqueConstraint(
                name="payments_autopay_one_a_coverage",
                fields=["coverage"],
                condition=Q(covers="premium") & ~Q(status="ended"),
            ),
            models.UniqueConstraint(
                name="payments_autopay_one_a_plan", fields=["plan"], condition=Q(covers="plan") & ~Q(status="ended")
            ),
            models.UniqueConstraint(
                name="payments_autopay_one_medical_a_user",
                fields=["user"],
                condition=Q(covers="medical") & ~Q(status="ended"),
            ),
        ]

    def __str__(self) -> str:
        return f"autopay {self.pk}"


class AutopayConsent(models.Model):
    """What was agreed to, word for word: at enrolment, and again at each change that needs it."""

    enrollment = models.ForeignKey(AutopayEnrollment, models.PROTECT, related_name="consents")
    text = models.TextField()
    version = models.CharField(max_length=20)
    language = models.CharField(max_length=5)
    accepted_at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True, blank=True)  # unknown of what was agreed to elsewhere
    user_agent = models.CharField(max_length=500)

    class Meta:
        triggers = kept(*CONSENTED)

    def __str__(self) -> str:
        return f"consent {self.pk}"


APPROVED = "approved"  # the code of a charge above the limit that its member said yes to: it is not asked about again


class ChargeStatus(models.TextChoices):
    """Where one charge stands."""

    ANNOUNCED = "announced", _("Announced")
    ASKED = "asked", _("Waiting for you")  # above the limit: the member says yes, or pays by hand
    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Sent")  # its payment says the rest
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    SKIPPED = "skipped", _("Skipped by you")
    NOT_NEEDED = "not_needed", _("Not needed")  # paid meanwhile, void, on hold: code says which


S = ChargeStatus
CHARGE_MOVES = (
    (S.ANNOUNCED, S.QUEUED), (S.ANNOUNCED, S.ASKED), (S.ANNOUNCED, S.SKIPPED), (S.ANNOUNCED, S.NOT_NEEDED),
    (S.ASKED, S.ANNOUNCED), (S.ASKED, S.SKIPPED), (S.ASKED, S.NOT_NEEDED), (S.SKIPPED, S.ANNOUNCED),
    (S.QUEUED, S.SENT), (S.QUEUED, S.FAILED), (S.QUEUED, S.NOT_NEEDED), (S.QUEUED, S.ANNOUNCED),
    (S.QUEUED, S.SKIPPED), (S.SENT, S.DONE), (S.SENT, S.FAILED), (S.FAILED, S.DONE), (S.DONE, S.FAILED),
)  # fmt: skip


class AutopayChargeQuerySet(models.QuerySet["AutopayCharge"]):
    """Charges, and whose they are."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Of the viewer's own autopay, those of bills that the viewer still sees, and of instalments."""
        scope = scope_of(viewer)
        seen = Q(installment__isnull=False) | Q(bill__in=Bill.objects.visible_to(scope).values("pk"))
        return self.filter(seen, enrollment__user_id=scope.user_id)

    def waiting(self) -> Self:
        """Those that are still to come: announced, or waiting for the member's yes."""
        return self.filter(status__in=(S.ANNOUNCED, S.ASKED))

    def on_course(self) -> Self:
        """Without those to come that wait: for a method, or while their bill is held or their plan paused."""
        held = PlanBill.objects.standing().filter(
            plan_id=OuterRef("installment__plan_id"), bill__held_since__isnull=False
        )
        still = (
            Q(enrollment__status=AutopayEnrollment.Status.SUSPENDED)
            | Q(bill__held_since__isnull=False) | Q(installment__plan__paused_from__isnull=False) | Exists(held)
        )  # fmt: skip
        return self.exclude(still, status__in=(S.ANNOUNCED, S.ASKED))


class AutopayCharge(models.Model):
    """One charge of one bill or instalment: announced ahead, queued on its day, taken by one worker, sent once.

    Each (bill, cycle, attempt) and each (instalment, cycle, attempt) stands once, whatever fires twice. A cycle is a
    time that the thing fell due: a bill that was returned after it was paid begins the next.
    """

    Status = ChargeStatus

    enrollment = models.ForeignKey(AutopayEnrollment, models.PROTECT, related_name="charges")
    household = models.ForeignKey(Household, models.PROTECT, related_name="+", db_index=False)
    bill = models.ForeignKey(
        Bill, models.PROTECT, null=True, blank=True, related_name="autopay_charges", db_index=False
    )
    installment = models.ForeignKey(
        Installment, models.PROTECT, null=True, blank=True, related_name="autopay_charges", db_index=False
    )
    cycle = models.PositiveSmallIntegerField(default=1)
    attempt = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=10, choices=ChargeStatus.choices, default=ChargeStatus.ANNOUNCED)
    amount_cents = models.BigIntegerField()  # as announced; what is sent is never more
    due_on = models.DateField()
    charge_on = models.DateField()
    method = models.ForeignKey(PaymentMethod, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    announced_at = models.DateTimeField(auto_now_add=True)
    queued_at = models.DateTimeField(null=True, blank=True)
    payment = models.OneToOneField(Payment, models.PROTECT, null=True, blank=True, related_name="autopay_charge")
    code = models.CharField(max_length=60, blank=True)

    objects = AutopayChargeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="payments_autopaycharge_amount_positive", condition=Q(amount_cents__gt=0)),
            models.CheckConstraint(
                name="payments_autopaycharge_of_one_thing",
                condition=Q(bill__isnull=False, installment__isnull=True)
                | Q(bill__isnull=True, installment__isnull=False),
            ),
            models.UniqueConstraint(
                name="payments_autopaycharge_bill_once",
                fields=["bill", "cycle", "attempt"],
                condition=Q(bill__isnull=False),
            ),
            models.UniqueConstraint(
                name="payments_autopaycharge_part_once",
                fields=["installment", "cycle", "attempt"],
                condition=Q(installment__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="payments_autopaycharge_due", fields=["charge_on"], condition=Q(status="announced")),
            models.Index(name="payments_autopaycharge_queue", fields=["id"], condition=Q(status="queued")),
            models.Index(name="payments_autopaycharge_day", fields=["charge_on"]),  # the staff's page of a day's run
            # Which methods were declined for good: autopay never asks for them again.
            models.Index(name="payments_autopaycharge_failed", fields=["method"], condition=Q(status="failed")),
        ]
        triggers = [
            moves(CHARGE_MOVES, name="charge_moves_as_allowed"),
        ]

    def __str__(self) -> str:
        return f"autopay charge {self.pk}"
