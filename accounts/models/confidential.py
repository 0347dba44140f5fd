"""Confidential communications: where what concerns a member goes, and nowhere else."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Member


class ConfidentialRequestQuerySet(models.QuerySet["ConfidentialRequest"]):
    """Requests, and which stand."""

    def standing(self) -> Self:
        """Those that were not withdrawn."""
        return self.filter(ended_at__isnull=True)


class ConfidentialRequest(models.Model):
    """A member asked that what concerns them reaches them alone, at an address of their own.

    No reason is asked for (Cal. Civ. Code 56.107, 45 CFR 164.522(b)). `Member.confidential_since` says that one stands;
    a file or staff may set that too, without an address.
    """

    class Channel(models.TextChoices):
        MAIL = "mail", _("By email")
        POST = "post", _("By post")

    member = models.ForeignKey(Member, models.PROTECT, related_name="confidential_requests")
    channel = models.CharField(max_length=4, choices=Channel.choices)
    email = models.EmailField(blank=True)
    address = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=2, blank=True)
    zip = models.CharField(max_length=5, blank=True)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ConfidentialRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="accounts_confidential_one_stands", fields=["member"], condition=Q(ended_at__isnull=True)
            ),
            models.CheckConstraint(
                name="accounts_confidential_has_address",
                condition=(Q(channel="mail") & ~Q(email="")) | (Q(channel="post") & ~Q(address="") & ~Q(zip="")),
            ),
        ]

    def __str__(self) -> str:
        return f"confidential request {self.pk}"
