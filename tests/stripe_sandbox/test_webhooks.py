"""Webhooks: signed as Stripe signs, again until accepted; and twice, late, out of order, lost or forged."""

import json

import pytest
import stripe

from .conftest import SECRET, Endpoint, Server, pay


def test_a_payment_sends_signed_events_that_the_sdk_accepts(client: stripe.StripeClient, endpoint: Endpoint) -> None:
    """Serves C01 and C02: the right signature passes, one byte less does not."""
    pay(client)
    endpoint.wait_for(3)
    types = set()
    for body, signature in endpoint.received:
        types.add(client.construct_event(body, signature, SECRET).type)
        with pytest.raises(stripe.SignatureVerificationError):
            client.construct_event(body[:-1], signature, SECRET)
        with pytest.raises(stripe.SignatureVerificationError):
            client.construct_event(body, signature, "whsec_other")
    assert types == {"payment_intent.created", "charge.succeeded", "payment_intent.succeeded"}


def test_an_event_is_sent_again_until_it_is_accepted(
    sandbox: Server, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    """Serves C12 and C13: a 500 today, the same event later."""
    endpoint.status = 500
    client.v1.customers.create()
    first = endpoint.wait_for(1)[0]
    assert client.v1.events.retrieve(first["id"]).pending_webhooks == 1
    endpoint.status = 200
    sandbox.post("clock/advance", seconds=5)
    second = endpoint.wait_for(2)[1]
    assert first["id"] == second["id"]
    sandbox.post("webhooks/flush")
    assert client.v1.events.retrieve(first["id"]).pending_webhooks == 0
    assert client.v1.events.list({"delivery_success": True}).data


def test_an_endpoint_down_for_80_hours_loses_events_that_the_list_still_has(
    sandbox: Server, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    """Serves C14 and C15: given up after three days, listed for thirty."""
    sandbox.post("webhooks", down=True)
    customer = client.v1.customers.create()
    sandbox.post("webhooks/flush")
    for _ in range(80):
        sandbox.post("clock/advance", seconds=3600)
        sandbox.post("webhooks/flush")
    state = sandbox.post("webhooks", down=False)
    assert state["abandoned"] == 1
    sandbox.post("clock/advance", seconds=86400)
    assert endpoint.received == []
    assert client.v1.events.list().data[0].data.object["id"] == customer.id
    sandbox.post("clock/advance", seconds=27 * 86400)
    assert client.v1.events.list().data == []
    sandbox.post("events/keep_all", keep=True)
    assert len(client.v1.events.list().data) == 1


def test_copies_are_sent_as_often_as_told(sandbox: Server, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    """Serves C07: the same id ten times."""
    sandbox.post("webhooks", copies=10)
    client.v1.customers.create()
    assert len({event["id"] for event in endpoint.wait_for(10)}) == 1
    assert len(endpoint.received) == 10


def test_held_events_are_let_go_in_reverse(sandbox: Server, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    """Serves A16 and C11: the older event after the newer."""
    sandbox.post("settings", webhook_concurrency=1)
    sandbox.post("webhooks/pause")
    pay(client)
    assert endpoint.received == []
    sandbox.post("webhooks/resume", order="reversed")
    types = [event["type"] for event in endpoint.events()]
    assert types == ["payment_intent.succeeded", "charge.succeeded", "payment_intent.created"]


def test_a_random_order_repeats_with_its_seed(sandbox: Server, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    """Serves A16: a seeded shuffle, the same twice."""
    sandbox.post("settings", webhook_concurrency=1)
    orders = []
    for _ in range(2):
        endpoint.received.clear()
        sandbox.post("webhooks", hold=12, order="random", seed=7)
        for number in range(12):
            client.v1.customers.create({"name": str(number)})
        sandbox.post("webhooks/flush")
        orders.append([event["data"]["object"]["name"] for event in endpoint.events()])
    assert orders[0] == orders[1]
    assert orders[0] != sorted(orders[0], key=int) and len(orders[0]) == 12


def test_dropped_and_delayed_events(sandbox: Server, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    """Serves C09 and C14: lost for good, or hours late."""
    sandbox.post("webhooks", drop_next=1)
    client.v1.customers.create()
    sandbox.post("webhooks", delay_seconds=7200)
    late = client.v1.customers.create()
    sandbox.post("webhooks/flush")
    assert endpoint.received == []
    sandbox.post("clock/advance", seconds=7201)
    events = endpoint.wait_for(1)
    assert [event["data"]["object"]["id"] for event in events] == [late.id]


def test_an_event_can_be_sent_again_by_hand(sandbox: Server, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    """Serves C22: the dashboard's resend."""
    client.v1.customers.create()
    event = endpoint.wait_for(1)[0]
    sandbox.post(f"webhooks/resend/{event['id']}")
    assert [sent["id"] for sent in endpoint.wait_for(2)] == [event["id"]] * 2


@pytest.mark.parametrize(
    ("how", "accepted"),
    [
        ({}, True),
        ({"secret": "whsec_wrong"}, False),
        ({"age_seconds": 301}, False),
        ({"age_seconds": -3600}, True),
        ({"scheme": "v0"}, False),
    ],
)
def test_forged_events_are_told_apart_by_the_sdk(
    sandbox: Server, client: stripe.StripeClient, endpoint: Endpoint, how: dict[str, object], accepted: bool
) -> None:
    """Serves C01, C03, C04 and C19: other secret, too old, in the future, other scheme, livemode."""
    forged = sandbox.post("webhooks/forge", livemode=True, send=True, **how)
    body, signature = endpoint.received[-1]
    assert forged["status"] == 200 and json.loads(body)["livemode"] is True
    if accepted:
        assert client.construct_event(body, signature, SECRET).livemode
    else:
        with pytest.raises(stripe.SignatureVerificationError):
            client.construct_event(body, signature, SECRET)


def test_an_event_of_a_kind_nobody_knows(sandbox: Server, endpoint: Endpoint) -> None:
    """Serves C17 and C18: an unknown type, an object not ours."""
    sandbox.post("events", type="moon.landed", object={"id": "moon_1", "object": "moon"})
    assert endpoint.wait_for(1)[0]["type"] == "moon.landed"


def test_a_burst_of_events_is_delivered_whole(sandbox: Server, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    """Serves C16: a few hundred here, thousands in the benchmark."""
    sandbox.post("webhooks/pause")
    for _ in range(300):
        sandbox.post("events", type="sandbox.burst")
    state = sandbox.post("webhooks/resume")
    assert state["drained"] and len({event["id"] for event in endpoint.events()}) == 300
