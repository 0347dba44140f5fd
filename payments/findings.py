"""What the two books do not say alike: opened once, with work for staff, and closed when they agree or by a person."""

from collections.abc import Mapping

from django.utils import timezone

from accounts.models import Household, User
from activity.doorbell import ring
from activity.models import WorkItem
from activity.recording import close_work, open_work, record
from bills.models import Bill
from ledger.transactions import atomic_with_retry
from payments import assigning, balance_lines, statement
from payments.assigning import Money
from payments.models import BalanceTransaction, Finding, Payment, ReconciliationRun
from payments.provider import GatewayError, Refused

Kind = Finding.Kind
WORK: Mapping[str, str] = {
    Kind.ONLY_THERE: WorkItem.Kind.SUSPENSE,
    Kind.ONLY_HERE: WorkItem.Kind.PAYMENT_FROZEN,
    Kind.DIFFERS: WorkItem.Kind.RECONCILIATION,
    Kind.PAYOUT: WorkItem.Kind.RECONCILIATION,
}
NOTHING_TO_DO = "Stripe does not list the parts of a manual payout: it is booked, and cannot be compared."


class FindingError(Exception):
    """What staff asked cannot be done with this finding; its text says why."""


@atomic_with_retry
def open_finding(
    kind: str,
    subject: str,
    *,
    run: ReconciliationRun,
    detail: str,
    payment: Payment | None = None,
    here_cents: int | None = None,
    there_cents: int | None = None,
    intent_id: str = "",
) -> tuple[Finding, bool]:
    """The open finding of a kind about a subject, and whether it is new: then staff are asked to look at it."""
    finding, is_new = Finding.objects.get_or_create(
        kind=kind,
        subject=subject[:60],
        closed_at=None,
        defaults={
            "run": run, "detail": detail, "payment": payment, "here_cents": here_cents, "there_cents": there_cents,
            "intent_id": intent_id,
        },
    )  # fmt: skip
    if is_new and kind in WORK:
        open_work(WORK[kind], subject=f"finding:{finding.pk}", dedupe_key=_work_key(finding), detail=detail)
    if is_new and kind == Kind.MANUAL_PAYOUT:
        close(finding, resolution=NOTHING_TO_DO)
    return finding, is_new


@atomic_with_retry
def suspend(
    line: BalanceTransaction, subject: str, *, run: ReconciliationRun, detail: str, intent_id: str = ""
) -> bool:
    """Put a line that nothing here explains to suspense, under the finding of its charge; whether that is new.

    Once for the line; what is left of the finding may come to nothing again: then it closes itself (FAULTS D19).
    """
    if BalanceTransaction.objects.select_for_update().get(pk=line.pk).outcome != BalanceTransaction.Outcome.WAITING:
        return False
    finding, is_new = open_finding(
        Kind.ONLY_THERE, subject, run=run, detail=detail, there_cents=line.amount_cents, intent_id=intent_id
    )
    balance_lines.suspend(line)
    BalanceTransaction.objects.filter(pk=line.pk).update(outcome=BalanceTransaction.Outcome.SUSPENSE, finding=finding)
    if finding.suspense_cents == 0:
        _settle_lines(finding)
        close(finding, resolution="The money went back: nothing of it is left in suspense.")
    return is_new


def close(finding: Finding, *, resolution: str, by: User | None = None) -> bool:
    """Close a finding, and the work about it, saying how; whether it was open."""
    closed = Finding.objects.filter(pk=finding.pk, closed_at__isnull=True).update(
        closed_at=timezone.now(), closed_by=by, resolution=resolution[:500]
    )
    if closed:
        close_work(_work_key(finding), reason=resolution)
        record(
            "finding.closed",
            subject=f"finding:{finding.pk}",
            actor=f"user:{by.pk}" if by else "system",
            reason=resolution[:500],
        )
    return bool(closed)


@atomic_with_retry
def settle(finding: Finding, *, by: User, reason: str) -> None:
    """Close a finding by a person's word. Raises FindingError where money of it is still in suspense."""
    finding = _open(finding)
    if finding.suspense_cents:
        raise FindingError("Its money is in suspense: put it to bills or a household, or refund it.")
    if not close(finding, resolution=reason, by=by):
        raise FindingError("The finding is closed already.")


@atomic_with_retry
def assign(finding: Finding, *, by: User, reason: str, bills: list[Bill], household: Household) -> Payment:
    """Put money in suspense to bills of one kind, and what they do not owe to household credit: as one payment.

    It becomes the payment that it would have been, with Stripe's charge; so it is refunded, disputed and reconciled as
    every other. Raises FindingError, and assigning.AssigningError.
    """
    finding = _open(finding)
    lines = list(finding.lines.select_for_update().filter(outcome=BalanceTransaction.Outcome.SUSPENSE))
    cents = finding.suspense_cents
    if finding.kind != Kind.ONLY_THERE or cents <= 0 or not lines:
        raise FindingError("There is no money of it in suspense.")
    if finding.refund_asked_at:
        raise FindingError("Its refund has been asked for.")
    if len({bill.kind for bill in bills}) > 1:
        raise FindingError("One charge pays medical bills or premiums, never both.")
    if len(lines) > 1:
        raise FindingError("A part of it went back at Stripe: refund the rest there, and it closes itself.")
    money = Money(
        cents=cents,
        received_on=timezone.localdate(lines[0].created_at),
        household=household,
        actor=f"user:{by.pk}",
        reason=reason,
        charge_id=finding.subject,
        intent_id=finding.intent_id,
    )
    [payment] = assigning.assign(money, bills)
    balance_lines.explain(lines[0], reference=f"payment:{payment.number}")
    _settle_lines(finding)
    Finding.objects.filter(pk=finding.pk).update(payment=payment)
    close(finding, resolution=reason, by=by)
    return payment


def refund(finding: Finding, *, by: User, reason: str) -> str:
    """Send what is left in suspense back to where it came from, once; what to say. Raises FindingError.

    That it was asked for is committed first. What comes of it is read from Stripe's book by the next reconciliation.
    """
    cents = _ask_for_refund(finding, by=by, reason=reason)
    try:
        statement.refund_charge(finding.subject, key=f"suspense-refund-{finding.pk}", amount_cents=cents)
    except Refused as error:
        Finding.objects.filter(pk=finding.pk).update(refund_asked_at=None)
        raise FindingError(f"Stripe did not take the refund ({error.code}).") from error
    except GatewayError:
        return "Stripe does not answer now: ask again later, it is sent once. Nothing is booked before Stripe has it."
    ring("payments.tasks.reconcile")
    return "The refund is sent. It is booked as soon as it stands in Stripe's book."


@atomic_with_retry
def _ask_for_refund(finding: Finding, *, by: User, reason: str) -> int:
    finding = _open(finding)
    cents = finding.suspense_cents
    if finding.kind != Kind.ONLY_THERE or cents <= 0 or not finding.subject.startswith(("ch_", "py_")):
        raise FindingError("There is no charge of it in suspense that could be refunded.")
    if finding.refund_asked_at is None:
        Finding.objects.filter(pk=finding.pk).update(refund_asked_at=timezone.now())
        record(
            "finding.refund_asked",
            subject=f"finding:{finding.pk}",
            actor=f"user:{by.pk}",
            reason=reason,
            amount_cents=cents,
        )
    return cents


def _open(finding: Finding) -> Finding:
    found = Finding.objects.select_for_update().get(pk=finding.pk)
    if found.closed_at is not None:
        raise FindingError("The finding is closed already.")
    return found


def _settle_lines(finding: Finding) -> None:
    finding.lines.filter(outcome=BalanceTransaction.Outcome.SUSPENSE).update(outcome=BalanceTransaction.Outcome.MATCHED)


def _work_key(finding: Finding) -> str:
    return f"finding:{finding.pk}"
