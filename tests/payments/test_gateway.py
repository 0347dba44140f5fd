"""The gateway's contract with the provider. `make test-stripe` holds Stripe itself to the same, with a test key."""

import datetime as dt
import os
import uuid
from collections.abc import Iterator

import pytest
import stripe
from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django import Settings

from payments import gateway
from payments.provider import Accepted, ChargeRequest, Intent, KeyReused, Refused, SetupRequest, Unauthorized

pytestmark = pytest.mark.stripe

IS_STRIPE = os.environ.get("STRIPE_API_BASE") == "https://api.stripe.com"


@pytest.fixture
def contract(request: pytest.FixtureRequest, settings: Settings) -> Iterator[None]:
    """Stripe itself where `make test-stripe` says so; the sandbox otherwise."""
    if IS_STRIPE:
        settings.STRIPE_TIMEOUT_SECONDS = 30.0
    else:
        request.getfixturevalue("provider")
    yield


@pytest.fixture
def customer(contract: None) -> str:
    return gateway.create_customer(user_id=uuid.uuid4().int % 10**12, key=str(uuid.uuid4()))


def token(method: str) -> str:
    client = stripe.StripeClient(
        django_settings.STRIPE_SECRET_KEY, base_addresses={"api": django_settings.STRIPE_API_BASE}
    )
    made = client.v1.test_helpers.confirmation_tokens.create(
        {"payment_method": method, "return_url": "https://example.com/return"}
    )
    return made.id


def request_for(customer: str, **changes: object) -> ChargeRequest:
    number = uuid.uuid4().hex[:12].upper()
    wanted: dict[str, object] = {
        "key": f"contract-{number}", "amount_cents": 5_000, "payment_number": number, "customer_id": customer,
        "descriptor_suffix": "MEDICAL", "return_url": "https://example.com/return",
    }  # fmt: skip
    return ChargeRequest(**(wanted | changes))


def charged(customer: str, method: str = "pm_card_visa", **changes: object) -> tuple[ChargeRequest, Intent]:
    request = request_for(customer, confirmation_token=token(method), **changes)
    return request, gateway.charge(request)


def test_a_customer_is_made_once_a_key(contract: None) -> None:
    user_id, key = uuid.uuid4().int % 10**12, str(uuid.uuid4())
    assert gateway.create_customer(user_id=user_id, key=key) == gateway.create_customer(user_id=user_id, key=key)


def test_a_card_is_charged_and_named(customer: str) -> None:
    request, intent = charged(customer)
    assert (intent.status, intent.amount_cents, intent.received_cents) == ("succeeded", 5_000, 5_000)
    assert (intent.method.kind, intent.method.brand, intent.method.last4) == ("card", "visa", "4242")
    assert intent.payment_number == request.payment_number
    assert intent.charge_id.startswith("ch_")
    assert gateway.intent(intent.id) == intent


def test_the_same_key_charges_once_and_other_content_is_refused(customer: str) -> None:
    request, intent = charged(customer)
    assert gateway.charge(request).id == intent.id
    with pytest.raises(KeyReused):
        gateway.charge(
            request_for(
                customer, key=request.key, confirmation_token=request.confirmation_token, amount_cents=6_000
            )  # fmt: skip
        )


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error"),
    ],
)
def test_a_decline_is_an_intent_with_its_code(customer: str, method: str, code: str) -> None:
    """FAULTS B12."""
    _request, intent = charged(customer, method)
    assert (intent.status, intent.failure_code) == ("requires_payment_method", code)


def test_a_bank_may_ask_for_confirmation(customer: str) -> None:
    _request, intent = charged(customer, "pm_card_authenticationRequired")
    assert intent.status == "requires_action"
    assert intent.client_secret.startswith(f"{intent.id}_secret_")
    assert gateway.cancel(intent.id).status == "canceled"


def test_the_intent_of_a_lost_reply_is_found_by_its_payment(customer: str) -> None:
    """FAULTS B02."""
    since = timezone.now() - dt.timedelta(minutes=1)
    request, intent = charged(customer)
    charged(customer)
    found = gateway.find_intent(payment_number=request.payment_number, customer_id=customer, since=since)
    assert found is not None and found.id == intent.id
    assert gateway.find_intent(payment_number="NOBODY", customer_id=customer, since=since) is None


def test_a_saved_card_is_charged_again_without_its_owner(customer: str) -> None:
    _request, first = charged(customer, saves_method=True)
    again = gateway.charge(request_for(customer, method_id=first.method.stripe_id, is_off_session=True))
    assert again.status == "succeeded"
    assert gateway.method_summary(first.method.stripe_id).last4 == "4242"
    gateway.detach(first.method.stripe_id)
    with pytest.raises(Refused):
        gateway.charge(request_for(customer, method_id=first.method.stripe_id, is_off_session=True))


def test_a_refund_is_made_once_for_its_key_and_never_beyond_the_charge(customer: str) -> None:
    """FAULTS D07, D13."""
    _request, intent = charged(customer)
    key = f"contract-refund-{intent.id}"
    first = gateway.refund(key=key, intent_id=intent.id, amount_cents=2_000, refund_id=1)
    assert gateway.refund(key=key, intent_id=intent.id, amount_cents=2_000, refund_id=1).id == first.id
    assert (first.status, first.amount_cents, first.refund_id) == ("succeeded", 2_000, "1")
    with pytest.raises(Refused):
        gateway.refund(key=f"{key}-2", intent_id=intent.id, amount_cents=3_001, refund_id=2)
    assert [found.id for found in gateway.refunds_of(intent.id)] == [first.id]


def test_a_token_names_its_card_once(customer: str) -> None:
    made = token("pm_card_mastercard")
    assert gateway.token_summary(made).brand == "mastercard"
    gateway.charge(request_for(customer, confirmation_token=made))
    with pytest.raises(Refused):
        gateway.charge(request_for(customer, confirmation_token=made))
    with pytest.raises(Refused):
        gateway.token_summary("ctoken_of_nobody")


def test_less_than_the_least_charge_is_refused(customer: str) -> None:
    """FAULTS I08."""
    with pytest.raises(Refused, match="amount_too_small"):
        charged(customer, amount_cents=49)


def test_a_wrong_key_is_told_apart_from_a_decline(contract: None, settings: Settings) -> None:
    """FAULTS B10."""
    settings.STRIPE_SECRET_KEY = "sk_test_nobody"
    with pytest.raises(Unauthorized):
        gateway.is_reachable()


def test_balance_rows_are_listed_whole(customer: str) -> None:
    """FAULTS D25: over the edge of a page."""
    since = timezone.now() - dt.timedelta(seconds=5)
    for _ in range(3 if IS_STRIPE else 103):
        charged(customer)
    rows = list(gateway.balance_rows(since))
    assert len({row.id for row in rows}) == len(rows) >= (3 if IS_STRIPE else 103)
    assert all(row.net_cents == row.amount_cents - row.fee_cents for row in rows)


def test_a_bank_account_is_debited_under_a_mandate_and_takes_days(customer: str) -> None:
    """FAULTS D01, D28."""
    accepted = Accepted(at=timezone.now().replace(microsecond=0), address="203.0.113.7", user_agent="contract test")
    _request, intent = charged(
        customer, "pm_usBankAccount_success", method_kind="us_bank_account", accepted=accepted, saves_method=True
    )
    assert (intent.status, intent.received_cents) == ("processing", 0)
    assert (intent.method.kind, intent.method.last4) == ("us_bank_account", "6789")
    assert intent.mandate_id and gateway.is_mandate_in_force(intent.mandate_id)


def test_a_bank_account_is_saved_and_debited_later_without_new_words(customer: str) -> None:
    """The mandate of the setup stands for what its owner starts later."""
    setup_id = uuid.uuid4().int % 10**9
    accepted = Accepted(at=timezone.now().replace(microsecond=0), address="203.0.113.7", user_agent="contract test")
    saved = gateway.set_up(
        SetupRequest(
            key=f"contract-setup-{setup_id}", setup_id=setup_id, customer_id=customer,
            confirmation_token=token("pm_usBankAccount_success"), return_url="https://example.com/return",
            accepted=accepted,
        )
    )  # fmt: skip
    assert (saved.status, saved.setup_id, saved.method.kind) == ("succeeded", str(setup_id), "us_bank_account")
    again = gateway.charge(
        request_for(customer, method_id=saved.method.stripe_id, method_kind="us_bank_account", is_off_session=True)
    )
    assert again.status == "processing"


def test_a_guests_customer_is_made_once_a_key(contract: None) -> None:
    key = str(uuid.uuid4())
    assert gateway.create_guest_customer(key=key) == gateway.create_guest_customer(key=key)
