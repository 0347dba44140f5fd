"""From what happened to whom it is told: notices are made from events, once, in the transaction that marks them done.

Only ids are kept here: what a notice says is rendered, and checked again, at the moment of sending.
"""

import logging
from collections.abc import Iterator

from django.db import connection, transaction
from django.utils import timezone

from activity.models import Event
from notifications.models import Notification
from payments.models import Payment, PaymentMethod

logger = logging.getLogger(__name__)

BATCH = 200
SKIP_BATCH = 5_000

# Which events are told, and as what. Everything else is only marked as done.
PAYMENT_NOTICES = {
    "payment.succeeded": "receipt",
    "payment.failed": "payment_failed",
    "payment.processing": "payment_on_its_way",
}
REFUND_NOTICES = {
    "refund.succeeded": "refund_sent",
    "refund.failed": "refund_failed",
    "refund.canceled": "refund_failed",
}
METHOD_NOTICES = {
    "method.kept": "method_kept",
    "method.removed": "method_removed",
    "method.renewed": "method_renewed",
}
SECOND_CLAIM = "enrolment.second_claim"
TOLD = [*PAYMENT_NOTICES, *REFUND_NOTICES, *METHOD_NOTICES, SECOND_CLAIM]

SKIP = """
    UPDATE activity_event SET processed_at = now() WHERE id IN (
        SELECT id FROM activity_event WHERE processed_at IS NULL AND kind <> ALL(%s)
        ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
"""


def make() -> int:
    """Make notices of every event that waits; how many events were worked off. Two workers share the work."""
    done = 0
    while True:
        told, skipped = _make_some(), _skip_some()
        done += told + skipped
        if told < BATCH and skipped < SKIP_BATCH:
            return done


@transaction.atomic
def _make_some() -> int:
    waiting = Event.objects.filter(processed_at__isnull=True, kind__in=TOLD).order_by("pk")
    events = list(waiting.select_for_update(skip_locked=True)[:BATCH])
    made = [notice for event in events for notice in _readable(event)]
    Notification.objects.bulk_create(made, ignore_conflicts=True)  # dedupe_key: a fact is told once
    Event.objects.filter(pk__in=[event.pk for event in events]).update(processed_at=timezone.now())
    return len(events)


def _skip_some() -> int:
    with connection.cursor() as cursor:
        cursor.execute(SKIP, [TOLD, SKIP_BATCH])
        return int(cursor.rowcount)


def _readable(event: Event) -> list[Notification]:
    """The notices of an event; none of one that does not carry what they need, which must not stop all others."""
    try:
        return list(_notices_of(event))
    except (KeyError, TypeError, ValueError):
        logger.exception("nobody could be told of event %s", event.pk)
        return []


def _notices_of(event: Event) -> Iterator[Notification]:
    if kind := PAYMENT_NOTICES.get(event.kind):
        yield from _to_payer(event, kind, f"{kind}:{event.data['payment_id']}")
    elif kind := REFUND_NOTICES.get(event.kind):
        yield from _to_payer(event, kind, f"{kind}:{event.data['refund_id']}")
    elif kind := METHOD_NOTICES.get(event.kind):
        yield from _to_owner(event, kind)
    elif event.kind == SECOND_CLAIM:  # who holds the member is told, once for each who claims it too (FAULTS H24)
        held_by, claimed_by = event.data["held_by"], event.data["claimed_by"]
        yield _notice("second_claim", event.subject, held_by, f"{event.subject}:claimed-by:{claimed_by}")


def _to_payer(event: Event, kind: str, key: str) -> Iterator[Notification]:
    """The payer alone: whose bill it was is nobody else's business (FAULTS F13, L02)."""
    payment = Payment.objects.filter(pk=event.data["payment_id"], payer__isnull=False).first()
    if payment is not None and payment.payer_id is not None:
        yield _notice(kind, f"payment:{payment.number}", payment.payer_id, key)


def _to_owner(event: Event, kind: str) -> Iterator[Notification]:
    name = event.subject.removeprefix("method:")
    found = (
        PaymentMethod.objects.filter(pk=int(name)) if name.isdecimal() else PaymentMethod.objects.filter(stripe_id=name)
    )
    method = found.first()
    if method is not None:
        # A card can be renewed more than once; it is kept and removed once.
        key = f"{kind}:{event.pk}" if kind == "method_renewed" else f"{kind}:{method.pk}"
        yield _notice(kind, f"method:{method.pk}", method.user_id, key)


def _notice(kind: str, subject: str, user_id: int, key: str) -> Notification:
    return Notification(
        kind=kind, subject=subject, user_id=user_id, dedupe_key=f"{key}:{user_id}", next_try_at=timezone.now()
    )
