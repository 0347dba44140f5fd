"""Leave to debit a bank account, and the adding of a method that asks for it."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.visibility import Viewer, scope_of
from billing_portal.triggers import kept
from payments.models.methods import PaymentMethod
from payments.models.payment import Payment

AGREED = (
    "user", "setup", "payment", "imported_from", "text", "version", "language", "accepted_at", "address", "user_agent",
)  # fmt: skip


class MethodSetup(models.Model):
    """A method on its way to being saved. The row is committed before Stripe is called, with the key `setup-{id}`."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Not sent")
        SUBMITTED = "submitted", _("Submitted")
        REQUIRES_ACTION = "requires_action", _("Waiting for you")
        DONE = "done", _("Saved")
        FAILED = "failed", _("Not saved")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="method_setups")
    status = models.CharField(max_length=15, choices=Status.choices, default=Status.DRAFT)
    confirmation_token = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=PaymentMethod.Kind.choices)
    brand = models.CharField(max_length=30, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    wallet = models.CharField(max_length=20, blank=True)
    bank_name = models.CharField(max_length=100, blank=True)
    label = models.CharField(max_length=3, choices=PaymentMethod.Label.choices, blank=True)
    nickname = models.CharField(max_length=60, blank=True)
    makes_default = models.BooleanField(default=False)
    replaces = models.ForeignKey(PaymentMethod, models.PROTECT, null=True, blank=True, related_name="+")
    consent_address = models.GenericIPAddressField(null=True, blank=True)
    consent_version = models.CharField(max_length=20, blank=True)
    stripe_setup_intent_id = models.CharField(max_length=60, null=True, blank=True, unique=True)  # noqa: DJ001
    failure_code = models.CharField(max_length=60, blank=True)
    method = models.ForeignKey(PaymentMethod, models.PROTECT, null=True, blank=True, related_name="setups")
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(name="payments_setup_undecided", fields=["submitted_at"], condition=Q(status="submitted"))
        ]

    def __str__(self) -> str:
        return f"setup {self.pk}"

    @property
    def idempotency_key(self) -> str:
        """The key of the call to Stripe."""
        return f"setup-{self.pk}"


class MandateQuerySet(models.QuerySet["Mandate"]):
    """Mandates, and whose they are."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Those that the viewer gave, and nobody else's."""
        return self.filter(user_id=scope_of(viewer).user_id)


class Mandate(models.Model):
    """What a person agreed to, word for word, before a bank account was debited: kept for good, never changed.

    Of a saved account (`setup`, then `method`), of one payment, or taken over with an account that was saved elsewhere
    (`imported_from` and `method`; from which address it was given may not be known). A guest's has no user (RULES
    section 3; FAULTS D28).
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("In force")
        REVOKED = "revoked", _("Ended by you")
        INACTIVE = "inactive", _("Ended by the bank")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="mandates")
    setup = models.OneToOneField(MethodSetup, models.PROTECT, null=True, blank=True, related_name="mandate")
    payment = models.OneToOneField(Payment, models.PROTECT, null=True, blank=True, related_name="mandate")
    method = models.ForeignKey(PaymentMethod, models.PROTECT, null=True, blank=True, related_name="mandates")
    text = models.TextField()
    version = models.CharField(max_length=20)
    language = models.CharField(max_length=5)
    accepted_at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=500)
    imported_from = models.CharField(max_length=220, blank=True, db_default="")
    last4 = models.CharField(max_length=4, blank=True)
    bank_name = models.CharField(max_length=100, blank=True)
    fingerprint = models.CharField(max_length=60, blank=True)
    stripe_id = models.CharField(max_length=60, blank=True, db_index=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.ACTIVE)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = MandateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="payments_mandate_of_one_thing",
                condition=Q(setup__isnull=False, payment__isnull=True, imported_from="")
                | Q(setup__isnull=True, payment__isnull=False, imported_from="")
                | (Q(setup__isnull=True, payment__isnull=True) & ~Q(imported_from="")),
            ),
            models.CheckConstraint(
                name="payments_mandate_address_known", condition=Q(address__isnull=False) | ~Q(imported_from="")
            ),
            models.UniqueConstraint(
                name="payments_mandate_imported_once", fields=["imported_from"], condition=~Q(imported_from="")
            ),
        ]
        triggers = kept(*AGREED)

    def __str__(self) -> str:
        return f"mandate {self.pk}"
