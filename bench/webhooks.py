"""`webhooks`: a burst of signed events, against inserting the same rows in an empty view of the same gunicorn."""

import hashlib
import hmac
import itertools
import json
import time

import redis
from django.conf import settings

from bench import databases, serving
from bench.databases import execute
from bench.frame import Run, benchmark
from payments import gateway, webhooks
from payments.models import StripeEvent

CLIENTS = 16
TWICE_EVERY = 10  # the provider sends some events again

_numbers = itertools.count(1)


def event() -> bytes:
    """An event as the provider writes it, about a payment that is not the portal's: none is fetched to work it off."""
    number = next(_numbers)
    intent = {
        "id": f"pi_bench_{number}", "object": "payment_intent", "amount": 12_345, "amount_received": 12_345,
        "currency": "usd", "status": "succeeded", "payment_method": f"pm_bench_{number}", "metadata": {},
        "latest_charge": f"ch_bench_{number}", "payment_method_types": ["card"], "livemode": False,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}}, "description": None,
        "last_payment_error": None, "next_action": None, "receipt_email": None, "transfer_data": None,
    }  # fmt: skip
    body = {
        "id": f"evt_bench_{number}", "object": "event", "type": "payment_intent.succeeded", "livemode": False,
        "api_version": gateway.API_VERSION, "created": int(time.time()), "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None}, "data": {"object": intent},
    }  # fmt: skip
    return json.dumps(body, indent=2).encode()


def signed(body: bytes) -> bytes:
    """The request with which the provider sends it."""
    stamp = int(time.time())
    digest = hmac.new(serving.SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Content_Type": "application/json", "Stripe_Signature": f"t={stamp},v1={digest}"}
    return serving.request("POST", "/webhooks/stripe/", body, **headers)


def bare(body: bytes) -> bytes:
    """The same for the yardstick."""
    return serving.request("POST", "/bare/insert/", body, Content_Type="application/json")


@benchmark("webhooks", size=1_000, full=5_000)
def burst(run: Run) -> None:
    """A burst of signed events from 16 keep-alive clients, against inserting the same rows in an empty view."""
    databases.fresh()
    settings.CELERY_BROKER_URL = serving.redis_url()
    broker = redis.Redis.from_url(serving.redis_url())
    broker.flushdb()
    bodies: list[bytes] = []
    late: list[float] = []

    def anew() -> None:
        execute("TRUNCATE payments_stripeevent")
        bodies[:] = [event() for _ in range(run.size)]

    with serving.gunicorn() as port:

        def ours() -> float:
            sent = [signed(body) for body in bodies]
            answers = serving.load(port, sent, clients=CLIENTS)
            assert not answers.errors, answers.errors[:3]
            late.append(answers.at(0.99))
            return answers.seconds

        def yardstick() -> float:
            answers = serving.load(port, [bare(body) for body in bodies], clients=CLIENTS)
            assert not answers.errors, answers.errors[:3]
            return answers.seconds

        run.compare(f"{CLIENTS} clients", ours, yardstick, work=run.size, before=anew, at_least=0.5)
        run.figure("acknowledged, 99 % within", sorted(late)[len(late) // 2], "ms", at_most=250)
        anew()
        again = bodies[::TWICE_EVERY]
        serving.load(port, [signed(body) for body in [*bodies, *again]], clients=CLIENTS)
    began = time.perf_counter()
    while webhooks.work_off():
        pass
    run.figure("worked off", run.size / (time.perf_counter() - began), "1/s")
    run.figure("rows, to events sent", StripeEvent.objects.count() / run.size, "", at_least=1, at_most=1)
    left = StripeEvent.objects.exclude(tries=1, outcome=StripeEvent.Outcome.IGNORED).count()
    run.figure("not worked off exactly once", left, "", at_most=0)
    broker.flushdb()
