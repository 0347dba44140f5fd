"""Payouts against their parts (FAULTS D23, D24, M17), and lines of Stripe's book that are no longer what they were."""

from django.db.models import Sum

from payments import findings, gateway, statement
from payments.models import BalanceTransaction, Finding, ReconciliationRun
from payments.provider import BalanceRow

PAYOUT = "payout"


def compare(run: ReconciliationRun) -> None:
    """Hold every payout that was not held yet against its parts: an automatic one is their sum."""
    lines = BalanceTransaction.objects.filter(type=PAYOUT, payout_id="").order_by("pk")
    for line in lines.iterator(chunk_size=200):
        payout = statement.payout(line.source_id)
        if payout.is_automatic:
            _compare(line, run)
        else:
            findings.open_finding(
                Finding.Kind.MANUAL_PAYOUT, payout.id, run=run, detail=findings.NOTHING_TO_DO,
                there_cents=payout.amount_cents,
            )  # fmt: skip
        BalanceTransaction.objects.filter(pk=line.pk).update(payout_id=payout.id)


def _compare(line: BalanceTransaction, run: ReconciliationRun) -> None:
    parts, ids = 0, []
    for row in gateway.balance_rows(payout=line.source_id):
        if row.source_id != line.source_id:  # money of an earlier payout that failed is a part like any other
            parts += row.net_cents
            ids.append(row.id)
    mine = BalanceTransaction.objects.filter(stripe_id__in=ids)
    here = mine.aggregate(cents=Sum("net_cents"))["cents"] or 0
    mine.update(payout_id=line.source_id)
    if not parts == here == -line.amount_cents:
        findings.open_finding(
            Finding.Kind.PAYOUT, line.source_id, run=run, here_cents=here, there_cents=-line.amount_cents,
            detail=f"Payout {line.source_id} is not the sum of its parts: Stripe lists {parts} cents, {here} are here.",
        )  # fmt: skip


def changed(row: BalanceRow, *, run: ReconciliationRun) -> None:
    """A line that was kept with other amounts than Stripe names now: an alarm, and nothing is changed (FAULTS D21)."""
    line = BalanceTransaction.objects.get(stripe_id=row.id)
    findings.open_finding(
        Finding.Kind.DIFFERS, row.id, run=run, here_cents=line.amount_cents, there_cents=row.amount_cents,
        detail=f"Stripe's line {row.id} is no longer what it was.",
    )  # fmt: skip
