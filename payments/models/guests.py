"""Paying for somebody else without a sign-in: links to one bill, and what is kept of a guest's payment."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import Delegate, Member
from bills.models import Bill
from payments.models.payment import Payment


class GuestLinkQuerySet(models.QuerySet["GuestLink"]):
    """Links, and which of them still open."""

    def live(self, at: dt.datetime) -> "GuestLinkQuerySet":
        """Neither revoked nor at their end, and made after the member's confidential request, if there is one.

        What was made before it may be in the hands of whom it keeps out (45 CFR 164.522(b)). A delegate's end with what
        the member granted, and a holder's on the day on which the member is apart, unless the bill is shared (FAULTS
        F17).
        """
        today = timezone.localdate(at)
        apart = Member.objects.apart(today).filter(pk=OuterRef("bill__member_id"))
        holders = Member.objects.filter(
            user_id=OuterRef("made_by_id"), household_id=OuterRef("bill__household_id"), is_primary_holder=True
        )
        ended = Delegate.objects.filter(
            Q(ended_at__isnull=False) | Q(until__lt=today),
            user_id=OuterRef("made_by_id"), member_id=OuterRef("bill__member_id"),
            created_at__lte=OuterRef("created_at"),
        ).exclude(ended_at__lt=OuterRef("created_at"))  # fmt: skip
        return self.filter(
            ~Exists(ended),
            Q(bill__shared_at__isnull=False) | ~Exists(apart) | ~Exists(holders),
            Q(bill__member__confidential_since__isnull=True)
            | Q(created_at__gte=models.F("bill__member__confidential_since")),
            Q(bill__moved_aside_at__isnull=True) | Q(created_at__gte=models.F("bill__moved_aside_at")),
            revoked_at__isnull=True,
            expires_at__gt=at,
            bill__voided_at__isnull=True,
        )


class GuestLink(models.Model):
    """A link to pay one bill, which needs no numbers. Its address is signed; the row alone does not open anything."""

    class Purpose(models.TextChoices):
        STATEMENT = "statement", "Printed on a bill"
        SHARED = "shared", "Sent by a member"

    bill = models.ForeignKey(Bill, models.PROTECT, related_name="guest_links")
    purpose = models.CharField(max_length=9, choices=Purpose.choices)
    nonce = models.CharField(max_length=22, unique=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = GuestLinkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"guest link {self.pk}"


class GuestPayment(models.Model):
    """Which visit a guest's payment belongs to, and where its receipt goes. Nothing of this is shown to the member.

    `visit` is a digest: the secret itself is in the guest's session alone.
    """

    payment = models.OneToOneField(Payment, models.PROTECT, related_name="guest", primary_key=True)
    visit = models.CharField(max_length=64)
    form_key = models.CharField(max_length=40)
    link = models.ForeignKey(GuestLink, models.PROTECT, null=True, blank=True, related_name="+")
    email = models.EmailField(blank=True)
    language = models.CharField(max_length=5, default="en")

    class Meta:
        constraints = [models.UniqueConstraint(name="payments_guestpayment_form_once", fields=["visit", "form_key"])]

    def __str__(self) -> str:
        return f"guest payment {self.payment_id}"
