"""Stripe's test cards and the PaymentMethod ids that stand for them (docs.stripe.com/testing)."""

from dataclasses import dataclass, replace

NEVER, UNLESS_SET_UP, ALWAYS, ON_SESSION_ONLY = "never", "unless_set_up", "always", "on_session_only"


@dataclass(frozen=True, slots=True)
class Card:
    """How a number behaves. `authenticate` says when 3-D Secure is asked for."""

    number: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    decline: str | None = None
    declines_on_attach: bool = True
    authenticate: str = NEVER
    dispute: str | None = None
    refund: str = "succeeded"
    available_at_once: bool = False
    line1_check: str = "pass"
    postal_check: str = "pass"
    cvc_check: str = "pass"
    risk: str = "normal"
    risk_score: int = 24
    wallet: str | None = None

    @property
    def last4(self) -> str:
        """The digits that may be shown."""
        return self.number[-4:]


_HARD = {"lost_card", "stolen_card", "pickup_card"}

MESSAGES = {
    "test_mode_live_card": "Your card was declined. Your request was in test mode, but used a non test card.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "invalid_cvc": "Your card's security code is invalid.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "incorrect_number": "Your card number is incorrect.",
    "incorrect_zip": "The zip code you supplied failed validation.",
    "card_not_supported": "Your card is not supported.",
    "currency_not_supported": "Your card does not support the specified currency.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}
"""What the declined answer says to the cardholder; all other codes get "Your card was declined."."""

OWN_CODES = {
    "expired_card", "incorrect_cvc", "invalid_cvc", "processing_error", "incorrect_number", "incorrect_zip",
    "authentication_required",
}  # fmt: skip
"""Decline codes that are the error's `code` themselves; the rest come under `card_declined`."""

_ALL = [
    Card("4242424242424242"), Card("4000056655665556", funding="debit"), Card("4111111111111111"),
    Card("4012888888881881"),
    Card("5555555555554444", "mastercard"), Card("2223003122003222", "mastercard"),
    Card("5200828282828210", "mastercard", "debit"), Card("5105105105105100", "mastercard", "prepaid"),
    Card("378282246310005", "amex"), Card("371449635398431", "amex"), Card("6011111111111117", "discover"),
    Card("6011000990139424", "discover"), Card("6011981111111113", "discover", "debit"),
    Card("3056930009020004", "diners"), Card("36227206271667", "diners"), Card("3566002020360505", "jcb"),
    Card("6200000000000005", "unionpay"), Card("4000000000000077", available_at_once=True),
    Card("4000003720000278", available_at_once=True),
    Card("4000000000000002", decline="generic_decline"), Card("4000000000009995",
    decline="insufficient_funds"),
    Card("4000000000009987", decline="lost_card"), Card("4000000000009979", decline="stolen_card"),
    Card("4000000000000069", decline="expired_card"), Card("4000000000000127", decline="incorrect_cvc"),
    Card("4000000000000119", decline="processing_error"),
    Card("4000000000006975", decline="card_velocity_exceeded"),
    Card("4000000000000341", decline="generic_decline", declines_on_attach=False),
    Card("4100000000000019", decline="fraudulent", risk="highest", risk_score=99),
    Card("4000000000004954", risk="highest", risk_score=89),
    Card("4000000000009235", risk="elevated", risk_score=72),
    Card("4000000000000101", cvc_check="fail"), Card("4000000000000036", postal_check="fail"),
    Card("4000000000000028", line1_check="fail"),
    Card("4000000000000010", line1_check="fail", postal_check="fail"),
    Card("4000000000000044", line1_check="unavailable", postal_check="unavailable"),
    Card("4000002500003155", authenticate=UNLESS_SET_UP), Card("4000002760003184", authenticate=ALWAYS),
    Card("4000003800000446", authenticate=ON_SESSION_ONLY), Card("4000000000003220", authenticate=ALWAYS),
    Card("4000000000003055"), Card("4000000000003063", authenticate=ALWAYS),
    Card("4000008260003178", authenticate=ALWAYS, decline="insufficient_funds", declines_on_attach=False),
    Card("4000008400001629", authenticate=ALWAYS, decline="generic_decline", declines_on_attach=False),
    Card("4000008400001280", decline="authentication_not_handled", declines_on_attach=False),
    Card("4000000000000259", dispute="fraudulent"), Card("4000000000002685", dispute="product_not_received"),
    Card("4000000000001976", dispute="inquiry"), Card("4000000000005423", dispute="fraud_warning"),
    Card("4000000000007726", refund="pending"), Card("4000000000005126", refund="fails_later"),
]  # fmt: skip

BY_NUMBER = {card.number: card for card in _ALL}

_IDS = {
    "visa": "4242424242424242", "us": "4242424242424242", "visa_debit": "4000056655665556",
    "mastercard": "5555555555554444", "mastercard_debit": "5200828282828210",
    "mastercard_prepaid": "5105105105105100", "amex": "378282246310005", "discover": "6011111111111117",
    "diners": "3056930009020004", "jcb": "3566002020360505", "unionpay": "6200000000000005",
    "bypassPending": "4000000000000077", "chargeDeclined": "4000000000000002",
    "visa_chargeDeclined": "4000000000000002", "visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "chargeDeclinedInsufficientFunds": "4000000000009995", "visa_chargeDeclinedLostCard": "4000000000009987",
    "chargeDeclinedLostCard": "4000000000009987", "visa_chargeDeclinedStolenCard": "4000000000009979",
    "chargeDeclinedStolenCard": "4000000000009979", "chargeDeclinedExpiredCard": "4000000000000069",
    "chargeDeclinedIncorrectCvc": "4000000000000127", "chargeDeclinedProcessingError": "4000000000000119",
    "chargeDeclinedVelocityLimitExceeded": "4000000000006975",
    "visa_chargeDeclinedVelocityLimitExceeded": "4000000000006975", "chargeCustomerFail": "4000000000000341",
    "chargeDeclinedFraudulent": "4100000000000019", "radarBlock": "4100000000000019",
    "riskLevelHighest": "4000000000004954", "riskLevelElevated": "4000000000009235",
    "cvcCheckFail": "4000000000000101", "avsZipFail": "4000000000000036", "avsLine1Fail": "4000000000000028",
    "avsFail": "4000000000000010", "avsUnchecked": "4000000000000044",
    "authenticationRequiredOnSetup": "4000002500003155", "authenticationRequired": "4000002760003184",
    "authenticationRequiredSetupForOffSession": "4000003800000446",
    "authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
    "threeDSecureRequired": "4000000000003063", "threeDSecure2Required": "4000000000003220",
    "threeDSecureOptional": "4000000000003055", "threeDSecureRequiredChargeDeclined": "4000008400001629",
    "threeDSecureRequiredProcessingError": "4000008400001280", "createDispute": "4000000000000259",
    "createDisputeProductNotReceived": "4000000000002685", "createDisputeInquiry": "4000000000001976",
    "createIssuerFraudRecord": "4000000000005423", "pendingRefund": "4000000000007726",
    "refundFail": "4000000000005126",
}  # fmt: skip

BY_ID = {f"pm_card_{name}": BY_NUMBER[number] for name, number in _IDS.items()}
BY_ID |= {f"tok_{name}": BY_NUMBER[number] for name, number in _IDS.items()}
BY_ID["pm_card_applePay"] = replace(BY_NUMBER["4242424242424242"], wallet="apple_pay")
BY_ID["tok_applePay"] = BY_ID["pm_card_applePay"]

DECLINE_ID_PREFIX = "pm_sandbox_decline_"
"""The sandbox's own ids: `pm_sandbox_decline_do_not_honor` declines with that code at the charge, not
before."""


def by_id(method_id: str) -> Card | None:
    """The card behind a test PaymentMethod id."""
    if method_id.startswith(DECLINE_ID_PREFIX):
        code = method_id.removeprefix(DECLINE_ID_PREFIX)
        return replace(BY_NUMBER["4242424242424242"], decline=code, declines_on_attach=False)
    return BY_ID.get(method_id)


def by_number(number: str) -> Card | None:
    """The card of a listed number; None for any other, since no real card may be typed in here."""
    return BY_NUMBER.get(number)


def passes_luhn(number: str) -> bool:
    """The check digit of ISO/IEC 7812."""
    if not (number.isascii() and number.isdigit() and 12 <= len(number) <= 19):
        return False
    digits = [int(digit) for digit in reversed(number)]
    doubled = (digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def message_of(decline_code: str) -> str:
    """The sentence Stripe's error carries for a decline code."""
    return MESSAGES.get(decline_code, "Your card was declined.")


def code_of(decline_code: str) -> str:
    """The error's `code` for a decline code."""
    return decline_code if decline_code in OWN_CODES else "card_declined"


def advice_of(decline_code: str) -> str:
    """The network's advice: never again with this card, or later."""
    return "do_not_try_again" if decline_code in _HARD else "try_again_later"
