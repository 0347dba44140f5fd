"""People and what covers them: users, households, members, delegates, plans, coverages."""

import datetime as dt
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.uploads.models import Upload
from accounts.visibility import Viewer, scope_of
from ledger.models import Account

__all__ = [
    "Coverage", "Delegate", "Household", "Mail", "Member", "Plan", "Upload", "User",
]  # fmt: skip


class UserManager(BaseUserManager["User"]):
    """Creates users by email address, which is kept in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user who signs in with this address."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user of staff who may do everything."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a user by address, whatever its case."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in: a member, a delegate, or one of staff."""

    email = models.EmailField(_("email address"), unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    language = models.CharField(max_length=5, default="en")
    date_joined = models.DateTimeField(default=timezone.now)
    session_epoch = models.PositiveIntegerField(default=0, db_default=0)  # raised by the database: migration 0002

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return f"user {self.pk}"

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must still agree with: password, second factors, role (FAULTS H13)."""
        state = f"{self.password}|{self.session_epoch}|{self.is_active}|{self.is_staff}|{self.is_superuser}"
        return salted_hmac("accounts.User.session", state, secret=secret, algorithm="sha256").hexdigest()


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
    credit = models.OneToOneField(Account, models.PROTECT, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return self.number


class MemberQuerySet(models.QuerySet["Member"]):
    """Members, and who may see them."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own members, those of the household they hold, and those they are a delegate of."""
        return self.filter(pk__in=scope_of(viewer).member_ids)


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
        ]
        indexes = [models.Index(Upper("last_name"), name="accounts_member_last_name")]  # staff search by name

    def __str__(self) -> str:
        return self.number

    @property
    def full_name(self) -> str:
        """First and last name, as written."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def is_confidential(self) -> bool:
        """Whether a confidential communications request stands (Civ. Code 56.107, 45 CFR 164.522(b))."""
        return self.confidential_since is not None


class DelegateQuerySet(models.QuerySet["Delegate"]):
    """Delegates, and which of them still hold."""

    def in_force(self, on: dt.date) -> Self:
        """Those neither ended nor past their last day."""
        return self.filter(Q(until__isnull=True) | Q(until__gte=on), ended_at__isnull=True)


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


class Plan(models.Model):
    """A health plan product, with its year's limits in US cents."""

    name = models.CharField(max_length=200)
    year = models.PositiveSmallIntegerField()
    deductible_individual_cents = models.BigIntegerField(default=0)
    deductible_family_cents = models.BigIntegerField(default=0)
    out_of_pocket_individual_cents = models.BigIntegerField(default=0)
    out_of_pocket_family_cents = models.BigIntegerField(default=0)
    source = models.CharField(max_length=100, blank=True)
    source_id = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="accounts_plan_once", fields=["name", "year"])]

    def __str__(self) -> str:
        return f"{self.name} {self.year}"


class CoverageQuerySet(models.QuerySet["Coverage"]):
    """Coverages, who may see them, and when they are in force."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Coverages whose subscriber the viewer sees: with what they cost."""
        return self.filter(subscriber_id__in=scope_of(viewer).member_ids)

    def covering(self, viewer: Viewer) -> Self:
        """Coverages of members whose services the viewer sees: what they cover, not what they cost."""
        return self.filter(members__in=scope_of(viewer).clinical_ids).distinct()

    def in_force(self, first: dt.date, last: dt.date) -> Self:
        """Those in force on at least one day from `first` to `last`, both included."""
        return self.filter(Q(end_on__isnull=True) | Q(end_on__gte=first), start_on__lte=last)


class Coverage(models.Model):
    """What covers which members, from when to when (both days included), and what it costs a month in US cents."""

    class Kind(models.TextChoices):
        INDIVIDUAL = "individual", _("Individual")
        FAMILY = "family", _("Family")
        MEDICARE_ADVANTAGE = "medicare_advantage", _("Medicare Advantage")
        MEDICARE_PART_D = "medicare_part_d", _("Medicare Part D")
        MEDIGAP = "medigap", _("Medigap")
        COBRA = "cobra", _("COBRA")
        CHARITABLE = "charitable", _("Charitable")

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="coverages")
    kind = models.CharField(max_length=18, choices=Kind.choices)
    household = models.ForeignKey(Household, models.PROTECT, related_name="coverages")
    subscriber = models.ForeignKey(Member, models.PROTECT, related_name="subscribed_coverages")
    members = models.ManyToManyField(Member, related_name="coverages")
    start_on = models.DateField()
    end_on = models.DateField(null=True, blank=True)
    premium_cents = models.BigIntegerField(default=0)
    subsidy_cents = models.BigIntegerField(default=0)
    subsidy_ends_on = models.DateField(null=True, blank=True)
    charitable_cents = models.BigIntegerField(default=0)
    charitable_ends_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=100, blank=True)
    source_id = models.CharField(max_length=200, blank=True)

    objects = CoverageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="accounts_coverage_ends_after_start",
                condition=Q(end_on__isnull=True) | Q(end_on__gte=F("start_on")),
            ),
            models.CheckConstraint(
                name="accounts_coverage_amounts_not_negative",
                condition=Q(premium_cents__gte=0, subsidy_cents__gte=0, charitable_cents__gte=0),
            ),
            models.CheckConstraint(
                name="accounts_coverage_subsidies_within_premium",
                condition=Q(premium_cents__gte=F("subsidy_cents") + F("charitable_cents")),
            ),
            models.UniqueConstraint(
                name="accounts_coverage_source_once", fields=["source", "source_id"], condition=~Q(source_id="")
            ),
        ]
        indexes = [models.Index(name="accounts_coverage_span", fields=["start_on", "end_on"])]

    def __str__(self) -> str:
        return f"coverage {self.pk}"


class MailQuerySet(models.QuerySet["Mail"]):
    """Mails about the account, and which still wait."""

    def waiting(self) -> Self:
        """Those neither sent nor given up."""
        return self.filter(sent_at__isnull=True, given_up_at__isnull=True)


class Mail(models.Model):
    """A mail about signing in (codes, links, changes), written with what it tells of and sent after commit.

    Its text carries a secret (a code, a link) and is blanked once it is sent or given up.
    """

    address = models.EmailField()
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                name="accounts_mail_waiting", fields=["id"], condition=Q(sent_at__isnull=True, given_up_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"mail {self.pk}"
