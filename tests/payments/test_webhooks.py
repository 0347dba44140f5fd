"""Stripe's webhooks: what is let in, what is done with it, and that nothing is done twice."""

import dataclasses
import datetime as dt
import hashlib
import hmac
import json
import time
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from activity.models import WorkItem
from bills.models import Bill
from ledger.models import Transfer
from payments import checkout, gateway, refunds, settlement, tasks, webhooks
from payments.models import Payment, StripeEvent
from tests.conftest import Cast
from tests.payments.paying import balance, stripe_client
from tests.payments.test_races import at_once
from tests.stripe_sandbox.conftest import Server

Draft = Callable[..., Payment]
SECRET = "whsec_test_secret"


def signed(body: str, *, secret: str = SECRET, at: float | None = None, scheme: str = "v1") -> str:
    """A Stripe-Signature header (docs.stripe.com/webhooks, "Verify webhook signatures manually")."""
    stamp = int(at if at is not None else time.time())
    digest = hmac.new(secret.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={stamp},{scheme}={digest}"


def event_body(**changes: object) -> str:
    """An event about nothing of ours."""
    found = {"id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "livemode": False,
             "api_version": gateway.API_VERSION, "created": int(time.time()),
             "data": {"object": {"id": "pi_not_ours", "object": "payment_intent", "metadata": {}}}}  # fmt: skip
    return json.dumps(found | changes)


def post(body: str | bytes, signature: str | None) -> int:
    headers = {} if signature is None else {"Stripe-Signature": signature}
    return Client().post(
        "/webhooks/stripe/", data=body, content_type="application/json", headers=headers
    ).status_code  # fmt: skip


def event_of(payment: Payment, type_: str = "payment_intent.succeeded") -> dict[str, object]:
    """The provider's own event about a payment."""
    for event in stripe_client().v1.events.list({"limit": 100, "type": type_}).data:
        found = event.to_dict()
        if found["data"]["object"].get("metadata", {}).get("payment") == payment.number:
            return found
    raise AssertionError(f"no {type_}")


@pytest.mark.parametrize("case", ["none", "empty", "nonsense", "no digest", "another secret", "v0 only"])
def test_what_is_not_signed_by_stripe_for_us_is_refused(real_db: None, case: str) -> None:
    """FAULTS C01: 400, and nothing is stored."""
    signature = {
        "none": None,
        "empty": "",
        "nonsense": "nonsense",
        "no digest": "t=1,v1=",
        "another secret": signed(event_body(), secret="whsec_other"),
        "v0 only": signed(event_body(), scheme="v0"),
    }[case]
    assert post(event_body(), signature) == 400
    assert StripeEvent.objects.count() == 0


def test_a_changed_body_is_refused(real_db: None) -> None:
    """FAULTS C02: one byte, or the same JSON serialised anew."""
    body = event_body()
    assert post(body.replace("pi_not_ours", "pi_not_ourz"), signed(body)) == 400
    assert post(json.dumps(json.loads(body), indent=1), signed(body)) == 400
    assert StripeEvent.objects.count() == 0


def test_an_old_signature_is_refused_and_a_fresh_one_accepted(real_db: None) -> None:
    """FAULTS C03."""
    body = event_body()
    for _time in range(2):
        assert post(body, signed(body, at=time.time() - 301)) == 400
    assert WorkItem.objects.get(subject="clock").detail.startswith("A webhook of Stripe's was refused: signed_long_ago")
    assert post(body, signed(body)) == 200


def test_one_that_is_old_and_not_signed_for_us_says_nothing_of_our_clock(real_db: None) -> None:
    """FAULTS E25: an alarm that strangers could ring is none."""
    body = event_body()
    assert post(body, signed(body, at=time.time() - 900, secret="whsec_other")) == 400
    assert not WorkItem.objects.exists()


def test_a_signature_of_the_future_is_refused(real_db: None) -> None:
    """FAULTS C04: the SDK accepts it; our own check does not."""
    body = event_body()
    assert post(body, signed(body, at=time.time() + 330)) == 400


def test_both_secrets_hold_during_a_rotation(real_db: None, settings: object) -> None:
    """FAULTS C06."""
    body = event_body()
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", SECRET]  # type: ignore[attr-defined]
    assert post(body, signed(body)) == 200
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new"]  # type: ignore[attr-defined]
    assert post(event_body(id="evt_2"), signed(event_body(id="evt_2"))) == 400


def test_a_live_event_in_a_test_set_up_is_refused(real_db: None) -> None:
    """FAULTS B23, C19."""
    body = event_body(livemode=True)
    assert post(body, signed(body)) == 400
    assert StripeEvent.objects.count() == 0


def test_the_same_event_a_hundred_times_at_once_is_one(real_db: None) -> None:
    """FAULTS C07: one row, all answered 200."""
    body = event_body()
    answers = at_once([lambda: [post(body, signed(body)) for _ in range(10)]] * 10)
    assert {status for answer in answers for status in answer} == {200}  # type: ignore[attr-defined]
    assert StripeEvent.objects.count() == 1


def test_other_methods_and_large_bodies_are_refused(real_db: None) -> None:
    """FAULTS C20."""
    assert Client().get("/webhooks/stripe/").status_code == 405
    assert Client().put("/webhooks/stripe/", data="{}").status_code == 405
    large = json.dumps({"a": "x" * webhooks.MAX_BODY_BYTES})
    assert post(large, signed(large)) == 413


def test_an_event_and_its_twin_post_once(provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS C07, C08: payment_intent.succeeded and charge.succeeded, each several times, in parallel."""
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")
    payment = checkout.confirm(draft(5_000))
    for type_ in ("charge.succeeded", "payment_intent.succeeded"):
        webhooks.take_in(found := event_of(payment, type_), json.dumps(found))
    at_once([lambda: webhooks.work_off()] * 5)
    StripeEvent.objects.update(outcome="waiting", next_try_at=timezone.now())
    webhooks.work_off()
    assert Payment.objects.get(pk=payment.pk).status == "succeeded"
    assert Transfer.objects.filter(key__startswith="payment:").count() == 1
    assert set(StripeEvent.objects.values_list("outcome", flat=True)) == {"processed"}
    assert balance(bill) == 13_500


def test_an_event_that_comes_before_the_reply_is_applied(provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS C09: the row has no intent yet; the event's metadata names the payment."""
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")
    payment = checkout.confirm(draft(5_000))
    assert payment.stripe_payment_intent_id is None
    webhooks.take_in(found := event_of(payment), json.dumps(found))
    webhooks.work_off()
    payment.refresh_from_db()
    assert (payment.status, bool(payment.stripe_payment_intent_id)) == ("succeeded", True)


def test_an_older_event_after_a_newer_changes_nothing(provider: Server, draft: Draft) -> None:
    """FAULTS C11: the object is fetched as it stands, and the table of states does not go back."""
    payment = checkout.confirm(draft(5_000))
    webhooks.take_in(found := event_of(payment, "payment_intent.created"), json.dumps(found))
    webhooks.work_off()
    assert Payment.objects.get(pk=payment.pk).status == "succeeded"


def test_a_crash_before_commit_is_done_again_and_after_it_is_not(
    provider: Server, draft: Draft, bill: Bill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAULTS C12, C13: the lease ends, and the event is worked off again."""
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")
    payment = checkout.confirm(draft(5_000))
    webhooks.take_in(found := event_of(payment), json.dumps(found))

    def crash(*args: object, **kwargs: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(settlement, "_post", crash)
        webhooks.work_off()
    assert Payment.objects.get(pk=payment.pk).status == "submitted"
    assert webhooks.work_off() == 0  # leased to the crashed worker still

    StripeEvent.objects.update(next_try_at=timezone.now())
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(StripeEvent.objects, "filter", crash)
        webhooks._work_off(StripeEvent.objects.get())
    assert Payment.objects.get(pk=payment.pk).status == "succeeded"
    assert webhooks.work_off() == 1
    assert Transfer.objects.filter(key__startswith="payment:").count() == 1


def test_events_that_never_came_are_caught_up_with(provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS C14, C22: from the event list; a second run takes in nothing new."""
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")
    payment = checkout.confirm(draft(5_000))
    since = timezone.now() - dt.timedelta(days=4)
    assert webhooks.catch_up(since) > 0
    assert webhooks.catch_up(since) == 0
    webhooks.work_off()
    assert Payment.objects.get(pk=payment.pk).status == "succeeded"


def test_the_schedule_catches_up_by_itself_since_the_last_that_came(provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS C14: the endpoint was down for 80 hours; nobody has to say since when."""
    long_ago = timezone.now() - dt.timedelta(hours=80)
    StripeEvent.objects.create(event_id="evt_last", type="x", body={}, outcome="ignored")
    StripeEvent.objects.update(received_at=long_ago)
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")
    payment = checkout.confirm(draft(5_000))
    tasks.catch_up()
    tasks.catch_up()
    tasks.work_off_inbox()
    assert Payment.objects.get(pk=payment.pk).status == "succeeded"
    assert Transfer.objects.filter(key__startswith="payment:").count() == 1


def test_what_is_not_ours_is_ignored_with_a_reason(real_db: None, provider: Server) -> None:
    """FAULTS C17, C18: unknown types and other apps' objects make no noise."""
    for number, type_ in enumerate(("payment_intent.succeeded", "radar.early_fraud_warning.created", "new.kind")):
        body = event_body(id=f"evt_{number}", type=type_)
        assert post(body, signed(body)) == 200
    webhooks.work_off()
    assert list(StripeEvent.objects.values_list("outcome", flat=True)) == ["ignored"] * 3
    assert "" not in StripeEvent.objects.values_list("reason", flat=True)
    assert WorkItem.objects.count() == 0


def test_a_payment_that_is_not_in_the_book_is_parked(real_db: None, provider: Server) -> None:
    """E12: after a restore, the provider knows more than we do; a person hears of it."""
    found = {"id": "pi_x", "object": "payment_intent", "metadata": {"payment": "AAAA-BBBB-CCCC"}}
    body = event_body(data={"object": found})
    post(body, signed(body))
    webhooks.work_off()
    assert StripeEvent.objects.get().outcome == "parked"
    assert WorkItem.objects.get().kind == "webhook_parked"


def test_an_event_that_cannot_be_read_is_parked_and_stops_no_other(provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS B19: null where an object is expected."""
    body = event_body(id="evt_0", data={"object": None})
    post(body, signed(body))
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")
    payment = checkout.confirm(draft(5_000))
    webhooks.take_in(found := event_of(payment), json.dumps(found))
    webhooks.work_off()
    assert StripeEvent.objects.get(event_id="evt_0").outcome == "parked"
    assert Payment.objects.get(pk=payment.pk).status == "succeeded"


@pytest.mark.parametrize(
    "change",
    [
        {"payment_number": "0000-1111-2222"},
        {"amount_cents": 5_001},
        {"received_cents": 4_999},
        {"status": "requires_capture"},
    ],
)
def test_an_intent_that_does_not_fit_changes_nothing(
    provider: Server, draft: Draft, bill: Bill, change: dict[str, object]
) -> None:
    """FAULTS B21, B22, D21, B19: bound to the payment and to its amount, to the cent."""
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")
    payment = checkout.confirm(draft(5_000))
    found = gateway.find_intent(
        payment_number=payment.number,
        customer_id=payment.payer.stripe_customer.stripe_id,
        since=payment.created_at,
    )
    assert found is not None
    assert settlement.apply(payment.pk, dataclasses.replace(found, **change)).status == "submitted"
    assert WorkItem.objects.get().kind == "payment_conflict"
    assert balance(bill) == 18_500
    assert settlement.apply(payment.pk, found).status == "succeeded"


def test_a_second_intent_beside_the_first_is_not_applied(provider: Server, draft: Draft, bill: Bill) -> None:
    """M4: one successful charge a payment; a second is work for staff."""
    payment = checkout.confirm(draft(5_000))
    first = gateway.intent(payment.stripe_payment_intent_id or "")
    settlement.apply(payment.pk, dataclasses.replace(first, id="pi_another"))
    assert WorkItem.objects.get().kind == "payment_conflict"
    assert balance(bill) == 13_500


def test_late_news_of_success_does_not_undo_a_refund(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS C11: the intent says succeeded for ever; the payment has moved on."""
    payment = checkout.confirm(draft(5_000))
    refunds.issue(payment, amount_cents=5_000, reason="asked", requested_by=real_cast.dana)
    settlement.apply(payment.pk, gateway.intent(payment.stripe_payment_intent_id or ""))
    assert Payment.objects.get(pk=payment.pk).status == "refunded"
    assert balance(bill) == 18_500


def test_money_that_came_after_all_is_never_called_failed(provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS A10: a payment that ended as failed, and whose intent then succeeds, is posted."""
    payment = checkout.confirm(draft(5_000, "pm_card_chargeDeclined"))
    assert payment.status == "failed"
    declined = gateway.intent(payment.stripe_payment_intent_id or "")
    paid = dataclasses.replace(declined, status="succeeded", received_cents=5_000, failure_code="")
    assert settlement.apply(payment.pk, paid).status == "succeeded"
    assert balance(bill) == 13_500


def test_an_event_row_is_unique_in_the_database(real_db: None) -> None:
    """C07 past the code: the database refuses a second row."""
    StripeEvent.objects.create(event_id="evt_9", type="x", body={})
    with pytest.raises(DatabaseError):
        StripeEvent.objects.create(event_id="evt_9", type="x", body={})


def test_an_outage_of_hours_parks_nothing(provider: Server, draft: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAULTS B26, M8: the pauses between tries double, so that the tries outlast the outage."""
    payment = checkout.confirm(draft(5_000))
    webhooks.take_in(found := event_of(payment), json.dumps(found))
    waited = dt.timedelta()
    with monkeypatch.context() as patch:
        patch.setattr(settings, "STRIPE_API_BASE", "http://127.0.0.1:9")
        for tries in range(1, webhooks.MAX_TRIES):
            before = timezone.now()
            assert webhooks.work_off() == 1
            event = StripeEvent.objects.get()
            assert (event.outcome, event.tries) == ("waiting", tries)
            waited += event.next_try_at - before
            StripeEvent.objects.update(next_try_at=timezone.now())
    assert waited > dt.timedelta(hours=3)
    webhooks.work_off()
    assert StripeEvent.objects.get().outcome == "processed"


def test_a_run_ends_in_time_and_leaves_the_rest_untried(
    provider: Server, draft: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAULTS B25, B27: what was claimed and not reached waits as before."""
    payment = checkout.confirm(draft(5_000))
    webhooks.take_in(found := event_of(payment), json.dumps(found))
    with monkeypatch.context() as patch:
        patch.setattr(webhooks, "MAX_SECONDS", -1.0)
        assert webhooks.work_off() == 0
    event = StripeEvent.objects.get()
    assert (event.outcome, event.tries) == ("waiting", 0)
    assert webhooks.work_off() == 1


def test_a_refund_of_a_payment_whose_reply_was_lost_is_booked(provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS C09, D09: the refund's event is the first that names the intent."""
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")
    payment = checkout.confirm(draft(5_000))
    intent_id = event_of(payment)["data"]["object"]["id"]
    stripe_client().v1.refunds.create({"payment_intent": intent_id, "amount": 1_000})
    found = {"id": "ch_x", "object": "charge", "payment_intent": intent_id, "metadata": {"payment": payment.number}}
    body = event_body(type="charge.refunded", data={"object": found})
    webhooks.take_in(json.loads(body), body)
    webhooks.work_off()
    assert StripeEvent.objects.get().outcome == "processed"
    assert Payment.objects.get(pk=payment.pk).status == "partially_refunded"
    assert balance(bill) == 14_500
