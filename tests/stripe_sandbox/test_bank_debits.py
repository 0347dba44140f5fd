"""Bank debits: days of waiting, then success, failure or a late return; who owns the account; the mandate."""

import pytest
import stripe

from .conftest import ACCEPTANCE, Server, pay

DAY = 86400


def settle(sandbox: Server, seconds: float = 10) -> None:
    sandbox.post("clock/advance", seconds=seconds)


def test_a_debit_is_processing_and_then_succeeds(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves D01: pending for four days, one charge, its fee 0.8 %."""
    sandbox.post("settings", bank_debit_delay_seconds=4 * DAY)
    intent = pay(client, "pm_usBankAccount_success", amount=10_000)
    settle(sandbox, 4 * DAY - 60)
    assert client.v1.payment_intents.retrieve(intent.id).status == "processing"
    settle(sandbox, 120)
    intent = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge.balance_transaction"]})
    assert intent.status == "succeeded"
    assert intent.latest_charge.balance_transaction.fee == 80
    assert intent.latest_charge.balance_transaction.reporting_category == "charge"


def test_the_fee_of_a_debit_ends_at_five_dollars(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves D23."""
    intent = pay(client, "pm_usBankAccount_success", amount=500_000)
    settle(sandbox)
    intent = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge.balance_transaction"]})
    assert intent.latest_charge.balance_transaction.fee == 500


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("pm_usBankAccount_insufficientFunds", "insufficient_funds"),
        ("pm_usBankAccount_accountClosed", "account_closed"),
        ("pm_usBankAccount_noAccount", "no_account"),
        ("pm_usBankAccount_debitNotAuthorized", "debit_not_authorized"),
    ],
)
def test_a_failing_account_fails_from_processing(
    sandbox: Server, client: stripe.StripeClient, method: str, code: str
) -> None:
    """Serves D02 and D06: reopened, with the reason."""
    intent = pay(client, method)
    assert intent.status == "processing"
    settle(sandbox)
    intent = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.code == code
    assert intent.latest_charge.failure_code == code and intent.latest_charge.status == "failed"


def test_a_stuck_debit_can_be_cancelled(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves B17 and D22: account 000000000009 never leaves `processing`."""
    intent = pay(client, "pm_usBankAccount_processing")
    settle(sandbox, 30 * DAY)
    assert client.v1.payment_intents.retrieve(intent.id).status == "processing"
    assert client.v1.payment_intents.cancel(intent.id).status == "canceled"


def test_a_late_return_comes_as_a_lost_dispute(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves D03 and D04: money back after success, and R10 ends the mandate."""
    intent = pay(client, "pm_usBankAccount_success", amount=10_000)
    settle(sandbox)
    settle(sandbox, 59 * DAY)
    sandbox.post("bank_debits/return", payment_intent=intent.id, code="R10")
    dispute = client.v1.disputes.list({"payment_intent": intent.id}).data[0]
    assert (dispute.status, dispute.reason) == ("lost", "debit_not_authorized")
    assert dispute.balance_transactions[0].amount == -10_000
    charge = client.v1.charges.retrieve(str(client.v1.payment_intents.retrieve(intent.id).latest_charge))
    assert charge.disputed and charge.status == "succeeded"
    mandate = client.v1.mandates.retrieve(charge.payment_method_details.us_bank_account.mandate)
    assert mandate.status == "inactive"
    types = [event.type for event in client.v1.events.list({"limit": 100}).auto_paging_iter()]
    assert {"charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed"} <= set(types)


def test_the_disputed_account_returns_its_debit_by_itself(sandbox: Server, client: stripe.StripeClient) -> None:
    """Serves D03: account 000555555559."""
    intent = pay(client, "pm_usBankAccount_dispute")
    settle(sandbox, 60)
    assert client.v1.disputes.list({"payment_intent": intent.id}).data[0].status == "lost"


def test_a_debit_without_a_mandate_is_refused(client: stripe.StripeClient) -> None:
    """Serves D28: no debit without the member's leave."""
    with pytest.raises(stripe.InvalidRequestError, match="mandate"):
        client.v1.payment_intents.create(
            {
                "amount": 5000,
                "currency": "usd",
                "confirm": True,
                "payment_method": "pm_usBankAccount_success",
                "payment_method_types": ["us_bank_account"],
            }
        )


def saved_account(client: stripe.StripeClient, number: str = "000123456789") -> stripe.SetupIntent:
    customer = client.v1.customers.create()
    return client.v1.setup_intents.create(
        {
            "customer": customer.id,
            "payment_method_types": ["us_bank_account"],
            "confirm": True,
            "mandate_data": ACCEPTANCE,  # type: ignore[typeddict-item]
            "payment_method_data": {
                "type": "us_bank_account",
                "billing_details": {"name": "Alice Doe", "email": "alice@example.com"},
                "us_bank_account": {
                    "routing_number": "110000000",
                    "account_number": number,
                    "account_holder_type": "individual",
                },
            },
        }
    )


@pytest.mark.parametrize("proof", [{"amounts": [32, 45]}, {"descriptor_code": "SM11AA"}])
def test_micro_deposits_prove_an_account_that_autopay_then_debits(
    sandbox: Server, client: stripe.StripeClient, proof: dict[str, object]
) -> None:
    """Serves D26 and D28: verified, saved with its mandate, debited off session without another."""
    setup = saved_account(client)
    assert setup.next_action is not None and setup.next_action.type == "verify_with_microdeposits"
    setup = client.v1.setup_intents.verify_microdeposits(setup.id, proof)  # type: ignore[arg-type]
    assert setup.status == "succeeded"
    assert client.v1.mandates.retrieve(str(setup.mandate)).status == "active"
    intent = client.v1.payment_intents.create(
        {
            "amount": 5000,
            "currency": "usd",
            "customer": str(setup.customer),
            "payment_method": str(setup.payment_method),
            "payment_method_types": ["us_bank_account"],
            "confirm": True,
            "off_session": True,
        }
    )
    assert intent.status == "processing"


def test_wrong_micro_deposits_are_counted_and_end_the_try(client: stripe.StripeClient) -> None:
    """Ten tries; the values 10 and 11 end them at once."""
    setup = saved_account(client)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.setup_intents.verify_microdeposits(setup.id, {"amounts": [1, 2]})
    assert refusal.value.code == "payment_method_microdeposit_verification_amounts_mismatch"
    assert "9 attempts remaining" in str(refusal.value)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.setup_intents.verify_microdeposits(setup.id, {"amounts": [10, 11]})
    assert refusal.value.code == "payment_method_microdeposit_verification_attempts_exceeded"
    assert client.v1.setup_intents.retrieve(setup.id).status == "requires_payment_method"


def test_an_account_whose_deposits_never_arrive(client: stripe.StripeClient) -> None:
    """Account 000666666661."""
    setup = saved_account(client, "000666666661")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.setup_intents.verify_microdeposits(setup.id, {"amounts": [32, 45]})
    assert refusal.value.code == "payment_method_microdeposit_verification_timeout"
