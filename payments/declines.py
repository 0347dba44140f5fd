"""What a member is told when a payment fails: plain, true, with a way on, and nothing that helps a card tester.

The codes are Stripe's decline and error codes (docs.stripe.com/declines/codes). Lost, stolen and fraud read like any
other decline (FAULTS B12); a wrong CVC or ZIP reads the same as a wrong number (FAULTS G12).
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

GENERIC = _("Your bank declined this payment. Use another card or bank account, or call the number on your card.")
DETAILS = _("The card details were not accepted. Check the number, the expiration date and the code, then try again.")
CANNOT_PAY_NOW = _(
    "We could not take this payment right now. You have not been charged. Try again in a few minutes, or call us."
)
CANNOT_CANCEL_NOW = _("We could not cancel this payment right now. Try again in a few minutes, or call us.")

TEXTS: dict[str, Promise] = {
    "insufficient_funds": _(
        "There was not enough money for this payment. Pay a smaller part, or use another card or bank account."
    ),
    "withdrawal_count_limit_exceeded": _(
        "Your bank's limit for this card has been reached. Pay a smaller part, or use another card or bank account."
    ),
    "card_velocity_exceeded": _(
        "Your bank's limit for this card has been reached. Pay a smaller part, or use another card or bank account."
    ),
    "expired_card": _("This card has expired. Use another card or bank account."),
    "invalid_expiry_month": DETAILS,
    "invalid_expiry_year": DETAILS,
    "incorrect_number": DETAILS,
    "invalid_number": DETAILS,
    "incorrect_cvc": DETAILS,
    "invalid_cvc": DETAILS,
    "incorrect_zip": DETAILS,
    "incorrect_address": DETAILS,
    "card_not_supported": _("This card cannot be used here. Use another card or bank account."),
    "currency_not_supported": _("This card cannot be used here. Use another card or bank account."),
    "transaction_not_allowed": _("This card cannot be used here. Use another card or bank account."),
    "processing_error": _("The card network had a problem. You have not been charged. Try again in a few minutes."),
    "issuer_not_available": _("Your bank could not be reached. You have not been charged. Try again in a few minutes."),
    "try_again_later": _("Your bank could not be reached. You have not been charged. Try again in a few minutes."),
    "authentication_required": _("Your bank asks you to confirm this payment. Try again and confirm it when asked."),
    "payment_intent_authentication_failure": _(
        "Your bank could not confirm that it was you. You have not been charged. Try again, or use another card."
    ),
    "cannot_pay_now": CANNOT_PAY_NOW,
    "never_sent": CANNOT_PAY_NOW,
    "abandoned": _("This payment was not confirmed, so you have not been charged. You can pay again."),
}


def text_of(code: str) -> Promise:
    """The sentence for a failure code; an unknown code reads as a plain decline."""
    return TEXTS.get(code, GENERIC)
