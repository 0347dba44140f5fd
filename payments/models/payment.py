"""A payment and what it is for."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.aggregates import BoolAnd
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import ExpressionWrapper, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from accounts.models import Household
from accounts.visibility import Viewer, scope_of
from billing_portal.triggers import moves
from bills.models import Bill
from payments.models.methods import PaymentMethod
from payments.states import ALLOWED, IN_FLIGHT, PaymentStatus


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
        # What a guest tried in vain is the guest's own affair: to the member it never was.
        in_vain = Q(channel=Payment.Channel.GUEST, status__in=[PaymentStatus.FAILED, PaymentStatus.CANCELED])
        others = Q(household_id__in=scope.household_ids) & ~Q(status=PaymentStatus.DRAFT) & ~in_vain
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
    # Of it, what is for no bill and went to household credit when it was recorded (payments.assigning); else 0.
    credit_cents = models.BigIntegerField(default=0, db_default=0)
    # Settled here and unknown at the provider: nothing is sent back of it until that is explained (FAULTS D20).
    frozen_at = models.DateTimeField(null=True, blank=True)
    method = models.ForeignKey(PaymentMethod, models.PROTECT, null=True, blank=True, related_name="payments")
    # The provider's customer of a payer who has no sign-in; with a payer it is StripeCustomer's.
    guest_customer_id = models.CharField(max_length=60, blank=True)
    # The payments of one checkout that several methods share: charged, posted and refunded each by itself.
    split = models.ForeignKey("PaymentSplit", models.PROTECT, null=True, blank=True, related_name="payments")
    scheduled_on = models.DateField(null=True, blank=True)  # a draft that is sent on this day, unless called off
    # A debit that the bank returned for want of money, sent again: payments.retries. At most twice.
    retry_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="retries", db_index=False)
    retry_number = models.PositiveSmallIntegerField(null=True, blank=True)
    # As the method was labelled when it was chosen, and which exception a premium paid from an HSA falls under.
    method_label = models.CharField(max_length=3, blank=True)
    attestation = models.CharField(max_length=20, blank=True)
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
            models.CheckConstraint(
                name="payments_payment_credit_within_amount",
                condition=Q(credit_cents__gte=0, credit_cents__lte=models.F("amount_cents")),
            ),
            models.UniqueConstraint(
                name="payments_payment_client_key_once",
                fields=["payer", "client_key"],
                condition=Q(client_key__isnull=False),
            ),
            models.CheckConstraint(
                name="payments_payment_retried_twice_at_most",
                condition=Q(retry_of__isnull=True, retry_number__isnull=True)
                | Q(retry_of__isnull=False, retry_number__in=(1, 2)),
            ),
            models.UniqueConstraint(
                name="payments_payment_retry_once",
                fields=["retry_of", "retry_number"],
                condition=Q(retry_of__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="payments_payment_household", fields=["household", "-created_at", "-id"]),
            models.Index(name="payments_payment_payer", fields=["payer", "-created_at", "-id"]),
            BrinIndex(name="payments_payment_settled", fields=["settled_at"], autosummarize=True),  # for check_ledger
            models.Index(name="payments_payment_effective", fields=["household", "effective_on"]),
            models.Index(name="payments_payment_in_flight", fields=["household"], condition=Q(status__in=IN_FLIGHT)),
            models.Index(
                name="payments_payment_scheduled",
                fields=["scheduled_on"],
                condition=Q(status=PaymentStatus.DRAFT, scheduled_on__isnull=False),
            ),
            # Only where asked, which a query for one household does not say: else the planner may read all of this one.
            models.Index(
                name="payments_payment_undecided",
                fields=["asked_at"],
                condition=Q(status__in=IN_FLIGHT, asked_at__isnull=False),
            ),
        ]
        triggers = [
            moves(ALLOWED),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def idempotency_key(self) -> str:
        """The key of the present attempt's call to Stripe, committed before the call is made."""
        return f"payment-{self.pk}-{self.attempt}"


class PaymentSplit(models.Model):
    """One checkout of one kind of bill that several methods share. Each part is a payment of its own."""

    payer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"split {self.pk}"


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
