"""Whom members let act for them, and whom they have asked to."""

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.mails import Mail
from accounts.models.people import Member
from accounts.models.users import User


class DelegateQuerySet(models.QuerySet["Delegate"]):
    """Delegates, and which of them still hold."""

    def in_force(self, on: dt.date) -> Self:
        """Those neither ended nor past their last day; of nobody who has died: such leave ends with a life."""
        return self.filter(
            Q(until__isnull=True) | Q(until__gte=on), ended_at__isnull=True, member__died_on__isnull=True
        )


class Delegate(models.Model):
    """What a member has granted another person, and until when."""

    class Grant(models.TextChoices):
        PAY_ONLY = "pay_only", _("Pay only: amounts and dates")
        VIEW = "view", _("View")
        FULL = "full", _("View and pay")

    member = models.ForeignKey(Member, models.PROTECT, related_name="delegates")
    user = models.ForeignKey(User, models.PROTECT, related_name="delegations")
    grant = models.CharField(max_length=8, choices=Grant.choices)
    until = models.DateField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DelegateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="accounts_delegate_once", fields=["member", "user"], condition=Q(ended_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"delegate {self.pk}"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations, and which still wait for an answer."""

    def open(self) -> Self:
        """Those neither answered nor withdrawn nor past their end."""
        return self.filter(answered_at__isnull=True, ended_at__isnull=True, expires_at__gt=timezone.now())


class Invitation(models.Model):
    """A member asks somebody by mail to act for them. Only who has proved that the address is theirs can say yes.

    There is no secret in it: the mail leads to a page that asks for the sign-in, and shows what waits for the
    addresses that this person has confirmed (FAULTS F18, F19).
    """

    member = models.ForeignKey(Member, models.PROTECT, related_name="invitations")
    address = models.EmailField()  # in lower case
    grant = models.CharField(max_length=8, choices=Delegate.Grant.choices)
    until = models.DateField(null=True, blank=True)
    invited_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    mail = models.OneToOneField(Mail, models.SET_NULL, null=True, blank=True, related_name="+")
    delegate = models.OneToOneField(Delegate, models.PROTECT, null=True, blank=True, related_name="invitation")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)  # accepted where there is a delegate, else declined
    ended_at = models.DateTimeField(null=True, blank=True)  # withdrawn

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="accounts_invitation_once", fields=["member", "address"],
                condition=Q(answered_at__isnull=True, ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="accounts_invitation_accepted_was_answered",
                condition=Q(delegate__isnull=True) | Q(answered_at__isnull=False, ended_at__isnull=True),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                name="accounts_invitation_address", fields=["address"],
                condition=Q(answered_at__isnull=True, ended_at__isnull=True),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"invitation {self.pk}"
