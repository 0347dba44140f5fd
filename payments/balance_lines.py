"""The lines of Stripe's book as they are taken into ours: each once, with its fee and, of a payout, its posting.

A fee is the plan's, whatever it was for (FAULTS D18); a payout that came back is the same the other way round.
"""

from collections.abc import Iterable, Sequence

from django.utils import timezone

import ledger
from ledger import Posting
from ledger.chart import Code, SystemAccount
from ledger.opening import system_id
from ledger.transactions import atomic_with_retry
from payments.models import BalanceTransaction
from payments.provider import BalanceRow

# Types of balance transactions: docs.stripe.com/reports/balance-transaction-types.
CHARGES = ("charge", "payment")
REFUNDS = ("refund", "payment_refund")
FAILED_REFUNDS = ("refund_failure",)
FAILED_CHARGES = ("payment_failure_refund",)
DISPUTES = ("adjustment",)
PAYOUTS = ("payout", "payout_cancel", "payout_failure")
FEES = ("stripe_fee", "stripe_fx_fee", "tax_fee")


@atomic_with_retry
def store(rows: Sequence[BalanceRow]) -> list[BalanceRow]:
    """Keep the lines that are new, and post their fees and payouts; return those that were kept with other amounts."""
    standing = {
        line.stripe_id: (line.amount_cents, line.fee_cents)
        for line in BalanceTransaction.objects.filter(stripe_id__in=[row.id for row in rows])
    }
    new = [row for row in rows if row.id not in standing]
    BalanceTransaction.objects.bulk_create([_line(row) for row in new], ignore_conflicts=True)
    ledger.post_many([posting for row in new for posting in _postings(row)])
    return [row for row in rows if standing.get(row.id, (row.amount_cents, row.fee_cents)) != _amounts(row)]


def fee_cents(row: BalanceRow) -> int:
    """What Stripe took for itself by a line, US cents; below 0 where it gave back."""
    return row.fee_cents - (row.amount_cents if row.type in FEES else 0)


def payout_cents(row: BalanceRow) -> int:
    """What went to the plan's bank by a line, US cents; below 0 where it came back."""
    return -row.amount_cents if row.type in PAYOUTS else 0


def _amounts(row: BalanceRow) -> tuple[int, int]:
    return row.amount_cents, row.fee_cents


def _line(row: BalanceRow) -> BalanceTransaction:
    is_settled = row.type in (*PAYOUTS, *FEES)
    return BalanceTransaction(
        stripe_id=row.id,
        type=row.type[:40],
        category=row.category[:40],
        source_id=row.source_id,
        amount_cents=row.amount_cents,
        fee_cents=row.fee_cents,
        net_cents=row.net_cents,
        created_at=row.created_at,
        outcome=BalanceTransaction.Outcome.MATCHED if is_settled else BalanceTransaction.Outcome.WAITING,
    )


def _postings(row: BalanceRow) -> Iterable[Posting]:
    # Word for word as payments.fees posts the fee of a dispute: whoever comes first, it is one transfer.
    yield from _posting(row, fee_cents(row), Code.STRIPE_FEE, "fee", f"balance:{row.id}", SystemAccount.STRIPE_FEES)
    yield from _posting(row, payout_cents(row), Code.PAYOUT, "payout", f"payout:{row.source_id}", SystemAccount.BANK)


def _posting(
    row: BalanceRow, cents: int, code: Code, word: str, reference: str, account: SystemAccount
) -> Iterable[Posting]:
    if not cents:
        return
    there, clearing = system_id(account), system_id(SystemAccount.STRIPE_CLEARING)
    yield Posting(
        debit_id=there if cents > 0 else clearing,
        credit_id=clearing if cents > 0 else there,
        amount_cents=abs(cents),
        code=code,
        key=f"{word}:{row.id}",
        reference=reference,
        effective_on=row.created_at.date(),
    )


def suspend(line: BalanceTransaction) -> None:
    """Put what a line moved to suspense, or take it from there: once for the line, in the caller's transaction."""
    suspense, clearing = system_id(SystemAccount.SUSPENSE), system_id(SystemAccount.STRIPE_CLEARING)
    came = line.amount_cents > 0
    if line.amount_cents:
        ledger.post(
            Posting(
                debit_id=clearing if came else suspense,
                credit_id=suspense if came else clearing,
                amount_cents=abs(line.amount_cents),
                code=Code.SUSPENSE_RECEIVED if came else Code.SUSPENSE_EXPLAINED,
                key=f"suspense:{line.stripe_id}",
                reference=f"balance:{line.stripe_id}",
                effective_on=line.created_at.date(),
            )
        )


def explain(line: BalanceTransaction, *, reference: str) -> None:
    """Take what a line brought out of suspense again, for the payment that it is found to be."""
    ledger.post(
        Posting(
            debit_id=system_id(SystemAccount.SUSPENSE),
            credit_id=system_id(SystemAccount.STRIPE_CLEARING),
            amount_cents=line.amount_cents,
            code=Code.SUSPENSE_EXPLAINED,
            key=f"explained:{line.stripe_id}",
            reference=reference,
            effective_on=timezone.localdate(),
        )
    )
