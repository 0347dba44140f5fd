"""Stripe's test bank accounts for `us_bank_account` (docs.stripe.com/payments/ach-direct-debit/accept-a-
payment, "Test account numbers") and its micro-deposit values."""

from dataclasses import dataclass

TEST_ROUTING_NUMBER = "110000000"


@dataclass(frozen=True, slots=True)
class Bank:
    """How an account number behaves. `failure` is the charge's failure code, `outcome` what becomes of the
    debit."""

    number: str
    failure: str | None = None
    outcome: str = "succeeds"
    microdeposits_arrive: bool = True


MESSAGES = {
    "account_closed": "The customer's bank account has been closed.",
    "no_account": "The customer's bank account could not be located.",
    "insufficient_funds": "The customer's account has insufficient funds to cover this payment.",
    "debit_not_authorized": "The customer has notified their bank that this payment was unauthorized.",
    "invalid_currency": "The bank was unable to process this transaction because of its currency.",
    "charge_exceeds_weekly_limit": "The payment exceeds the weekly processing volume limit.",
    "bank_account_restricted": "The customer's bank account is restricted.",
}

RETURN_CODES = {
    "insufficient_funds": "R01", "account_closed": "R02", "no_account": "R03", "bank_account_invalid": "R04",
    "debit_not_authorized": "R10", "bank_account_restricted": "R16",
}  # fmt: skip

_ALL = [
    Bank("000123456789"), Bank("000111111113", "account_closed", "fails"),
    Bank("000111111116", "no_account", "fails"), Bank("000222222227", "insufficient_funds", "fails"),
    Bank("000333333335", "debit_not_authorized", "fails"), Bank("000444444440", "invalid_currency", "fails"),
    Bank("000555555559", "debit_not_authorized", "is_disputed"), Bank("000000000009", None, "never_ends"),
    Bank("000666666661", microdeposits_arrive=False),
    Bank("000777777771", "charge_exceeds_weekly_limit", "is_refused"),
    Bank("000000004954", "fraudulent", "is_refused"),
]  # fmt: skip

BY_NUMBER = {bank.number: bank for bank in _ALL}

BY_ID = {
    f"pm_usBankAccount_{name}": BY_NUMBER[number]
    for name, number in {
        "success": "000123456789", "accountClosed": "000111111113", "noAccount": "000111111116",
        "insufficientFunds": "000222222227", "debitNotAuthorized": "000333333335",
        "invalidCurrency": "000444444440", "dispute": "000555555559", "processing": "000000000009",
        "failMicrodeposits": "000666666661", "weeklyLimitExceeded": "000777777771",
        "riskLevelHighest": "000000004954",
    }.items()
}  # fmt: skip

GOOD_AMOUNTS, LOCKING_AMOUNTS, LATE_AMOUNTS = {32, 45}, {10, 11}, {40, 41}
GOOD_CODE, LOCKING_CODE, LATE_CODE = "SM11AA", "SM33CC", "SM44DD"
MOST_ATTEMPTS = 10


def by_number(number: str) -> Bank:
    """A listed account, or a plain success."""
    return BY_NUMBER.get(number) or Bank(number)


def valid_routing(number: str) -> bool:
    """The ABA check digit."""
    if not (number.isascii() and number.isdigit() and len(number) == 9):
        return False
    weights = (3, 7, 1) * 3
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=True)) % 10 == 0


def message_of(failure: str) -> str:
    """The sentence that goes with a failure code."""
    return MESSAGES.get(failure, "The bank could not process this transaction.")
