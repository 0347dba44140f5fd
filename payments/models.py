"""Money on its way: methods, payments and what they are for, refunds, disputes, and the inbox of Stripe's events."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.aggregates import BoolAnd
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import ExpressionWrapper, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Household
from accounts.visibility import Viewer, scope_of
from billing_portal.triggers import FSM
from bills.models import Bill
from payments.states import ALLOWED, IN_FLIGHT, PaymentStatus


class PaymentMethodQuerySet(models.QuerySet["PaymentMethod"]):
    """Saved methods, and whose they are."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own, and nobody else's: a method is never offered to another member (FAULTS F11)."""
        return self.filter(user_id=scope_of(viewer).user_id)

    def usable(self) -> Self:
        """Those not removed."""
        return self.filter(removed_at__isnull=True)


class PaymentMethod(models.Model):
    """A card or bank account that a user chose to keep. The digits are with Stripe; here is only what names it."""

    class Kind(models.TextChoices):
        CARD = "card", _("Card")
        BANK_ACCOUNT = "us_bank_account", _("Bank account")

    class Label(models.TextChoices):
        NONE = "", _("Not labelled")
        HSA = "hsa", _("HSA")
        FSA = "fsa", _("FSA")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="payment_methods")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    label = models.CharField(max_length=3, choices=Label.choices, blank=True)
    nickname = models.CharField(max_length=60, blank=True)
    stripe_id = models.CharField(max_length=60, unique=True)
    brand = models.CharField(max_length=30, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    wallet = models.CharField(max_length=20, blank=True)
    bank_name = models.CharField(max_length=100, blank=True)
    expires_month = models.PositiveSmallIntegerField(null=True, blank=True)
    expires_year = models.PositiveSmallIntegerField(null=True, blank=True)
    fingerprint = models.CharField(max_length=60, blank=True)
    is_default = models.BooleanField(default=False)
    consent_text = models.TextField(blank=True)
    consent_version = models.CharField(max_length=20, blank=True)
    consented_at = models.DateTimeField(null=True, blank=True)
    consent_address = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = PaymentMethodQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="payments_method_one_default",
                fields=["user"],
                condition=Q(is_default=True, removed_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"method {self.pk}"


class StripeCustomer(models.Model):
    """Stripe's customer of one of our users: an id, no name and no address (FAULTS B32)."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="stripe_customer")
    stripe_id = models.CharField(max_length=60, unique=True)

    def __str__(self) -> str:
        return self.stripe_id


class PaymentQuerySet(models.QuerySet["Payment"]):
    """Payments, who may see them, and which are still undecided."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own payments, and others' whose every bill the viewer sees. Drafts are the payer's alone."""
        scope = scope_of(viewer)
        own = Q(payer_id=scope.user_id)
        if not scope.member_ids:
            return self.filter(own)
        seen = Q(bill__member_id__in=scope.member_ids) | Q(
            bill__member_id__in=scope.confidential_ids, bill__shared_at__isnull=False
        )
        # A value, and not EXISTS: for that the planner may read every payment's bills into a hash table first.
        sees_all = (
            PaymentAllocation.objects.filter(payment_id=OuterRef("pk"))
            .values("payment_id")
            .annotate(seen=BoolAnd(ExpressionWrapper(seen, output_field=models.BooleanField())))
            .values("seen")
        )
        others = Q(household_id__in=scope.household_ids) & ~Q(status=PaymentStatus.DRAFT)
        return self.filter(own | (others & Q(Subquery(sees_all))))

    def in_flight(self) -> Self:
        """Sent, and neither succeeded nor failed yet."""
        return self.filter(status__in=IN_FLIGHT)


class Payment(models.Model):
    """One charge, of one kind of bill, to one method. `amount_cents` is the sum of its allocations.

    The row is committed before Stripe is called, with the idempotency key of the call: `payment-{id}-{attempt}`.
    """

    class Channel(models.TextChoices):
        WEB = "web", _("Online")
        API = "api", _("App")
        GUEST = "guest", _("Guest")
        AUTOPAY = "autopay", _("Autopay")
        PLAN = "plan", _("Payment plan")
        STAFF = "staff", _("Member Services")

    number = models.CharField(max_length=14, unique=True)
    household = models.ForeignKey(Household, models.PROTECT, related_name="payments", db_index=False)
    payer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="payments", db_index=False
    )
    kind = models.CharField(max_length=7, choices=Bill.Kind.choices)
    channel = models.CharField(max_length=7, choices=Channel.choices)
    status = models.CharField(max_length=18, choices=PaymentStatus.choices, default=PaymentStatus.DRAFT)
    amount_cents = models.BigIntegerField()
    method = models.ForeignKey(PaymentMethod, models.PROTECT, null=True, blank=True, related_name="payments")
    confirmation_token = models.CharField(max_length=80, blank=True)
    method_kind = models.CharField(max_length=20, blank=True)
    method_brand = models.CharField(max_length=30, blank=True)
    method_last4 = models.CharField(max_length=4, blank=True)
    method_wallet = models.CharField(max_length=20, blank=True)
    saves_method = models.BooleanField(default=False)
    consent_version = models.CharField(max_length=20, blank=True)
    consent_address = models.GenericIPAddressField(null=True, blank=True)
    client_key = models.CharField(max_length=80, null=True, blank=True)  # noqa: DJ001  # null: the client sent none
    attempt = models.PositiveSmallIntegerField(default=0)
    stripe_payment_intent_id = models.CharField(max_length=60, null=True, blank=True, unique=True)  # noqa: DJ001
    stripe_charge_id = models.CharField(max_length=60, blank=True)
    failure_code = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)  # when Stripe was last asked about it
    settled_at = models.DateTimeField(null=True, blank=True)
    expected_on = models.DateField(null=True, blank=True)
    effective_on = models.DateField(null=True, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="payments_payment_amount_positive", condition=Q(amount_cents__gt=0)),
            models.UniqueConstraint(
                name="payments_payment_client_key_once",
                fields=["payer", "client_key"],
                condition=Q(client_key__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="payments_payment_household", fields=["household", "-created_at", "-id"]),
            models.Index(name="payments_payment_payer", fields=["payer", "-created_at", "-id"]),
            BrinIndex(name="payments_payment_settled", fields=["settled_at"], autosummarize=True),  # for check_ledger
            models.Index(name="payments_payment_effective", fields=["household", "effective_on"]),
            models.Index(name="payments_payment_in_flight", fields=["household"], condition=Q(status__in=IN_FLIGHT)),
            models.Index(name="payments_payment_undecided", fields=["asked_at"], condition=Q(status__in=IN_FLIGHT)),
        ]
        triggers = [
            FSM(
                name="moves_as_allowed",
                field="status",
                transitions=sorted((str(before), str(after)) for before, after in ALLOWED),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def idempotency_key(self) -> str:
        """The key of the present attempt's call to Stripe, committed before the call is made."""
        return f"payment-{self.pk}-{self.attempt}"


class PaymentAllocationQuerySet(models.QuerySet["PaymentAllocation"]):
    """What payments are for, and who may see that."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Those of payments and of bills that the viewer sees: who paid for another may see the payment alone."""
        scope = scope_of(viewer)
        return self.filter(
            payment__in=Payment.objects.visible_to(scope).values("pk"),
            bill__in=Bill.objects.visible_to(scope).values("pk"),
        )


class PaymentAllocation(models.Model):
    """How much of a payment is for which bill, US cents."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="allocations")
    bill = models.ForeignKey(Bill, models.PROTECT, related_name="allocations")
    amount_cents = models.BigIntegerField()

    objects = PaymentAllocationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="payments_allocation_amount_positive", condition=Q(amount_cents__gt=0)),
            models.UniqueConstraint(name="payments_allocation_once", fields=["payment", "bill"]),
        ]

    def __str__(self) -> str:
        return f"allocation {self.pk}"


class RefundQuerySet(models.QuerySet["Refund"]):
    """Refunds, and who may see them."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Those of the payments that the viewer sees."""
        return self.filter(payment__in=Payment.objects.visible_to(viewer).values("pk"))


class Refund(models.Model):
    """Money sent back to the method it came from, US cents."""

    class Status(models.TextChoices):
        SUBMITTED = "submitted", _("Submitted")
        PENDING = "pending", _("On its way")
        SUCCEEDED = "succeeded", _("Sent")
        FAILED = "failed", _("Failed")
        CANCELED = "canceled", _("Canceled")

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    bill = models.ForeignKey(Bill, models.PROTECT, null=True, blank=True, related_name="refunds")
    amount_cents = models.BigIntegerField()
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.SUBMITTED)
    reason = models.CharField(max_length=500)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    is_outside_portal = models.BooleanField(default=False)
    form_key = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001  # null: not from a form
    stripe_refund_id = models.CharField(max_length=60, null=True, blank=True, unique=True)  # noqa: DJ001
    failure_code = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="payments_refund_amount_positive", condition=Q(amount_cents__gt=0)),
            models.UniqueConstraint(
                name="payments_refund_form_once", fields=["payment", "form_key"], condition=Q(form_key__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"refund {self.pk}"

    @property
    def idempotency_key(self) -> str:
        """The key of the call to Stripe: one refund row, one refund."""
        return f"refund-{self.pk}"


class Dispute(models.Model):
    """A payment that the cardholder or the bank has called into question."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="disputes")
    stripe_dispute_id = models.CharField(max_length=60, unique=True)
    status = models.CharField(max_length=30)
    reason = models.CharField(max_length=60, blank=True)
    amount_cents = models.BigIntegerField()
    is_withdrawn = models.BooleanField(default=False)
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"dispute {self.pk}"


class StripeEvent(models.Model):
    """The inbox of webhooks: each event once by its id; worked off later, in any order."""

    class Outcome(models.TextChoices):
        WAITING = "waiting", "Waiting"
        PROCESSED = "processed", "Processed"
        IGNORED = "ignored", "Ignored, with reason"
        PARKED = "parked", "Parked for staff"

    event_id = models.CharField(max_length=60, unique=True)
    type = models.CharField(max_length=80)
    object_id = models.CharField(max_length=60, blank=True)
    api_version = models.CharField(max_length=40, blank=True)
    body = models.JSONField()
    outcome = models.CharField(max_length=9, choices=Outcome.choices, default=Outcome.WAITING)
    reason = models.CharField(max_length=300, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    received_at = models.DateTimeField(auto_now_add=True)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(name="payments_event_waiting", fields=["id"], condition=Q(outcome="waiting"))]

    def __str__(self) -> str:
        return self.event_id
