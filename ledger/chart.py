"""The chart of accounts and every movement: what may be debited, what credited, and why. See docs/ledger.md."""

from dataclasses import dataclass

from django.db import models


class AccountType(models.TextChoices):
    """The four kinds of account of this book."""

    ASSET = "asset"
    LIABILITY = "liability"
    REVENUE = "revenue"
    EXPENSE = "expense"


class SystemAccount(models.TextChoices):
    """The plan's own accounts, one of each. They are not tracked: no row of theirs is ever hot."""

    STRIPE_CLEARING = "stripe_clearing", "Stripe clearing"
    BANK = "bank", "Bank"
    LOCKBOX = "lockbox", "Lockbox"
    MEDICAL_REVENUE = "medical_revenue", "Medical revenue"
    PREMIUM_REVENUE = "premium_revenue", "Premium revenue"
    FINANCE_CHARGE_REVENUE = "finance_charge_revenue", "Finance-charge revenue"
    FEE_REVENUE = "fee_revenue", "Fee revenue"
    CHARITY_CARE_EXPENSE = "charity_care_expense", "Charity care"
    SUBSIDY_EXPENSE = "subsidy_expense", "Premium subsidies"
    ADJUSTMENT_EXPENSE = "adjustment_expense", "Adjustments and write-offs"
    STRIPE_FEES = "stripe_fees", "Stripe fees"
    SUSPENSE = "suspense", "Suspense: money not yet explained"


SYSTEM_ACCOUNT_TYPES: dict[SystemAccount, AccountType] = {
    SystemAccount.STRIPE_CLEARING: AccountType.ASSET,
    SystemAccount.BANK: AccountType.ASSET,
    SystemAccount.LOCKBOX: AccountType.ASSET,
    SystemAccount.MEDICAL_REVENUE: AccountType.REVENUE,
    SystemAccount.PREMIUM_REVENUE: AccountType.REVENUE,
    SystemAccount.FINANCE_CHARGE_REVENUE: AccountType.REVENUE,
    SystemAccount.FEE_REVENUE: AccountType.REVENUE,
    SystemAccount.CHARITY_CARE_EXPENSE: AccountType.EXPENSE,
    SystemAccount.SUBSIDY_EXPENSE: AccountType.EXPENSE,
    SystemAccount.ADJUSTMENT_EXPENSE: AccountType.EXPENSE,
    SystemAccount.STRIPE_FEES: AccountType.EXPENSE,
    SystemAccount.SUSPENSE: AccountType.LIABILITY,
}


# Their ids are fixed, in the order above, so that a posting needs no look-up; opened by a migration.
SYSTEM_ACCOUNT_IDS: dict[SystemAccount, int] = {account: number for number, account in enumerate(SystemAccount, 1)}
FIRST_HOUSEHOLD_ACCOUNT_ID = 1000


class Code(models.IntegerChoices):
    """Why money moved."""

    BILL_ISSUED = 10, "Bill issued"
    BILL_RAISED = 11, "Bill corrected upwards"
    BILL_LOWERED = 12, "Bill corrected downwards"
    BILL_VOIDED = 13, "Bill voided"
    PAYMENT = 20, "Payment"
    OVERPAYMENT = 21, "Payment above what was owed"
    CREDIT_APPLIED = 22, "Household credit applied"
    CREDIT_RAISED = 23, "Overpaid amount moved to household credit"
    LOCKBOX_PAYMENT = 24, "Paper check"
    REFUND = 30, "Refund"
    CREDIT_REFUND = 31, "Refund of household credit"
    BANK_RETURN = 32, "Bank return"
    DISPUTE = 33, "Dispute"
    FINANCE_CHARGE = 40, "Finance charge"
    FINANCE_CHARGE_WAIVED = 41, "Finance charge waived"
    RETURN_FEE = 42, "Returned-payment fee"
    ASSISTANCE = 50, "Financial assistance"
    SUBSIDY = 51, "Premium subsidy"
    CHARITABLE_SUBSIDY = 52, "Charitable coverage subsidy"
    SUBSIDY_WITHDRAWN = 53, "Premium subsidy withdrawn"
    ADJUSTMENT = 60, "Adjustment"
    WRITE_OFF = 61, "Write-off"
    STRIPE_FEE = 70, "Stripe fee"
    PAYOUT = 71, "Payout"
    SUSPENSE_RECEIVED = 72, "Unexplained money received"
    SUSPENSE_EXPLAINED = 73, "Unexplained money explained"


RECEIVABLE = "receivable of the bill"
CREDIT = "household credit"


@dataclass(frozen=True, slots=True)
class Movement:
    """One row of the table of movements; a side is a system account, or a role that each household has its own of."""

    debit: tuple[str, ...]
    credit: tuple[str, ...]


_REVENUE = (SystemAccount.MEDICAL_REVENUE, SystemAccount.PREMIUM_REVENUE)
_CLEARING = (SystemAccount.STRIPE_CLEARING,)
_RECEIVED = (*_CLEARING, SystemAccount.LOCKBOX)

MOVEMENTS: dict[Code, Movement] = {
    Code.BILL_ISSUED: Movement((RECEIVABLE,), _REVENUE),
    Code.BILL_RAISED: Movement((RECEIVABLE,), _REVENUE),
    Code.BILL_LOWERED: Movement(_REVENUE, (RECEIVABLE,)),
    Code.BILL_VOIDED: Movement(_REVENUE, (RECEIVABLE,)),
    Code.PAYMENT: Movement(_CLEARING, (RECEIVABLE,)),
    Code.OVERPAYMENT: Movement(_CLEARING, (CREDIT,)),
    Code.CREDIT_APPLIED: Movement((CREDIT,), (RECEIVABLE,)),
    Code.CREDIT_RAISED: Movement((RECEIVABLE,), (CREDIT,)),
    Code.LOCKBOX_PAYMENT: Movement((SystemAccount.LOCKBOX,), (RECEIVABLE, CREDIT)),
    Code.REFUND: Movement((RECEIVABLE,), _CLEARING),
    Code.CREDIT_REFUND: Movement((CREDIT,), _CLEARING),
    Code.BANK_RETURN: Movement((RECEIVABLE, CREDIT), _RECEIVED),
    Code.DISPUTE: Movement((RECEIVABLE, CREDIT), _CLEARING),
    Code.FINANCE_CHARGE: Movement((RECEIVABLE,), (SystemAccount.FINANCE_CHARGE_REVENUE,)),
    Code.FINANCE_CHARGE_WAIVED: Movement((SystemAccount.FINANCE_CHARGE_REVENUE,), (RECEIVABLE,)),
    Code.RETURN_FEE: Movement((RECEIVABLE,), (SystemAccount.FEE_REVENUE,)),
    Code.ASSISTANCE: Movement((SystemAccount.CHARITY_CARE_EXPENSE,), (RECEIVABLE, CREDIT)),
    Code.SUBSIDY: Movement((SystemAccount.SUBSIDY_EXPENSE,), (RECEIVABLE, CREDIT)),
    Code.CHARITABLE_SUBSIDY: Movement((SystemAccount.SUBSIDY_EXPENSE,), (RECEIVABLE, CREDIT)),
    Code.SUBSIDY_WITHDRAWN: Movement((RECEIVABLE,), (SystemAccount.SUBSIDY_EXPENSE,)),
    Code.ADJUSTMENT: Movement((SystemAccount.ADJUSTMENT_EXPENSE,), (RECEIVABLE, CREDIT)),
    Code.WRITE_OFF: Movement((SystemAccount.ADJUSTMENT_EXPENSE,), (RECEIVABLE,)),
    # Stripe gives fees back, and payouts come back: the same the other way round.
    Code.STRIPE_FEE: Movement((SystemAccount.STRIPE_FEES, *_CLEARING), (*_CLEARING, SystemAccount.STRIPE_FEES)),
    Code.PAYOUT: Movement((SystemAccount.BANK, *_CLEARING), (*_CLEARING, SystemAccount.BANK)),
    Code.SUSPENSE_RECEIVED: Movement(_RECEIVED, (SystemAccount.SUSPENSE,)),
    Code.SUSPENSE_EXPLAINED: Movement((SystemAccount.SUSPENSE,), (RECEIVABLE, CREDIT, *_RECEIVED)),
}


def _sides(roles: tuple[str, ...]) -> set[int]:
    """Ids of system accounts; 0 stands for every account of a household."""
    return {SYSTEM_ACCOUNT_IDS[SystemAccount(role)] if role in SYSTEM_ACCOUNT_IDS else 0 for role in roles}


_ALLOWED = frozenset(
    (int(code), debit_id, credit_id)
    for code, movement in MOVEMENTS.items()
    for debit_id in _sides(movement.debit)
    for credit_id in _sides(movement.credit)
)


def is_movement(code: int, debit_id: int, credit_id: int) -> bool:
    """Whether MOVEMENTS has a movement of this code between these accounts.

    Of a household's accounts only that they are one; whether receivable or credit, `check_ledger` holds against it.
    """
    return (
        code,
        debit_id if debit_id < FIRST_HOUSEHOLD_ACCOUNT_ID else 0,
        credit_id if credit_id < FIRST_HOUSEHOLD_ACCOUNT_ID else 0,
    ) in _ALLOWED


# The same for the database, each movement as one number.
MOVEMENT_NUMBERS = sorted(
    code * 10_000_000 + (debit_id or FIRST_HOUSEHOLD_ACCOUNT_ID) * 3_000 + (credit_id or FIRST_HOUSEHOLD_ACCOUNT_ID)
    for code, debit_id, credit_id in _ALLOWED
)
# What a member paid, what took it back, and what undid that, told apart by the side alone: what credits a receivable is
# paid, what debits it came back. The one list of every sum of what was paid; an index of these finds a household's.
CODES_OF_PAYMENT = (
    Code.PAYMENT, Code.CREDIT_APPLIED, Code.LOCKBOX_PAYMENT, Code.REFUND, Code.BANK_RETURN, Code.DISPUTE,
    Code.CREDIT_RAISED, Code.SUSPENSE_EXPLAINED,
)  # fmt: skip
CODES_OF_CREDIT = sorted(code for code, movement in MOVEMENTS.items() if CREDIT in (*movement.debit, *movement.credit))


def movement_number_sql() -> str:
    """The number of a transfer's movement, in SQL."""
    first = FIRST_HOUSEHOLD_ACCOUNT_ID
    return f"(code::bigint * 10000000 + least(debit_id, {first}) * 3000 + least(credit_id, {first}))"
