"""What a decline of an autopay charge means: whether it is tried again, when, and whether with the same method.

The codes are Stripe's (docs.stripe.com/declines/codes); those that it says not to retry are HARD. What a bank says of a
debit stands in payments.return_codes, and its retries in payments.retries.
"""

import datetime as dt

from bills.banking_days import next_banking_day

MOST_TRIES = 4
SOFT_DAYS = (3, 7, 14)  # after the first try: the second, third and fourth
NEXT_DAY = 1  # where the fault was ours
OTHER_METHOD_DAYS = 3  # with another method: so long before, it is told (docs/decisions/2193)

# Never again with this method.
HARD = frozenset(
    {
        "card_not_supported", "currency_not_supported", "do_not_try_again", "expired_card", "fraudulent",
        "highest_risk_level", "incorrect_number", "invalid_account", "invalid_expiry_month", "invalid_expiry_year",
        "invalid_number", "lost_card", "merchant_blacklist", "new_account_information_available", "not_permitted",
        "pickup_card", "previously_declined_do_not_retry", "restricted_card", "revocation_of_all_authorizations",
        "revocation_of_authorization", "security_violation", "service_not_allowed", "stolen_card",
        "stop_payment_order", "transaction_not_allowed", "bank_account_unusable",
    }
)  # fmt: skip
# The payer's bank asks the payer: a person has to answer, so that a retry is in vain.
ASKS = frozenset(
    {
        "authentication_required", "authentication_not_handled", "mobile_device_authentication_required",
        "payment_intent_authentication_failure", "abandoned",
    }
)  # fmt: skip
# Nobody was asked to pay: the request was not taken, or never sent (FAULTS B11).
OURS = frozenset({"cannot_pay_now", "never_sent"})


def next_day(code: str, *, tries: int, first_on: dt.date, today: dt.date, is_other_method: bool) -> dt.date | None:
    """The day of the next try, before the banks are asked; None where there is none. `tries`: made so far."""
    if code in ASKS or tries >= MOST_TRIES or (code in HARD and not is_other_method):
        return None
    if code in OURS:
        return today + dt.timedelta(days=NEXT_DAY)
    earliest = today + dt.timedelta(days=OTHER_METHOD_DAYS if is_other_method else NEXT_DAY)
    return earliest if code in HARD else max(first_on + dt.timedelta(days=SOFT_DAYS[tries - 1]), earliest)


def banking_day(day: dt.date, *, is_bank_debit: bool) -> dt.date:
    """The day itself, or for a bank debit the next on which the banks are open (RULES section 11)."""
    return next_banking_day(day) if is_bank_debit else day
