"""Bringing every undecided payment to its end: the provider is asked until it has answered (DESIGN section 9).

Postgres holds what is undecided, so nothing is lost with Redis, a worker or a webhook (FAULTS B02 to B04, C14, E04).
"""

import datetime as dt
import logging
import time

from django.db import connection
from django.db.models import F
from django.utils import timezone

from activity.recording import open_work
from payments import checkout, customers, gateway, moving, refusing, settlement
from payments.models import Payment
from payments.provider import GatewayError, Intent, ServerError, Unauthorized
from payments.states import IN_FLIGHT, PaymentStatus

logger = logging.getLogger(__name__)

BATCH = 100
FIRST_PAUSE = dt.timedelta(seconds=20)
LONGEST_PAUSE = dt.timedelta(hours=1)
DEADLINE = dt.timedelta(hours=1)  # after it, what is still unknown is work for staff too (M10)
KEY_LIFE = dt.timedelta(hours=20)  # the provider keeps an idempotency key for 24 hours
GUEST_ACTION_LIFE = dt.timedelta(hours=1)  # a guest's visit ends then: nobody can answer, and the bill is payable again
ACTION_LIFE = dt.timedelta(hours=24)  # an open 3-D Secure step is canceled then (FAULTS B17)
# A payer who was not there needs the mail first.
ACTION_LIVES = {
    Payment.Channel.GUEST: GUEST_ACTION_LIFE,
    Payment.Channel.AUTOPAY: dt.timedelta(days=3),
    Payment.Channel.PLAN: dt.timedelta(days=3),
}
MAX_ATTEMPTS = 3
MAX_SECONDS = 50.0  # of one run: of a provider that does not answer, each payment costs a time-out

# Claiming moves asked_at on, so that two sweepers never ask about the same payment at the same time. The pause grows
# with the age of the payment: a tenth of it.
CLAIM = """
    UPDATE payments_payment SET asked_at = %(now)s WHERE id IN (
        SELECT id FROM payments_payment
        WHERE status = ANY(%(in_flight)s)
          AND asked_at <= %(now)s - least(make_interval(secs => %(longest)s),
                    greatest(make_interval(secs => %(first)s), (%(now)s - submitted_at) / 10))
        ORDER BY asked_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
    RETURNING id
"""


def run(*, limit: int = BATCH, now: dt.datetime | None = None) -> int:
    """Ask about the undecided payments whose turn it is; how many. 0 where our key is refused: it stops then.

    The alarm is a work item, one a day (FAULTS B10).
    """
    now = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM,
            {
                "now": now, "limit": limit,
                "first": FIRST_PAUSE.total_seconds(), "longest": LONGEST_PAUSE.total_seconds(),
                "in_flight": [str(status) for status in IN_FLIGHT],
            },
        )  # fmt: skip
        claimed = [row[0] for row in cursor.fetchall()]
    stop = time.monotonic() + MAX_SECONDS
    for done, payment_id in enumerate(claimed):
        if time.monotonic() > stop:
            return done
        try:
            resolve(moving.current(payment_id), now=now)
        except Unauthorized:
            refusing.report_unauthorized(f"payment:{moving.current(payment_id).number}")
            return 0
        except Exception:  # whatever is wrong with one payment must not stop the others
            logger.exception("payment %s could not be asked about", payment_id)
    return len(claimed)


def resolve(payment: Payment, *, now: dt.datetime | None = None) -> Payment:
    """Ask the provider about one payment and apply the answer. It stays as it is where there is none.

    Raises provider.Unauthorized.
    """
    now = now or timezone.now()
    age = now - (payment.submitted_at or now)
    if payment.status not in IN_FLIGHT:
        return payment
    try:
        payment = _ask_again(payment, age) if payment.stripe_payment_intent_id else _find_or_send(payment, age)
    except Unauthorized:
        raise
    except GatewayError:
        payment = moving.current(payment.pk)
    if payment.status == PaymentStatus.SUBMITTED and age > DEADLINE:
        open_work(
            "payment_unknown",
            subject=f"payment:{payment.number}",
            dedupe_key=f"unknown:{payment.pk}",
            detail="The provider has not said what became of this payment. Look it up there by its number.",
        )
    return payment


def refresh(payment: Payment) -> Payment:
    """Fetch a payment's intent and apply it: for the return page and for webhooks. Raises provider.GatewayError."""
    if payment.stripe_payment_intent_id:
        return settlement.apply(payment.pk, gateway.intent(payment.stripe_payment_intent_id))
    return resolve(payment)


def adopt(payment: Payment, intent_id: str) -> Payment:
    """Apply an intent that a webhook told of before the reply did (FAULTS C09). Raises provider.GatewayError."""
    return settlement.apply(payment.pk, gateway.intent(intent_id))


def _ask_again(payment: Payment, age: dt.timedelta) -> Payment:
    assert payment.stripe_payment_intent_id is not None
    payment = settlement.apply(payment.pk, gateway.intent(payment.stripe_payment_intent_id))
    life = ACTION_LIVES.get(Payment.Channel(payment.channel), ACTION_LIFE)
    if payment.status == PaymentStatus.REQUIRES_ACTION and age > life:
        return checkout.abandon(payment, actor="system")
    return payment


def _find_or_send(payment: Payment, age: dt.timedelta) -> Payment:
    """Look for the intent first; where there is none, repeat the call with the committed key while that is kept."""
    if (found := _find(payment)) is not None:
        return settlement.apply(payment.pk, found)
    if age > KEY_LIFE:
        return moving.move(payment.pk, PaymentStatus.FAILED, actor="system", failure_code="never_sent")
    try:
        return checkout.transmit(payment)
    except ServerError:
        # A stored 5xx is answered to this key for ever. Another key only once the provider has no charge (FAULTS B04).
        if (found := _find(payment)) is not None:
            return settlement.apply(payment.pk, found)
        Payment.objects.filter(
            pk=payment.pk, attempt=payment.attempt, attempt__lt=MAX_ATTEMPTS, status=PaymentStatus.SUBMITTED
        ).update(attempt=F("attempt") + 1)
        raise


def _find(payment: Payment) -> Intent | None:
    return gateway.find_intent(
        payment_number=payment.number,
        customer_id=customers.known(payment),
        since=payment.submitted_at or payment.created_at,
    )
