"""What a member reads when a payment fails."""

import pytest
from django.utils import translation

from payments import declines, return_codes
from stripe_sandbox import banks, cards

# docs.stripe.com/declines/codes, all of them, as of 2026-11.
DECLINE_CODES = [
    "approve_with_id",
    "authentication_not_handled",
    "authentication_required",
    "call_issuer",
    "card_not_supported",
    "card_velocity_exceeded",
    "currency_not_supported",
    "do_not_honor",
    "do_not_try_again",
    "duplicate_transaction",
    "expired_card",
    "fraudulent",
    "generic_decline",
    "incorrect_address",
    "incorrect_cvc",
    "incorrect_number",
    "incorrect_pin",
    "incorrect_zip",
    "insufficient_funds",
    "invalid_account",
    "invalid_amount",
    "invalid_cvc",
    "invalid_expiry_month",
    "invalid_expiry_year",
    "invalid_number",
    "invalid_pin",
    "issuer_not_available",
    "lost_card",
    "merchant_blacklist",
    "mobile_device_authentication_required",
    "new_account_information_available",
    "no_action_taken",
    "not_permitted",
    "offline_pin_required",
    "online_or_offline_pin_required",
    "pickup_card",
    "pin_try_exceeded",
    "processing_error",
    "reenter_transaction",
    "restricted_card",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "security_violation",
    "service_not_allowed",
    "stolen_card",
    "stop_payment_order",
    "test_mode_live_card",
    "testmode_decline",
    "transaction_not_allowed",
    "try_again_later",
    "withdrawal_count_limit_exceeded",
]
TELLTALE = ("lost", "stolen", "fraud", "restricted", "blocked", "pick up", "security", "cvc", "zip")


@pytest.mark.parametrize("code", DECLINE_CODES)
def test_every_decline_code_has_a_safe_text(code: str) -> None:
    """FAULTS B12, G12: thought of by name; nothing in it helps who tries cards."""
    assert code in declines.TEXTS or code in declines.SILENT
    with translation.override("en"):
        text = str(declines.text_of(code))
    assert text.endswith(".")
    assert not [word for word in TELLTALE if word in text.lower()]


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "pickup_card", "fraudulent", "do_not_honor", "brand_new"])
def test_lost_stolen_and_fraud_read_as_any_decline(code: str) -> None:
    """FAULTS B12, B19: an unknown code too."""
    assert declines.text_of(code) is declines.GENERIC


def test_a_wrong_number_cvc_zip_and_date_read_the_same() -> None:
    """FAULTS G12: no oracle."""
    codes = ("incorrect_number", "incorrect_cvc", "invalid_cvc", "incorrect_zip", "invalid_expiry_year")
    assert {id(declines.text_of(code)) for code in codes} == {id(declines.DETAILS)}


def test_no_code_is_both_silent_and_told() -> None:
    assert declines.SILENT & set(declines.TEXTS) == set()


def test_whatever_the_sandbox_answers_has_its_text() -> None:
    """Its test cards' declines and its test accounts' failures."""
    codes = {card.decline for card in cards.BY_NUMBER.values() if card.decline}
    codes |= {bank.failure for bank in banks.BY_NUMBER.values() if bank.failure}
    assert [code for code in sorted(codes) if code not in declines.TEXTS and code not in declines.SILENT] == []


def test_a_bank_failure_reads_as_its_return_code_does() -> None:
    """RULES 3.3: one text for one fact, whether the bank said it before or after the success."""
    for failure, code in return_codes.OF_FAILURE.items():
        if failure not in ("insufficient_funds", "bank_ownership_changed"):
            assert declines.text_of(failure) == return_codes.of(code).text, failure
