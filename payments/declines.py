"""What a member is told when a payment fails: plain, true, with a way on, and nothing that helps a card tester.

The codes are Stripe's decline and error codes (docs.stripe.com/declines/codes, docs.stripe.com/error-codes). Lost,
stolen and fraud read like any other decline (FAULTS B12); a wrong CVC or ZIP reads the same as a wrong number
(FAULTS G12). What a bank says of an account stands in payments.return_codes.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from payments import return_codes

GENERIC = _("Your bank declined this payment. Use another card or bank account, or call the number on your card.")
DETAILS = _("The card details were not accepted. Check the number, the expiration date and the code, then try again.")
CANNOT_PAY_NOW = _(
    "We could not take this payment right now. You have not been charged. Try again in a few minutes, or call us."
)
CANNOT_CANCEL_NOW = _("We could not cancel this payment right now. Try again in a few minutes, or call us.")

_NO_MONEY = _("There was not enough money for this payment. Pay a smaller part, or use another card or bank account.")
_LIMIT = _("Your bank's limit for this card has been reached. Pay a smaller part, or use another card or bank account.")
_NOT_HERE = _("This card cannot be used here. Use another card or bank account.")
_NOT_REACHED = _("Your bank could not be reached. You have not been charged. Try again in a few minutes.")
_CONFIRM = _("Your bank asks you to confirm this payment. Try again and confirm it when asked.")
_NOT_CONFIRMED = _(
    "Your bank could not confirm that it was you. You have not been charged. Try again, or use another card."
)
_TWICE = _(
    "Your bank has just had the same payment from this card. Look at your payments before you try again: it may be on"
    " its way."
)
_ACCOUNT_LIMIT = _("This payment is above what this account can pay in a week. Pay a smaller part, or with a card.")

# Whoever tries stolen cards learns nothing from these: each reads as GENERIC. They are named, so that a test can tell
# a code that was thought of from one that is new.
SILENT = frozenset(
    {
        "approve_with_id", "call_issuer", "card_declined", "do_not_honor", "do_not_try_again", "fraudulent",
        "generic_decline", "highest_risk_level", "invalid_account", "invalid_amount", "invalid_pin",
        "live_mode_test_card", "lost_card", "merchant_blacklist", "new_account_information_available",
        "no_action_taken", "not_permitted", "offline_pin_required", "online_or_offline_pin_required", "pickup_card",
        "pin_try_exceeded", "previously_declined_do_not_retry", "reenter_transaction", "restricted_card",
        "revocation_of_all_authorizations", "revocation_of_authorization", "rule", "security_violation",
        "service_not_allowed", "stolen_card", "stop_payment_order", "test_mode_live_card", "testmode_decline",
    }
)  # fmt: skip

TEXTS: dict[str, Promise] = {
    "insufficient_funds": _NO_MONEY,
    "withdrawal_count_limit_exceeded": _LIMIT,
    "card_velocity_exceeded": _LIMIT,
    "expired_card": _("This card has expired. Use another card or bank account."),
    "invalid_expiry_month": DETAILS,
    "invalid_expiry_year": DETAILS,
    "incorrect_number": DETAILS,
    "invalid_number": DETAILS,
    "incorrect_cvc": DETAILS,
    "invalid_cvc": DETAILS,
    "incorrect_zip": DETAILS,
    "incorrect_address": DETAILS,
    "incorrect_pin": DETAILS,
    "card_not_supported": _NOT_HERE,
    "currency_not_supported": _NOT_HERE,
    "transaction_not_allowed": _NOT_HERE,
    "duplicate_transaction": _TWICE,
    "processing_error": _("The card network had a problem. You have not been charged. Try again in a few minutes."),
    "issuer_not_available": _NOT_REACHED,
    "try_again_later": _NOT_REACHED,
    "authentication_required": _CONFIRM,
    "authentication_not_handled": _CONFIRM,
    "mobile_device_authentication_required": _CONFIRM,
    "payment_intent_authentication_failure": _NOT_CONFIRMED,
    "setup_intent_authentication_failure": _NOT_CONFIRMED,
    # Bank accounts: what its bank said, and the two limits that the provider keeps.
    "account_closed": return_codes.Texts.CLOSED,
    "no_account": return_codes.Texts.NOT_FOUND,
    "bank_ownership_changed": return_codes.Texts.NOT_FOUND,
    "invalid_account_number": return_codes.Texts.NOT_FOUND,
    "bank_account_invalid": return_codes.Texts.NOT_FOUND,
    "incorrect_account_details": return_codes.Texts.NOT_FOUND,
    "debit_not_authorized": return_codes.Texts.NOT_AUTHORIZED,
    "bank_account_restricted": return_codes.Texts.FROZEN,
    "bank_account_unusable": return_codes.Texts.NOT_FOR_DEBITS,
    "generic_could_not_process": return_codes.Texts.TECHNICAL,
    "invalid_currency": return_codes.Texts.TECHNICAL,
    "charge_exceeds_source_limit": _ACCOUNT_LIMIT,
    "charge_exceeds_transaction_limit": _ACCOUNT_LIMIT,
    "charge_exceeds_weekly_limit": _ACCOUNT_LIMIT,
    # Our own.
    # A scheduled payment that was called off, or not sent on its day (payments.sending_due).
    "method_removed": _("The card or account for this payment was removed, so it was called off. Nothing was charged."),
    "parted": _("It was called off: you can no longer pay this bill."),
    "called_off": _("You canceled this payment before its day."),
    "autopay_ended": _(
        "Autopay was turned off, paused or changed, so it was not sent again. The amount is still owed."
    ),
    "paid_meanwhile": _("What it was for had been paid by then, so nothing was charged."),
    "method_unusable": _(
        "The card or account that you chose could no longer be used on that day, so nothing was charged. "
        "The amount is still owed: pay it another way."
    ),
    "bill_held": _("What it was for is being checked, so nothing was charged. Nothing is due on it until we answer."),
    "bill_not_payable": _("What it was for could no longer be paid by you on that day, so nothing was charged."),
    "not_eligible": _(
        "Your HSA or FSA card could not pay for this on that day, so nothing was charged. Pay it another way."
    ),
    "too_late": _("We could not send this payment on its day, so nothing was charged. The amount is still owed."),
    "cannot_pay_now": CANNOT_PAY_NOW,
    "never_sent": CANNOT_PAY_NOW,
    "abandoned": _("This payment was not confirmed, so you have not been charged. You can pay again."),
}


# An HSA's or FSA's administrator refuses what is not a health-care merchant of its list, and a part of what is there is
# never approved (SIGIS; FAULTS B30).
PRETAX = _(
    "Your HSA or FSA card was declined. Its administrator may not take this kind of payment, or there may be less on "
    "it than the amount. Pay a smaller part with it and the rest with another method, or use another card."
)
PRETAX_CODES = frozenset({"insufficient_funds", "card_not_supported", "transaction_not_allowed"})


def text_of(code: str, *, label: str = "") -> Promise:
    """The sentence for a failure code; an unknown code reads as a plain decline. `label`: of an HSA or FSA card."""
    if label and (code in PRETAX_CODES or code not in TEXTS):
        return PRETAX
    return TEXTS.get(code, GENERIC)
