"""Payments that are settled here and unknown at Stripe: frozen, so that nothing is sent back of what never came.

Stripe is asked for each by its charge before the alarm (FAULTS D20); once it is found there, the freeze is lifted.
"""

import datetime as dt
from collections.abc import Iterator

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from activity.recording import record
from ledger.transactions import atomic_with_retry
from payments import balance_lines, findings, gateway
from payments.models import BalanceTransaction, Finding, Payment, ReconciliationRun
from payments.states import IN_FLIGHT, PAPER_CHECK, SETTLED

SETTLING = dt.timedelta(minutes=60)  # what is younger may stand on one side only


def undecided(*, before: dt.datetime) -> Iterator[Payment]:
    """The payments on their way that were sent before a moment."""
    return Payment.objects.filter(status__in=IN_FLIGHT, submitted_at__lt=before).order_by("pk").iterator(chunk_size=200)


def compare(run: ReconciliationRun) -> None:
    """Freeze what settled in the run's time and has no line at Stripe; lift what has one by now."""
    for payment in _without_line(run).iterator(chunk_size=200):
        rows = list(gateway.balance_rows(source=payment.stripe_charge_id)) if payment.stripe_charge_id else []
        balance_lines.store(rows)
        if not rows and freeze(payment, run):
            run.only_here += 1
            run.only_here_cents += payment.amount_cents
    frozen = Finding.objects.filter(kind=Finding.Kind.ONLY_HERE, closed_at__isnull=True)
    for finding in frozen.select_related("payment"):
        assert finding.payment is not None
        charge_id = finding.payment.stripe_charge_id
        rows = list(gateway.balance_rows(source=charge_id)) if charge_id else []
        if rows:
            balance_lines.store(rows)
            lift(finding)


@atomic_with_retry
def freeze(payment: Payment, run: ReconciliationRun) -> bool:
    """Freeze a payment and ask staff to look; whether it was not frozen yet."""
    if not Payment.objects.filter(pk=payment.pk, frozen_at__isnull=True).update(frozen_at=timezone.now()):
        return False
    findings.open_finding(
        Finding.Kind.ONLY_HERE, payment.number, run=run, payment=payment, here_cents=payment.amount_cents,
        detail=f"Payment {payment.number} is settled here, and Stripe knows no charge {payment.stripe_charge_id}.",
    )  # fmt: skip
    record(
        "payment.frozen", subject=f"payment:{payment.number}", owner_id=payment.household_id, actor="system",
        payment_id=payment.pk,
    )  # fmt: skip
    return True


@atomic_with_retry
def lift(finding: Finding) -> None:
    """Lift the freeze: Stripe knows the charge after all."""
    assert finding.payment is not None
    Payment.objects.filter(pk=finding.payment.pk).update(frozen_at=None)
    findings.close(finding, resolution="Stripe knows the charge now.")


def _without_line(run: ReconciliationRun) -> QuerySet[Payment]:
    line = BalanceTransaction.objects.filter(source_id=OuterRef("stripe_charge_id"), type__in=balance_lines.CHARGES)
    settled = Payment.objects.filter(
        status__in=SETTLED, frozen_at__isnull=True, settled_at__lt=run.until - SETTLING
    ).exclude(method_kind=PAPER_CHECK)
    since = _since(run)
    if since is not None:
        settled = settled.filter(settled_at__gte=since - SETTLING)
    return settled.filter(~Exists(line)).order_by("pk")


def _since(run: ReconciliationRun) -> dt.datetime | None:
    """From when on nobody has looked for lines: what runs have listed that broke off before they looked is in it."""
    finished = ReconciliationRun.objects.filter(status=ReconciliationRun.Status.FINISHED, pk__lt=run.pk)
    last = finished.order_by("-pk").values_list("pk", flat=True).first()
    begun = ReconciliationRun.objects.filter(pk__gt=last or 0, pk__lte=run.pk).values_list("since", flat=True)
    known = [since for since in begun if since is not None]
    return min(known) if len(known) == len(begun) else None
