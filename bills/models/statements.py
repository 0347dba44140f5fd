"""Monthly statements, frozen when they are issued, and who has opened them."""

from typing import ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Household, Member
from accounts.visibility import Viewer, scope_of
from billing_portal.triggers import Trigger

REFUSE = "RAISE EXCEPTION 'a statement stands as it was issued' USING ERRCODE = 'restrict_violation';"


class StatementQuerySet(models.QuerySet["Statement"]):
    """Statements, and who may see them."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The household's to its primary holder, that of a member who is apart to that member alone.

        Rows of somebody whom the holder sees no longer are left out where it is shown (payments.statement_reading).
        """
        scope = scope_of(viewer)
        of_household = Q(member__isnull=True, household_id__in=scope.held_household_ids)
        return self.filter(of_household | Q(member_id__in=scope.own_ids))


class Statement(models.Model):
    """What a household owed at the end of a month and how that came about, US cents; `content` holds every row of it.

    `member`: whose own statement it is, who is apart from the holder: confidential, gone, or come of age here
    (`Member.is_apart`). Those rows are in no other (Civ. Code 56.107, RULES section 6).
    previous + charges - payments - adjustments + corrections = balance. Corrections were entered later for days that
    an earlier statement had told of already.
    """

    number = models.CharField(max_length=20, unique=True)
    household = models.ForeignKey(Household, models.PROTECT, related_name="statements")
    member = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="statements")
    month = models.DateField()  # its first day
    issued_on = models.DateField()
    due_on = models.DateField(null=True, blank=True)
    previous_cents = models.BigIntegerField()
    charges_cents = models.BigIntegerField()
    payments_cents = models.BigIntegerField()
    adjustments_cents = models.BigIntegerField()
    corrections_cents = models.BigIntegerField()
    balance_cents = models.BigIntegerField()
    due_cents = models.BigIntegerField()
    content = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    objects = StatementQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                name="bills_statement_once", fields=["household", "member", "month"], nulls_distinct=False
            ),
            models.CheckConstraint(
                name="bills_statement_adds_up",
                condition=Q(
                    balance_cents=models.F("previous_cents")
                    + models.F("charges_cents")
                    - models.F("payments_cents")
                    - models.F("adjustments_cents")
                    + models.F("corrections_cents")
                ),
            ),
        ]
        triggers: ClassVar[list[Trigger]] = [
            Trigger(
                name="stands_as_issued",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
                func=REFUSE,
            )
        ]

    def __str__(self) -> str:
        return self.number


class StatementOpening(models.Model):
    """When somebody first opened a statement."""

    statement = models.ForeignKey(Statement, models.PROTECT, related_name="openings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(name="bills_statementopening_once", fields=["statement", "user"])
        ]

    def __str__(self) -> str:
        return f"statement {self.statement_id} opened"
