"""The double-entry book: accounts, and transfers between two of them. Knows nothing of bills or Stripe.

The walls around it are the database's own (DESIGN section 5): triggers keep every balance equal to the sum of its
transfers, and refuse what would break the book, whoever asks.
"""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from ledger.chart import CODES_OF_PAYMENT, AccountType, Code
from ledger.walls import ACCOUNT_WALLS, TRANSFER_WALLS


class Account(models.Model):
    """A place that money is in. Of the plan (a `code`), or of a household (an `owner_id`).

    `balance_cents` is debits less credits, kept for tracked accounts alone. A tracked account may roll up into a
    `control` account, which holds the sum of those below it and takes no transfer of its own.
    """

    type = models.CharField(max_length=9, choices=AccountType.choices)
    code = models.CharField(max_length=40, null=True)  # noqa: DJ001  # null: not a system account
    owner_id = models.BigIntegerField(default=0)
    control = models.ForeignKey(  # held by the wall `under_its_own_control` instead of a foreign key
        "self", models.PROTECT, null=True, blank=True, related_name="+", db_index=False, db_constraint=False
    )
    is_control = models.BooleanField(default=False, db_default=False)
    balance_cents = models.BigIntegerField(default=0)
    is_tracked = models.BooleanField(default=True)
    credits_must_not_exceed_debits = models.BooleanField(default=False)
    debits_must_not_exceed_credits = models.BooleanField(default=False)
    matures_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="ledger_account_credits_within_debits",
                condition=Q(credits_must_not_exceed_debits=False) | Q(balance_cents__gte=0),
            ),
            models.CheckConstraint(
                name="ledger_account_debits_within_credits",
                condition=Q(debits_must_not_exceed_credits=False) | Q(balance_cents__lte=0),
            ),
            models.CheckConstraint(
                name="ledger_account_untracked_has_no_balance", condition=Q(is_tracked=True) | Q(balance_cents=0)
            ),
            models.CheckConstraint(name="ledger_account_type_known", condition=Q(type__in=AccountType.values)),
            models.UniqueConstraint(name="ledger_account_code_once", fields=["code"], condition=Q(code__isnull=False)),
        ]
        indexes = [
            models.Index(
                name="ledger_account_open",
                fields=["owner_id", "matures_on", "id"],
                condition=Q(balance_cents__gt=0, matures_on__isnull=False),
            ),
        ]
        triggers = ACCOUNT_WALLS

    def __str__(self) -> str:
        return self.code or f"account {self.pk}"


class Transfer(models.Model):
    """One immutable movement of `amount_cents` US cents from the credit account to the debit account.

    The wall `balances_follow` holds its accounts and what it reverses, where foreign keys would stand.
    """

    debit = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    credit = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    amount_cents = models.BigIntegerField()
    owner_id = models.BigIntegerField(default=0)
    code = models.SmallIntegerField(choices=Code.choices)
    effective_on = models.DateField()
    created_at = models.DateTimeField(db_default=models.functions.Now())
    reverses = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="reversals", db_index=False, db_constraint=False
    )
    key = models.CharField(max_length=80)
    reference = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.CheckConstraint(name="ledger_transfer_amount_positive", condition=Q(amount_cents__gt=0)),
            models.CheckConstraint(name="ledger_transfer_two_accounts", condition=~Q(debit=F("credit"))),
            models.UniqueConstraint(name="ledger_transfer_key_once", fields=["owner_id", "key"]),
            models.UniqueConstraint(
                name="ledger_transfer_reversed_once", fields=["reverses"], condition=Q(reverses__isnull=False)
            ),
        ]
        indexes = [
            models.Index(name="ledger_transfer_debit", fields=["debit", "id"]),
            models.Index(name="ledger_transfer_credit", fields=["credit", "id"]),
            BrinIndex(name="ledger_transfer_created", fields=["created_at"], autosummarize=True),
            models.Index(
                name="ledger_transfer_paid",
                fields=["owner_id", "-effective_on", "-id"],
                condition=Q(code__in=CODES_OF_PAYMENT),
            ),
        ]
        triggers = TRANSFER_WALLS

    def __str__(self) -> str:
        return f"transfer {self.pk}"
