"""Codes by which a person of a household proves to be one member of it, and not another who knows the same facts."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Member


class EnrolmentCodeQuerySet(models.QuerySet["EnrolmentCode"]):
    """Codes, which can be used, and which wait to be printed."""

    def standing(self) -> Self:
        """Those neither used, nor replaced, nor past their end."""
        return self.filter(used_at__isnull=True, ended_at__isnull=True, expires_at__gt=timezone.now())

    def to_print(self) -> Self:
        """Letters that were not printed yet, the oldest first."""
        return self.standing().filter(way=EnrolmentCode.Way.LETTER, printed_at__isnull=True).order_by("pk")


class EnrolmentCode(models.Model):
    """One code for one member, used once. What it reads is worked out from the row's secret, and stands nowhere."""

    class Way(models.TextChoices):
        LETTER = "letter", _("By letter")
        TOLD = "told", _("Told after identification")

    member = models.ForeignKey(Member, models.PROTECT, related_name="enrolment_codes")
    way = models.CharField(max_length=6, choices=Way.choices)
    salt = models.CharField(max_length=32)
    asked_by = models.CharField(max_length=60)  # the actor: a user who asked for the letter, or staff
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    printed_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)  # replaced by another, or tried too often

    objects = EnrolmentCodeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="accounts_enrolmentcode_one_stands", fields=["member"],
                condition=Q(used_at__isnull=True, ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="accounts_enrolmentcode_has_salt", condition=~Q(salt=""),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"enrolment code {self.pk}"
