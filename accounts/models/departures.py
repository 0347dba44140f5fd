"""Leaving a household: coming of age, moving out, a divorce, a death; planned for a day, settled on it."""

import datetime as dt
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Member


class DepartureQuerySet(models.QuerySet["Departure"]):
    """Departures, and where they stand."""

    def planned(self) -> Self:
        """Those neither settled nor called off."""
        return self.filter(done_at__isnull=True, canceled_at__isnull=True)

    def with_address(self, today: dt.date) -> Self:
        """Those by which somebody has left and said where letters go; the latest first."""
        return self.filter(on__lte=today, canceled_at__isnull=True).exclude(address="").order_by("-on", "-pk")

    def due(self, today: dt.date) -> Self:
        """Those whose day has come and that are not settled yet."""
        return self.planned().filter(on__lte=today)


POSTAL = ("address", "city", "state", "zip")


class Departure(models.Model):
    """One person's end in a household, as far as its holder is concerned.

    Sight ends by the dates in `Member`, whatever is written here (docs/decisions/1502). This says what becomes of the
    money that the two had planned together, and that it was seen to. A death is recorded when it is known.
    """

    class Cause(models.TextChoices):
        MOVING_OUT = "moving_out", _("Moving out")
        DIVORCE = "divorce", _("Divorce or separation")
        OF_AGE = "of_age", _("Turning 18")
        DEATH = "death", _("A death")

    class Bills(models.TextChoices):
        THEIRS = "theirs", _("They stay with the person they are for, who alone sees and pays them")
        HOLDER = "holder", _("The account holder goes on seeing and paying those issued by then, and no others")

    class Plans(models.TextChoices):
        KEEP = "keep", _("The plan goes on with the bills that remain in it")
        END = "end", _("The plan ends, and every bill in it is due by itself")

    member = models.ForeignKey(Member, models.PROTECT, related_name="departures")
    cause = models.CharField(max_length=10, choices=Cause.choices)
    on = models.DateField()  # the first day on which it holds: from its midnight
    bills = models.CharField(max_length=6, choices=Bills.choices, default=Bills.THEIRS)
    bills_by_member = models.BooleanField(default=False)  # they chose it themselves: nobody else's choice replaces it
    plans = models.CharField(max_length=4, choices=Plans.choices, default=Plans.KEEP)
    # Where letters go to who has left: for staff and that person alone, whole or not at all.
    address = models.CharField(max_length=200, blank=True, db_default="")
    city = models.CharField(max_length=100, blank=True, db_default="")
    state = models.CharField(max_length=2, blank=True, db_default="")
    zip = models.CharField(max_length=5, blank=True, db_default="")
    # Until when delegates acted before this took their leave away, by their id: for calling it off.
    limits = models.JSONField(default=dict, blank=True)
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    planned_at = models.DateTimeField(auto_now_add=True)
    # Of a holder: who holds the account next and since when they agree; nobody where the account closes.
    successor = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="successions")
    accepted_at = models.DateTimeField(null=True, blank=True)
    canceled_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = DepartureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="accounts_departure_one_planned", fields=["member"],
                condition=Q(cause__in=("moving_out", "divorce"), done_at__isnull=True, canceled_at__isnull=True),
            ),
            models.UniqueConstraint(
                name="accounts_departure_of_age_once", fields=["member"],
                condition=Q(cause="of_age", canceled_at__isnull=True),
            ),
            models.UniqueConstraint(
                name="accounts_departure_one_death", fields=["member"],
                condition=Q(cause="death", canceled_at__isnull=True),
            ),
            models.CheckConstraint(
                name="accounts_departure_address_whole",
                condition=Q(address="", city="", state="", zip="")
                | (~Q(address="") & ~Q(city="") & Q(state__regex=r"^[A-Z]{2}$", zip__regex=r"^[0-9]{5}$")),
            ),
            models.CheckConstraint(
                name="accounts_departure_successor_is_another",
                condition=Q(successor__isnull=True) | ~Q(successor=F("member")),
            ),
            models.CheckConstraint(
                name="accounts_departure_accepted_by_somebody",
                condition=Q(accepted_at__isnull=True) | Q(successor__isnull=False),
            ),
            models.CheckConstraint(
                name="accounts_departure_one_end",
                condition=Q(cause="death") | Q(done_at__isnull=True) | Q(canceled_at__isnull=True),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                name="accounts_departure_due", fields=["on"],
                condition=Q(done_at__isnull=True, canceled_at__isnull=True),
            )
        ]  # fmt: skip

    @property
    def letters(self) -> dict[str, str]:
        """Where letters go, by POSTAL; empty where nobody said."""
        return {name: getattr(self, name) for name in POSTAL} if self.address else {}

    def __str__(self) -> str:
        return f"departure {self.pk}"
