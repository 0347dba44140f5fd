"""What was given: an award of help with medical bills or with a premium, and what each bill had of it."""

import datetime as dt
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Coverage, Member
from accounts.visibility import Viewer, scope_of
from assistance.models.applications import Application
from bills.models import Bill

LATE_DAYS = 366  # after the last day of an award; a claim may be filed and corrected for a year


class AwardQuerySet(models.QuerySet["Award"]):
    """Awards, who may see them, and which hold."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Those that came of one's own application; of a premium as long as one sees whose it is."""
        scope = scope_of(viewer)
        of_whom = Q(coverage__isnull=True) | Q(coverage__subscriber_id__in=scope.member_ids)
        return self.filter(of_whom, application__applicant_id=scope.user_id)

    def in_force(self, on: dt.date) -> Self:
        """Those that were not revoked and whose days are not over."""
        return self.filter(revoked_at__isnull=True, start_on__lte=on, end_on__gte=on)

    def still_counting(self, on: dt.date) -> Self:
        """Those in force, and those whose days are over for at most LATE_DAYS: a bill of theirs may come in late."""
        since = on - dt.timedelta(days=LATE_DAYS)
        return self.filter(revoked_at__isnull=True, start_on__lte=on, end_on__gte=since)


class Award(models.Model):
    """Help for a time, both days included: a percentage of the patient's share, or cents a month of a premium."""

    class Kind(models.TextChoices):
        ASSISTANCE = "assistance", _("Financial assistance")
        CHARITABLE = "charitable", _("Charitable coverage")

    application = models.ForeignKey(Application, models.PROTECT, related_name="awards")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    members = models.ManyToManyField(Member, related_name="awards")
    percent = models.PositiveSmallIntegerField()
    coverage = models.ForeignKey(Coverage, models.PROTECT, null=True, blank=True, related_name="awards")
    monthly_cents = models.BigIntegerField(default=0)
    start_on = models.DateField()
    end_on = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    revoked_reason = models.CharField(max_length=500, blank=True)
    told_days = models.PositiveSmallIntegerField(null=True, blank=True)  # the last notice ahead of its end

    objects = AwardQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                name="assistance_award_once", fields=["application", "kind", "coverage"], nulls_distinct=False
            ),
            models.CheckConstraint(name="assistance_award_percent", condition=Q(percent__gte=1, percent__lte=100)),
            models.CheckConstraint(name="assistance_award_ends_after_start", condition=Q(end_on__gte=F("start_on"))),
            models.CheckConstraint(
                name="assistance_award_charitable_has_coverage",
                condition=Q(kind="assistance", coverage__isnull=True)
                | Q(kind="charitable", coverage__isnull=False, monthly_cents__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"award {self.pk}"

    @property
    def premium_afterwards_cents(self) -> int:
        """What the premium is a month once a charitable subsidy is over, US cents."""
        return self.coverage.premium_cents - self.coverage.subsidy_cents if self.coverage else 0

    @property
    def is_succeeded(self) -> bool:
        """Whether another award goes on where this one ends: for the same coverage, or for the same people or more."""
        later = Award.objects.filter(
            kind=self.kind, application__applicant=self.application.applicant_id, coverage=self.coverage_id,
            revoked_at__isnull=True, start_on__lte=self.end_on + dt.timedelta(days=1), end_on__gt=self.end_on,
        )  # fmt: skip
        if self.coverage_id is not None:
            return later.exists()
        people = set(self.members.values_list("pk", flat=True))
        return any(people <= set(award.members.values_list("pk", flat=True)) for award in later)


class AwardedBill(models.Model):
    """What a bill has of an award, US cents: one row. What moved stands in the ledger under `award:<id>:bill:<id>`.

    A bill that is corrected afterwards changes it (assistance.correcting), under that key and the correction's id. A
    premium has a row where charitable coverage made it overpaid.
    """

    award = models.ForeignKey(Award, models.PROTECT, related_name="awarded_bills")
    bill = models.ForeignKey(Bill, models.PROTECT, related_name="awarded_bills")
    eligible_cents = models.BigIntegerField()
    amount_cents = models.BigIntegerField()
    returned_cents = models.BigIntegerField(default=0)  # of it, what had been paid and became household credit
    # What went back to who had paid it (assistance.refunding); nothing yet where it is still to be seen to.
    refunded_cents = models.BigIntegerField(null=True, blank=True)
    corrected_by_id = models.BigIntegerField(default=0)  # the last correction in the ledger that it has followed
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(name="assistance_awardedbill_once", fields=["award", "bill"]),
            models.CheckConstraint(
                name="assistance_awardedbill_within",
                condition=Q(amount_cents__gte=0, returned_cents__gte=0, amount_cents__lte=F("eligible_cents"),
                            returned_cents__lte=F("amount_cents")),
            ),
            models.CheckConstraint(
                name="assistance_awardedbill_refunded",
                condition=Q(refunded_cents__isnull=True) | Q(refunded_cents__gte=0),
            ),
        ]  # fmt: skip
        indexes: ClassVar[list[models.Index]] = [
            models.Index(name="assistance_to_refund", fields=["id"], condition=Q(refunded_cents__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"award {self.award_id} on bill {self.bill_id}"

    @property
    def key(self) -> str:
        """The key that its posting stands under in the book."""
        return f"award:{self.award_id}:bill:{self.bill_id}"
