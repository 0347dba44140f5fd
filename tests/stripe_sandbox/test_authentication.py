"""3-D Secure: asked for on session, refused off session, remembered for a card that was set up."""

import urllib.error
import urllib.parse
import urllib.request

import pytest
import stripe

from .conftest import Server, pay

BACK = "https://plan.example/back"


def test_an_authenticated_payment_succeeds_and_says_so(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves B15: the same attempt is finished on session."""
    intent = pay(client, "pm_card_authenticationRequired", return_url=BACK)
    assert intent.status == "requires_action" and intent.latest_charge is None
    assert intent.next_action.type == "redirect_to_url"
    sandbox.post("authenticate", intent=intent.id, outcome="complete")
    intent = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert intent.status == "succeeded"
    assert intent.latest_charge.payment_method_details.card.three_d_secure.result == "authenticated"


def test_a_failed_challenge_leaves_the_intent_open(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves B16: failed, not charged, can pay again."""
    intent = pay(client, "pm_card_authenticationRequired", use_stripe_sdk=True)
    assert intent.next_action.type == "use_stripe_sdk"
    sandbox.post("authenticate", intent=intent.id, outcome="fail")
    intent = client.v1.payment_intents.retrieve(intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.code == "payment_intent_authentication_failure"
    assert client.v1.charges.list({"payment_intent": intent.id}).data == []


@pytest.mark.parametrize(
    ("method", "decline"),
    [
        ("pm_card_threeDSecureRequiredChargeDeclined", "generic_decline"),
        ("pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
def test_a_card_may_decline_after_its_challenge(
    sandbox: Server, client: stripe.StripeClient, method: str, decline: str
) -> None:
    """Serves B16: passing the challenge is not yet paying."""
    intent = pay(client, method, return_url=BACK)
    sandbox.post("authenticate", intent=intent.id)
    intent = client.v1.payment_intents.retrieve(intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.decline_code == decline


def test_the_server_may_ask_for_a_challenge_itself(client: stripe.StripeClient) -> None:
    """`request_three_d_secure=any` with a card that would not need it."""
    options = {"card": {"request_three_d_secure": "any"}}
    intent = pay(client, return_url=BACK, payment_method_options=options)
    assert intent.status == "requires_action"


def test_off_session_a_challenge_is_a_decline(client: stripe.StripeClient) -> None:
    """Serves B15: autopay gets `authentication_required` and the same intent can be finished on session."""
    customer = client.v1.customers.create()
    method = client.v1.payment_methods.attach("pm_card_authenticationRequired", {"customer": customer.id})
    with pytest.raises(stripe.CardError) as refusal:
        pay(client, method.id, customer=customer.id, off_session=True)
    error = refusal.value.error
    assert (error.code, error.decline_code) == ("authentication_required", "authentication_required")
    intent = client.v1.payment_intents.confirm(
        error.payment_intent.id, {"payment_method": method.id, "return_url": BACK}
    )
    assert intent.status == "requires_action"


def test_a_card_set_up_once_needs_no_more_off_session(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves B15: 4000002500003155, challenged at setup, then charged by autopay in silence."""
    customer = client.v1.customers.create()
    setup = client.v1.setup_intents.create(
        {
            "customer": customer.id,
            "payment_method": "pm_card_authenticationRequiredOnSetup",
            "payment_method_types": ["card"],
            "confirm": True,
            "return_url": BACK,
        }
    )
    assert setup.status == "requires_action"
    sandbox.post("authenticate", intent=setup.id)
    setup = client.v1.setup_intents.retrieve(setup.id)
    assert setup.status == "succeeded"
    paid = pay(client, str(setup.payment_method), customer=customer.id, off_session=True)
    assert paid.status == "succeeded"


def test_the_challenge_page_sends_the_browser_back(sandbox: Server, client: stripe.StripeClient) -> None:
    """Without script too: two buttons in a form, then the return address with the outcome."""
    intent = pay(client, "pm_card_authenticationRequired", return_url=BACK)
    url = intent.next_action.redirect_to_url.url
    page = urllib.request.urlopen(url).read().decode()
    assert "test-source-authorize-3ds" in page and "test-source-fail-3ds" in page
    done = urllib.request.urlopen(url, data=b"outcome=complete").read().decode()
    assert f"payment_intent={intent.id}" in done and "redirect_status=succeeded" in done
    wrong = f"{sandbox.url}/v3/three-d-secure/{intent.id}?client_secret=guess"
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(wrong)
