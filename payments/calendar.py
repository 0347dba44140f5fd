"""The day on which a payment is expected to post, by the banking days (RULES section 11)."""

import datetime as dt

from bills.banking_days import add_banking_days
from bills.models import Bill

# Business days after which a payment is expected to post (stated to the member at review).
POSTING_DAYS = {Bill.Kind.MEDICAL: 1, Bill.Kind.PREMIUM: 3}
BANK_DEBIT_DAYS = 4  # docs.stripe.com, ACH Direct Debit: up to four business days


def expected_posting(kind: str, submitted_on: dt.date, *, is_bank_debit: bool = False) -> dt.date:
    """The day by which a payment submitted on a day is expected to post."""
    days = POSTING_DAYS[Bill.Kind(kind)]
    return add_banking_days(submitted_on, max(days, BANK_DEBIT_DAYS) if is_bank_debit else days)
