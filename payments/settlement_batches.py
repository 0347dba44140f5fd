"""Settling many first answers at once, as the autopay run hears them: nearly all say that the charge succeeded.

Those that say no more than that are settled in one transaction, a statement a table, for a tenth of what as many cost
by themselves. Where there is more to look at, and all of them where the database refuses, go to `settlement.apply`.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import DatabaseError, connection
from django.utils import timezone

import ledger
from activity.doorbell import ring
from activity.models import Event
from activity.recording import record_many
from ledger import LedgerError, Posting
from ledger.chart import Code
from ledger.locking import hold
from ledger.transactions import atomic_with_retry
from payments import settlement
from payments.autopay import outcomes
from payments.models import Payment
from payments.moving import OFF_SESSION, LostRace
from payments.provider import Intent
from payments.states import PaymentStatus

logger = logging.getLogger(__name__)

ACTOR = "stripe"

# Of a bill that several of them pay, the balance is looked at once and counted down: in the order of the payments.
SHARES = """
    SELECT a.payment_id, a.bill_id, b.receivable_id, a.amount_cents FROM payments_paymentallocation a
    JOIN bills_bill b ON b.id = a.bill_id WHERE a.payment_id = ANY(%s) ORDER BY a.payment_id, b.receivable_id
"""
SET_SUCCEEDED = """
    UPDATE payments_payment p SET status = 'succeeded', failure_code = '', asked_at = %(now)s, settled_at = %(now)s,
        stripe_payment_intent_id = d.intent, stripe_charge_id = coalesce(d.charge, p.stripe_charge_id),
        method_kind = coalesce(d.kind, p.method_kind), method_brand = coalesce(d.brand, p.method_brand),
        method_last4 = coalesce(d.last4, p.method_last4), method_wallet = coalesce(d.wallet, p.method_wallet)
    FROM unnest(%(ids)s::bigint[], %(intents)s::text[], %(charges)s::text[], %(kinds)s::text[], %(brands)s::text[],
        %(last4s)s::text[], %(wallets)s::text[]) AS d (id, intent, charge, kind, brand, last4, wallet)
    WHERE p.id = d.id AND p.status = 'submitted'
"""


def apply_many(answers: Sequence[tuple[int, Intent]]) -> list[str]:
    """`settlement.apply` to each; the status of each payment afterwards, in the order of the answers."""
    plain = {payment_id: intent for payment_id, intent in answers if intent.status == "succeeded"}
    settled: set[int] = set()
    if plain:
        try:
            settled = settle(plain)
        except (LedgerError, LostRace, DatabaseError) as error:
            logger.warning("%s answers are settled one by one (%s)", len(plain), type(error).__name__)
    return [
        str(PaymentStatus.SUCCEEDED) if payment_id in settled else settlement.apply(payment_id, intent).status
        for payment_id, intent in answers
    ]


@atomic_with_retry
def settle(answers: Mapping[int, Intent]) -> set[int]:
    """Settle those of these successes with which all is as expected; which. All in one transaction, or none.

    Locks the payments, then their charges, then the receivables, as `settlement.apply` does.
    """
    locked = Payment.objects.select_for_update().filter(pk__in=answers).order_by("pk")
    found = [payment for payment in locked if _is_plain(payment, answers[payment.pk])]
    shares = _shares([payment.pk for payment in found])
    balances = hold({share[1] for of_one in shares.values() for share in of_one})
    going: list[Payment] = []
    postings: list[Posting] = []
    for payment in found:
        if all(cents <= balances[receivable_id] for _bill_id, receivable_id, cents in shares[payment.pk]):
            going.append(payment)
            for bill_id, receivable_id, cents in shares[payment.pk]:
                balances[receivable_id] -= cents
                postings.append(
                    settlement.posting(
                        payment, bill_id=bill_id, account_id=receivable_id, cents=cents, code=Code.PAYMENT
                    )
                )
    if going:
        _write(going, answers, postings)
    return {payment.pk for payment in going}


def _is_plain(payment: Payment, intent: Intent) -> bool:
    """Whether success is all that there is to it: a first answer, for what was asked, with nothing else to be kept."""
    return (
        payment.status == PaymentStatus.SUBMITTED
        and payment.channel in OFF_SESSION
        and payment.retry_of_id is None
        and not payment.saves_method
        and not intent.mandate_id
        and not settlement.mismatch(payment, intent)
    )


def _shares(payment_ids: Sequence[int]) -> dict[int, list[tuple[int, int, int]]]:
    """What each payment is for: bill, its receivable, US cents."""
    shares: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(SHARES, [list(payment_ids)])
        for payment_id, *share in cursor.fetchall():
            shares[payment_id].append((share[0], share[1], share[2]))
    return shares


def _write(going: Sequence[Payment], answers: Mapping[int, Intent], postings: Sequence[Posting]) -> None:
    """The status, the event, the charge and the transfers of each. Raises LostRace, and what the book refuses."""
    intents = [answers[payment.pk] for payment in going]
    given: dict[str, Any] = {
        "now": timezone.now(),
        "ids": [payment.pk for payment in going],
        "intents": [intent.id for intent in intents],
        "charges": [intent.charge_id or None for intent in intents],
        # What was charged with is written whole or not at all.
        "kinds": [intent.method.kind or None for intent in intents],
        "brands": [intent.method.brand if intent.method.kind else None for intent in intents],
        "last4s": [intent.method.last4 if intent.method.kind else None for intent in intents],
        "wallets": [intent.method.wallet if intent.method.kind else None for intent in intents],
    }
    with connection.cursor() as cursor:
        cursor.execute(SET_SUCCEEDED, given)
        if cursor.rowcount != len(going):
            raise LostRace("a payment was moved under its lock")
    record_many(_event(payment) for payment in going)
    if outcomes.succeeded([payment.pk for payment in going]) != len(going):
        raise LostRace("a charge is not as its payment was")
    ledger.post_many(postings)
    ring("notifications.tasks.work_off")


def _event(payment: Payment) -> Event:
    return Event(
        kind=f"payment.{PaymentStatus.SUCCEEDED}",
        subject=f"payment:{payment.number}",
        owner_id=payment.household_id,
        from_status=payment.status,
        to_status=PaymentStatus.SUCCEEDED,
        actor=ACTOR,
        reason="",
        data={"payment_id": payment.pk, "code": ""},
    )
