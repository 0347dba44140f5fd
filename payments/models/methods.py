"""Saved cards and bank accounts, with whom they are shared, and the provider's customer whose they are."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Member
from accounts.visibility import Viewer, scope_of


class PaymentMethodQuerySet(models.QuerySet["PaymentMethod"]):
    """Saved methods, and whose they are."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own, and those that their owners share with the viewer on purpose: no other (FAULTS F11)."""
        user_id = scope_of(viewer).user_id
        shared = MethodShare.objects.in_force().filter(member__user_id=user_id)
        return self.filter(Q(user_id=user_id) | Q(pk__in=shared.values("method_id")))

    def owned_by(self, viewer: Viewer) -> Self:
        """The viewer's own: those that the viewer may change."""
        return self.filter(user_id=scope_of(viewer).user_id)

    def usable(self) -> Self:
        """Those not removed."""
        return self.filter(removed_at__isnull=True)

    def ready(self) -> Self:
        """Those that can be charged as far as we know: not removed, not blocked, and if a bank account, verified."""
        return self.usable().filter(blocked_at__isnull=True, state=PaymentMethod.State.VERIFIED)


class PaymentMethod(models.Model):
    """A card or bank account that a user chose to keep. The digits are with Stripe; here is only what names it."""

    class Kind(models.TextChoices):
        CARD = "card", _("Card")
        BANK_ACCOUNT = "us_bank_account", _("Bank account")

    class Label(models.TextChoices):
        NONE = "", _("Not labelled")
        HSA = "hsa", _("HSA")
        FSA = "fsa", _("FSA")

    class State(models.TextChoices):
        VERIFIED = "verified", _("Verified")
        PENDING = "pending", _("Waiting to be verified")
        FAILED = "failed", _("Not verified")

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
    expiry_told_days = models.PositiveSmallIntegerField(null=True, blank=True)  # how long before its end it was told
    fingerprint = models.CharField(max_length=60, blank=True)
    is_default = models.BooleanField(default=False)
    # A bank account is proved by two small deposits, or one with a code, where its bank could not be asked at once.
    state = models.CharField(max_length=8, choices=State.choices, default=State.VERIFIED)
    stripe_setup_intent_id = models.CharField(max_length=60, blank=True)
    deposits_kind = models.CharField(max_length=20, blank=True)  # amounts or descriptor_code
    deposits_on = models.DateField(null=True, blank=True)
    verify_until = models.DateTimeField(null=True, blank=True)
    verify_tries = models.PositiveSmallIntegerField(default=0)
    # A bank's return or a withdrawn mandate stops it; the code says why (payments.blocking).
    blocked_at = models.DateTimeField(null=True, blank=True)
    blocked_code = models.CharField(max_length=60, blank=True)
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
            ),
            models.CheckConstraint(
                name="payments_method_default_is_ready",
                condition=Q(is_default=False)
                | Q(removed_at__isnull=False)
                | Q(blocked_at__isnull=True, state="verified"),
            ),
        ]

    def __str__(self) -> str:
        return f"method {self.pk}"

    @property
    def is_ready(self) -> bool:
        """Whether it can be charged as far as we know, its expiry aside."""
        return self.removed_at is None and self.blocked_at is None and self.state == self.State.VERIFIED


class MethodShareQuerySet(models.QuerySet["MethodShare"]):
    """Shares, and which of them still hold."""

    def in_force(self) -> Self:
        """Those not ended, between people who are of one household today (FAULTS F17), made since either was apart.

        What was shared before a confidential request would carry receipts across it, in both directions (FAULTS F06,
        F11): who shares, or is shared with, says so again afterwards.
        """
        here = Member.objects.of_household(timezone.localdate()).filter(
            Q(confidential_since__isnull=True) | Q(confidential_since__lte=OuterRef("created_at"))
        )
        owner = here.filter(household_id=OuterRef("member__household_id"), user_id=OuterRef("method__user_id"))
        lent_to = here.filter(pk=OuterRef("member_id"))
        return self.filter(Exists(owner), Exists(lent_to), ended_at__isnull=True)


class MethodShare(models.Model):
    """An owner lets one member of the own household pay with a method. It gives no right to change or to see more."""

    method = models.ForeignKey(PaymentMethod, models.PROTECT, related_name="shares")
    member = models.ForeignKey(Member, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=40, blank=True)

    objects = MethodShareQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="payments_methodshare_once", fields=["method", "member"], condition=Q(ended_at__isnull=True)
            )
        ]
        indexes = [
            models.Index(name="payments_methodshare_member", fields=["member"], condition=Q(ended_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"share {self.pk}"


class StripeCustomer(models.Model):
    """Stripe's customer of one of our users: an id, no name and no address (FAULTS B32)."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="stripe_customer")
    stripe_id = models.CharField(max_length=60, unique=True)

    def __str__(self) -> str:
        return self.stripe_id
