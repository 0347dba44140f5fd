"""Saved cards and bank accounts, and the provider's customer whose they are."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.visibility import Viewer, scope_of


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
