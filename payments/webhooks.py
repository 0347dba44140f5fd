"""Stripe's webhooks: taken in once by their event id, answered at once, worked off later in any order.

A handler takes only the id from an event, and fetches the object as it stands now; so it does not matter whether events
come late, twice, or the older after the newer (FAULTS C).
"""

import datetime as dt
import json
import logging
import time
from typing import Any

from django.db import OperationalError, connection
from django.db.models import F
from django.utils import timezone

from activity.doorbell import ring_for_many
from activity.recording import open_work
from payments import disputes, gateway, method_news, refunds, sweeping
from payments.models import Payment, StripeEvent
from payments.provider import GatewayError

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 512 * 1024
BATCH = 200
MAX_TRIES = 10
MAX_SECONDS = 50.0  # of one run, as in payments.sweeping
PROVIDER_KEEPS = dt.timedelta(days=30)  # docs.stripe.com/api/events
OVERLAP = dt.timedelta(hours=1)
LEASE = dt.timedelta(minutes=1)

INSERT = """
    INSERT INTO payments_stripeevent
        (event_id, type, object_id, api_version, body, outcome, reason, tries, next_try_at, received_at)
    VALUES (%s, %s, %s, %s, %s, 'waiting', '', 0, now(), now()) ON CONFLICT (event_id) DO NOTHING
"""

# The lease doubles with every try, to hours in all: an outage of the provider is no work for staff (FAULTS B26).
CLAIM = """
    UPDATE payments_stripeevent
    SET tries = tries + 1, next_try_at = now() + make_interval(secs => %s * least(power(2, tries), 64)) WHERE id IN (
        SELECT id FROM payments_stripeevent WHERE outcome = 'waiting' AND next_try_at <= now()
        ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING id
"""


def receive(body: bytes, signature: str) -> bool:
    """Store a signed event, once; whether it is new. Raises provider.Refused and WrongMode, storing nothing."""
    event = gateway.verify_event(body, signature, now=timezone.now())
    return take_in(event, body.decode())


def take_in(event: dict[str, Any], body: str) -> bool:
    """Store an event that is known to be the provider's own; whether it is new."""
    found = event.get("data", {}).get("object") or {}
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT,
            [event["id"], str(event["type"])[:80], str(found.get("id", ""))[:60], event.get("api_version") or "", body],
        )
        is_new = bool(cursor.rowcount)
    if is_new:
        ring_for_many("payments.tasks.work_off_inbox")
    return is_new


def work_off(*, limit: int = BATCH) -> int:
    """Work off events that wait, for MAX_SECONDS; how many were tried. Safe to run twice at once, and after a crash."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [LEASE.total_seconds(), limit])
        claimed = [row[0] for row in cursor.fetchall()]
    stop = time.monotonic() + MAX_SECONDS
    for done, event in enumerate(StripeEvent.objects.filter(pk__in=claimed).order_by("pk")):
        if time.monotonic() > stop:  # the rest has not been tried: its turn is given back
            rest = StripeEvent.objects.filter(pk__in=claimed, pk__gte=event.pk, outcome=StripeEvent.Outcome.WAITING)
            rest.update(tries=F("tries") - 1, next_try_at=timezone.now())
            return done
        _work_off(event)
    return len(claimed)


def _work_off(event: StripeEvent) -> None:
    try:
        outcome, reason = handle(event)
    except (GatewayError, OperationalError) as error:  # not now: no answer, or a lock that was not to be had
        if event.tries < MAX_TRIES:
            return  # it waits, and is tried again when its lease ends
        outcome, reason = StripeEvent.Outcome.PARKED, f"{type(error).__name__} after {event.tries} tries"
    except Exception as error:  # whatever is wrong with one event must not stop the others (FAULTS B19)
        logger.exception("event %s could not be worked off", event.event_id)
        outcome, reason = StripeEvent.Outcome.PARKED, type(error).__name__
    if outcome == StripeEvent.Outcome.PARKED:
        open_work(
            "webhook_parked",
            subject=f"event:{event.event_id}",
            dedupe_key=f"parked:{event.event_id}",
            detail=f"{event.type}: {reason}",
        )
    StripeEvent.objects.filter(pk=event.pk, outcome=StripeEvent.Outcome.WAITING).update(
        outcome=outcome, reason=reason[:300], processed_at=timezone.now()
    )


def handle(event: StripeEvent) -> tuple[StripeEvent.Outcome, str]:
    """Do what an event asks for; its outcome and, where it is ignored or parked, why."""
    found = event.body["data"]["object"]
    family = event.type.split(".")[0]
    if event.type.startswith("charge.dispute."):
        return _dispute(found)
    if family == "payment_intent":
        return _payment(found.get("id"), found.get("metadata") or {})
    if family in ("charge", "refund"):
        is_refund = family == "refund" or "refund" in event.type
        return _payment(found.get("payment_intent"), found.get("metadata") or {}, is_refund=is_refund)
    if (answer := method_news.handle(event.type, found)) is not None:
        return answer
    return StripeEvent.Outcome.IGNORED, "the portal has no use for this type"


def _payment(
    intent_id: str | None, metadata: dict[str, str], *, is_refund: bool = False
) -> tuple[StripeEvent.Outcome, str]:
    payment = Payment.objects.filter(stripe_payment_intent_id=intent_id).first() if intent_id else None
    if payment is None and (number := metadata.get("payment")):
        payment = Payment.objects.filter(number=number).first()
        if payment is None:
            return StripeEvent.Outcome.PARKED, "it names a payment that is not in the book"
    if payment is None:
        return StripeEvent.Outcome.IGNORED, "not a payment of the portal's"
    if payment.stripe_payment_intent_id is None and intent_id:
        payment = sweeping.adopt(payment, intent_id)
    else:
        payment = sweeping.refresh(payment)
    if is_refund:
        refunds.refresh(payment)
    return StripeEvent.Outcome.PROCESSED, ""


def _dispute(found: dict[str, Any]) -> tuple[StripeEvent.Outcome, str]:
    """A dispute of a payment, or a bank's return: fetched as it stands, after the payment itself (FAULTS D03)."""
    intent_id = found.get("payment_intent")
    payment = Payment.objects.filter(stripe_payment_intent_id=intent_id).first() if intent_id else None
    if payment is None and found.get("charge"):
        payment = Payment.objects.filter(stripe_charge_id=found["charge"]).exclude(stripe_charge_id="").first()
    if payment is None and intent_id:  # the reply that named the intent was lost (FAULTS C09)
        payment = Payment.objects.filter(number=gateway.intent(intent_id).payment_number).first()
        payment = payment and sweeping.adopt(payment, intent_id)
    if payment is None:
        return StripeEvent.Outcome.IGNORED, "not a payment of the portal's"
    disputes.refresh(sweeping.refresh(payment))
    return StripeEvent.Outcome.PROCESSED, ""


def catch_up(since: dt.datetime | None = None) -> int:
    """Take in every event that never reached us; how many are new (FAULTS C14, C22). Raises provider.GatewayError.

    Since a moment; without one since an hour before the last that came, so however long the endpoint was down. What is
    older than the provider keeps is not lost: the sweeper asks for each undecided payment itself.
    """
    if since is None:
        last = StripeEvent.objects.order_by("-pk").values_list("received_at", flat=True).first()
        since = (last or timezone.now() - PROVIDER_KEEPS) - OVERLAP
    return sum(take_in(event, json.dumps(event)) for event in gateway.events_since(since))
