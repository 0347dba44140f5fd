"""What becomes of a payment whose call to the provider did not end in an answer: exactly one charge, and the truth."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from activity.models import WorkItem
from bills.models import Bill
from payments import checkout, sweeping
from payments.allocating import payable_cents
from payments.models import Payment
from tests.conftest import Cast
from tests.payments.paying import balance, charges, drifting_accounts
from tests.stripe_sandbox.conftest import Server

Draft = Callable[..., Payment]
CHARGE = {"method": "POST", "path": "/v1/payment_intents"}


def fault(provider: Server, effect: str, **more: object) -> None:
    provider.post("faults", match=CHARGE, effect=effect, **more)


def sweep_later(payment: Payment, minutes: int = 5) -> Payment:
    """The sweeper's next turn, `minutes` after the payment was sent."""
    sweeping.run(now=timezone.now() + dt.timedelta(minutes=minutes))
    payment.refresh_from_db()
    return payment


@pytest.mark.parametrize("effect", ["timeout_after", "drop_after", "status_500_after"])
def test_a_reply_lost_after_the_charge_ends_in_one_charge(
    effect: str, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS B02, B04: unknown is not failed; the sweeper finds the charge that was made."""
    fault(provider, effect)
    payment = checkout.confirm(draft())
    assert (payment.status, payment.stripe_payment_intent_id) == ("submitted", None)
    assert balance(bill) == 18_500
    assert payable_cents([bill]) == {bill.pk: 13_500}

    assert sweep_later(payment).status == "succeeded"
    assert len(charges()) == 1
    assert balance(bill) == 13_500


@pytest.mark.parametrize("effect", ["timeout_before", "drop_connection_before", "status_429", "status_409"])
def test_a_call_that_never_happened_is_made_once_with_the_same_key(
    effect: str, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS B01, B06, B08: nothing was charged; the repeat of the same key charges once."""
    fault(provider, effect)
    payment = checkout.confirm(draft())
    assert payment.status == "submitted"
    assert charges() == []

    assert sweep_later(payment).status == "succeeded"
    assert payment.attempt == 1
    assert len(charges()) == 1
    assert balance(bill) == 13_500


def test_a_provider_that_is_not_there_leaves_the_payment_unknown_and_locks_the_amount(
    provider: Server, draft: Draft, bill: Bill, settings: object
) -> None:
    """FAULTS B01, B03: no connection, and the look-up is down too."""
    payment = draft(18_500)
    there, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:9"  # type: ignore[attr-defined]
    with pytest.raises(checkout.ProviderUnavailable):
        checkout.confirm(payment)
    assert Payment.objects.get(pk=payment.pk).status == "draft"

    settings.STRIPE_API_BASE = there  # type: ignore[attr-defined]
    fault(provider, "timeout_after")
    payment = checkout.confirm(payment)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"  # type: ignore[attr-defined]
    assert sweep_later(payment).status == "submitted"
    assert payable_cents([bill]) == {bill.pk: 0}

    settings.STRIPE_API_BASE = there  # type: ignore[attr-defined]
    assert sweep_later(payment, minutes=15).status == "succeeded"
    assert len(charges()) == 1


def test_a_stored_500_gets_a_new_key_only_after_the_provider_has_no_charge(
    provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS B04: the same 500 is replayed to the same key; the look-up decides."""
    fault(provider, "status_500_before", times=2)
    payment = checkout.confirm(draft())
    assert payment.attempt == 1
    for minutes in (5, 20, 60):
        payment = sweep_later(payment, minutes)
    assert (payment.status, payment.attempt) == ("succeeded", 2)
    assert len(charges()) == 1
    assert balance(bill) == 13_500


def test_a_500_that_hides_a_charge_gets_no_second_key(provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS B04: the sweeper's own repeat charges and answers 500; the look-up after it finds the charge."""
    fault(provider, "timeout_before")
    payment = checkout.confirm(draft())
    fault(provider, "status_500_after")
    payment = sweep_later(payment)
    assert (payment.status, payment.attempt) == ("succeeded", 1)
    assert len(charges()) == 1


def test_a_key_that_stands_with_other_parameters_is_parked_and_never_renewed(
    provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS B07: idempotency_error is our bug; another key could charge twice."""
    payment = draft()
    fault(provider, "timeout_after")
    checkout.confirm(payment)
    Payment.objects.filter(pk=payment.pk).update(number="0000-0000-0000")
    changed = checkout.send(Payment.objects.get(pk=payment.pk))
    assert (changed.status, changed.attempt) == ("submitted", 1)
    assert WorkItem.objects.get(kind="payment_conflict").subject == "payment:0000-0000-0000"
    assert len(charges()) == 1


def test_a_revoked_key_stops_the_run_and_declines_nobody(provider: Server, draft: Draft, settings: object) -> None:
    """FAULTS B10: nothing is marked declined, staff are told."""
    payment = draft()
    provider.post("faults", match={"path": "/v1/payment_intents"}, effect="status_401", times=3)
    payment = checkout.confirm(payment)
    assert payment.status == "submitted"
    assert WorkItem.objects.filter(kind="payment_unknown").count() == 1
    assert sweep_later(payment).status == "submitted"
    assert sweeping.run(now=timezone.now() + dt.timedelta(minutes=30)) == 0  # so that no task goes on to the next batch
    assert WorkItem.objects.get().dedupe_key == f"unauthorized:{timezone.localdate()}"


def test_a_payment_that_cannot_be_asked_about_stops_no_other(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS M10: whatever is wrong with one, the next is asked about in its turn."""
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_before", times=2)
    broken, payment = (checkout.confirm(draft(5_000)) for _ in range(2))
    Payment.objects.filter(pk=broken.pk).update(payer=real_cast.dana)  # who is no customer at the provider
    assert sweeping.run(now=timezone.now() + dt.timedelta(minutes=5)) == 2
    payment.refresh_from_db()
    broken.refresh_from_db()
    assert (broken.status, payment.status) == ("submitted", "succeeded")


def test_a_refused_request_is_not_called_a_decline(provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS B11: the member reads that it cannot be paid now; staff read why."""
    fault(provider, "parameter_invalid")
    payment = checkout.confirm(draft())
    assert (payment.status, payment.failure_code) == ("failed", "cannot_pay_now")
    assert WorkItem.objects.filter(kind="payment_conflict").count() == 1
    assert payable_cents([bill]) == {bill.pk: 18_500}


def test_an_unknown_status_is_parked_and_changes_nothing(provider: Server, draft: Draft) -> None:
    """FAULTS B19."""
    fault(provider, "unknown_status")
    payment = checkout.confirm(draft())
    assert payment.status == "submitted"
    assert WorkItem.objects.get(kind="payment_conflict").detail.endswith(".")


def test_what_stays_unknown_past_its_deadline_is_work_for_staff(
    provider: Server, draft: Draft, settings: object
) -> None:
    """M10: nothing stays unknown beyond its deadline without an open work item."""
    fault(provider, "timeout_before", times=None)
    payment = checkout.confirm(draft())
    assert sweep_later(payment, minutes=50).status == "submitted"
    assert WorkItem.objects.count() == 0
    assert sweep_later(payment, minutes=70).status == "submitted"
    assert WorkItem.objects.get().kind == "payment_unknown"


def test_what_was_never_sent_ends_when_its_key_does(provider: Server, draft: Draft, bill: Bill) -> None:
    """After the key's life a repeat could charge twice: the look-up says there is no charge, so it failed."""
    fault(provider, "timeout_before", times=None)
    payment = sweep_later(checkout.confirm(draft()), minutes=21 * 60)
    assert (payment.status, payment.failure_code) == ("failed", "never_sent")
    assert charges() == []
    assert payable_cents([bill]) == {bill.pk: 18_500}


def test_an_open_authentication_is_canceled_after_a_day(provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS B17."""
    payment = checkout.confirm(draft(5_000, "pm_card_authenticationRequired"))
    assert payment.status == "requires_action"
    assert sweep_later(payment, minutes=23 * 60).status == "requires_action"
    assert sweep_later(payment, minutes=25 * 60).status == "canceled"
    assert payable_cents([bill]) == {bill.pk: 18_500}
    assert drifting_accounts() == []


def test_a_sweep_ends_in_time_and_goes_on_in_its_next_turn(
    provider: Server, draft: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAULTS B25, B27: a provider that does not answer costs a time-out a payment, and no worker for hours."""
    fault(provider, "timeout_before")
    payment = checkout.confirm(draft(5_000))
    with monkeypatch.context() as patch:
        patch.setattr(sweeping, "MAX_SECONDS", -1.0)
        assert sweeping.run(now=timezone.now() + dt.timedelta(minutes=5)) == 0
    assert sweep_later(payment, minutes=10).status == "succeeded"


def test_a_stored_500_at_the_first_customer_keeps_nobody_from_paying(provider: Server, draft: Draft) -> None:
    """FAULTS B04: the same 500 is answered to the same key for a day, so the next try has another."""
    provider.post("faults", match={"path": "/v1/customers$"}, effect="status_500_before")
    payment = draft()
    with pytest.raises(checkout.ProviderUnavailable):
        checkout.confirm(payment)
    assert checkout.confirm(payment).status == "succeeded"
    assert len(charges()) == 1
