"""Households and their members."""

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.ages import ADULT_AT, age_on, birthday, is_apart, latest_birth
from accounts.models.users import User
from accounts.models.walls import MEMBER_WALLS
from accounts.visibility import Viewer, scope_of
from ledger.models import Account

ADULT_WHEN_JOINING = models.Func(
    models.F("joined_on"), template=f"(%(expressions)s - interval '{ADULT_AT} years')::date",
    output_field=models.DateField(),
)  # fmt: skip


class Household(models.Model):
    """The people billed together, under one account number."""

    number = models.CharField(max_length=12, unique=True)
    address = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=2, blank=True)
    zip = models.CharField(max_length=5, blank=True)
    # Paper or not, by what is sent: accounts.households.DOCUMENTS.
    is_paperless = models.BooleanField(default=False)
    has_paperless_bills = models.BooleanField(default=False, db_default=False)
    has_paperless_explanations = models.BooleanField(default=False, db_default=False)
    has_paperless_letters = models.BooleanField(default=False, db_default=False)
    closed_on = models.DateField(null=True, blank=True)  # its last person left: what is open is still paid here
    credit = models.OneToOneField(Account, models.PROTECT, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return self.number


class MemberQuerySet(models.QuerySet["Member"]):
    """Members, and who may see them."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own members, those of the household they hold, and those they are a delegate of."""
        return self.filter(pk__in=scope_of(viewer).member_ids)

    def of_household(self, today: dt.date) -> Self:
        """Those who are of their household on a day: who has neither left nor died."""
        return self.filter(Q(left_on__isnull=True) | Q(left_on__gt=today), died_on__isnull=True)

    def people(self) -> Self:
        """Each person once: without private sides (accounts.private_sides)."""
        return self.filter(private_of__isnull=True)

    def holding(self, today: dt.date) -> Self:
        """Those who hold their household's account on a day: not who has handed it over as of that day."""
        return self.filter(Q(left_on__isnull=True) | Q(left_on__gt=today), is_primary_holder=True)

    def apart(self, today: dt.date) -> Self:
        """Those of whom their holder sees nothing by holding: `Member.is_apart`."""
        grew_up = Q(
            birth_date__lte=latest_birth(ADULT_AT, today), birth_date__gt=ADULT_WHEN_JOINING,
            seen_by_holder_since__isnull=True,
        )  # fmt: skip
        return self.filter(
            Q(confidential_since__isnull=False) | Q(left_on__lte=today) | grew_up, is_primary_holder=False
        )


class Member(models.Model):
    """One person of a household."""

    class Relationship(models.TextChoices):
        SELF = "self", _("Account holder")
        SPOUSE = "spouse", _("Spouse or partner")
        CHILD = "child", _("Child")
        OTHER = "other", _("Other dependant")

    number = models.CharField(max_length=20, unique=True)
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    birth_date = models.DateField()
    relationship = models.CharField(max_length=6, choices=Relationship.choices)
    household = models.ForeignKey(Household, models.PROTECT, related_name="members")
    user = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="members")
    is_primary_holder = models.BooleanField(default=False)
    confidential_since = models.DateTimeField(null=True, blank=True)
    # Of the same person, what they may consent to themself, apart from the holder: accounts.private_sides.
    private_of = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="private_side")
    # As of these, what the holder sees of the member by holding: accounts.visibility, at the portal's midnight.
    joined_on = models.DateField(default=timezone.localdate, db_default=models.functions.Now())
    seen_by_holder_since = models.DateTimeField(null=True, blank=True)  # who came of age here lets the holder see
    left_on = models.DateField(null=True, blank=True)  # the first day on which they are no longer of the household
    died_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=100, blank=True)
    source_id = models.CharField(max_length=200, blank=True)
    medical_control = models.OneToOneField(Account, models.PROTECT, related_name="+")
    premium_control = models.OneToOneField(Account, models.PROTECT, related_name="+")

    objects = MemberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="accounts_member_one_primary_holder", fields=["household"], condition=Q(is_primary_holder=True)
            ),
            models.UniqueConstraint(
                name="accounts_member_source_once", fields=["source", "source_id"], condition=~Q(source_id="")
            ),
            models.CheckConstraint(
                name="accounts_member_private_side_is_confidential",
                condition=Q(private_of__isnull=True) | Q(confidential_since__isnull=False, is_primary_holder=False),
            ),
        ]
        indexes = [models.Index(Upper("last_name"), name="accounts_member_last_name")]  # staff search by name
        triggers = MEMBER_WALLS

    def __str__(self) -> str:
        return self.number

    @property
    def full_name(self) -> str:
        """First and last name, as written."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def shown_name(self) -> str:
        """The full name on a page: it says which of a person's two sides is meant."""
        return self._sided(self.full_name)

    @property
    def shown_first_name(self) -> str:
        """The same with the first name alone."""
        return self._sided(self.first_name)

    def _sided(self, name: str) -> str:
        return name if self.private_of_id is None else gettext("%(name)s · private services") % {"name": name}

    @property
    def person_id(self) -> int:
        """The member who is this person, whichever side it is: whose coverage, requests and letters hold for both."""
        return self.private_of_id or self.pk

    @property
    def is_confidential(self) -> bool:
        """Whether a confidential communications request stands (Civ. Code 56.107, 45 CFR 164.522(b))."""
        return self.confidential_since is not None

    @property
    def is_apart(self) -> bool:
        """Whether the holder sees nothing of the member by holding, today.

        Who asked for confidentiality; who left the household; and who came of age on the account and has not let the
        holder see (RULES section 6).
        """
        return not self.is_primary_holder and is_apart(
            today=timezone.localdate(), born=self.birth_date, joined_on=self.joined_on, left_on=self.left_on,
            is_confidential=self.is_confidential, is_seen=self.seen_by_holder_since is not None,
        )  # fmt: skip

    @property
    def grew_up_here(self) -> bool:
        """Whether they have turned 18 on an account on which they were a child."""
        return (
            not self.is_primary_holder and self.joined_on < birthday(self.birth_date, ADULT_AT) <= timezone.localdate()
        )

    @property
    def age(self) -> int:
        """Full years lived, today."""
        return age_on(self.birth_date, timezone.localdate())
