"""Sending money back: by staff with a reason, to the method it came from; and what others did at the provider.

A refund is posted when the provider has taken it, and its posting is reversed where it fails later (FAULTS D07 to D10).
"""

import datetime as dt
from collections.abc import Iterable

from django.db.models import QuerySet, Sum
from django.utils import timezone

import ledger
from accounts.models import User
from activity.doorbell import ring
from activity.recording import open_work, record
from bills.models import Bill
from ledger import Posting
from ledger.chart import Code, SystemAccount
from ledger.models import Account, Transfer
from ledger.opening import system_id
from ledger.transactions import atomic_with_retry
from payments import gateway, moving
from payments.models import Payment, Refund
from payments.provider import GatewayError, RefundState, Refused, Unknown
from payments.states import PaymentStatus

REFUNDABLE = (PaymentStatus.SUCCEEDED, PaymentStatus.PARTIALLY_REFUNDED)
STANDING = (Refund.Status.SUBMITTED, Refund.Status.PENDING, Refund.Status.SUCCEEDED)
POSTED = (Refund.Status.PENDING, Refund.Status.SUCCEEDED)
ENDED = (Refund.Status.FAILED, Refund.Status.CANCELED)

# Stripe's states of a refund, in ours (docs.stripe.com/api/refunds/object).
STATUSES = {
    "pending": Refund.Status.PENDING,
    "requires_action": Refund.Status.PENDING,
    "succeeded": Refund.Status.SUCCEEDED,
    "failed": Refund.Status.FAILED,
    "canceled": Refund.Status.CANCELED,
}


class RefundError(Exception):
    """A refund that cannot be made as asked; its text says why."""


class AmountExceedsRefundable(RefundError):
    """More than is left of the payment, or of its part for the bill."""


class NotRefundable(RefundError):
    """The payment has not succeeded, or is disputed or returned: a refund would pay twice (FAULTS D11)."""


class OwnHousehold(RefundError):
    """Staff do not act on their own household."""


def refundable_cents(payment: Payment) -> int:
    """What can still be refunded of a payment, US cents."""
    if payment.status not in REFUNDABLE:
        return 0
    asked = payment.refunds.filter(status__in=STANDING).aggregate(cents=Sum("amount_cents"))["cents"] or 0
    return payment.amount_cents - asked


def issue(
    payment: Payment,
    *,
    amount_cents: int,
    reason: str,
    requested_by: User,
    bill: Bill | None = None,
    key: str | None = None,
) -> Refund:
    """Refund part or all of a payment, of one of its bills where `bill` is given. US cents.

    The row is committed, with its key, before the provider is called; a reply that is lost leaves it `submitted`, and
    the sweeper asks again with the same key. The same form `key` again returns the refund that stands.
    Raises AmountExceedsRefundable, NotRefundable, OwnHousehold.
    """
    refund, is_new = _commit(payment.pk, amount_cents, reason, requested_by, bill, key)
    return send(refund) if is_new else refund


def send(refund: Refund) -> Refund:
    """Make the refund's call and apply what comes back. Safe to repeat: the key is the row's."""
    assert refund.payment.stripe_payment_intent_id is not None
    try:
        state = gateway.refund(
            key=refund.idempotency_key,
            intent_id=refund.payment.stripe_payment_intent_id,
            amount_cents=refund.amount_cents,
            refund_id=refund.pk,
        )
    except Unknown:
        return refund
    except Refused as error:
        return _fail(refund.pk, error.code)
    return apply(refund.pk, state)


@atomic_with_retry
def apply(refund_id: int, state: RefundState) -> Refund:
    """Bring a refund to where it stands at the provider, in any order and however often."""
    refund = Refund.objects.select_for_update().get(pk=refund_id)
    target = STATUSES.get(state.status, Refund.Status.PENDING)
    if refund.status == target or refund.status in ENDED:
        return refund
    was = refund.status
    if was == Refund.Status.SUCCEEDED and target == Refund.Status.PENDING:
        return refund
    Refund.objects.filter(pk=refund_id).update(
        status=target,
        stripe_refund_id=state.id,
        failure_code=state.failure_code,
        settled_at=timezone.now() if target != Refund.Status.PENDING else None,
    )
    refund.refresh_from_db()
    if target in POSTED and was not in POSTED:
        _post(refund)
    if target in ENDED and was in POSTED:
        _unpost(refund)
    _follow(refund)
    record(
        f"refund.{target}",
        subject=f"payment:{refund.payment.number}",
        owner_id=refund.payment.household_id,
        from_status=was,
        to_status=target,
        actor="stripe",
        payment_id=refund.payment_id,
        refund_id=refund.pk,
    )
    ring("notifications.tasks.work_off")
    if target in ENDED:
        _ask_staff(refund)
    return refund


def refresh(payment: Payment) -> None:
    """Fetch every refund of a payment as it stands, those made outside the portal too (FAULTS D08, D09).

    Raises provider.GatewayError.
    """
    assert payment.stripe_payment_intent_id is not None
    for state in gateway.refunds_of(payment.stripe_payment_intent_id):
        refund = _own_row(payment, state)
        apply(refund.pk, state)


def sweep(*, older_than: dt.timedelta = dt.timedelta(seconds=30)) -> int:
    """Ask again about refunds whose reply was lost, with the same key; how many."""
    lost = Refund.objects.filter(
        status=Refund.Status.SUBMITTED, created_at__lte=timezone.now() - older_than
    ).select_related("payment")
    for refund in lost[:100]:
        try:
            send(refund)
        except GatewayError:
            continue
    return len(lost)


@atomic_with_retry
def _commit(
    payment_id: int, amount_cents: int, reason: str, requested_by: User, bill: Bill | None, key: str | None
) -> tuple[Refund, bool]:
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    if key is not None and (standing := payment.refunds.filter(form_key=key).first()):
        return standing, False
    if payment.status not in REFUNDABLE:
        raise NotRefundable(f"Payment {payment.number} is {payment.status}: it cannot be refunded.")
    if requested_by.members.filter(household_id=payment.household_id).exists():
        raise OwnHousehold("You cannot refund a payment of your own household.")
    left = refundable_cents(payment)
    if bill is not None:
        left = min(
            left, sum(cents for account_id, cents in _left_by_account(payment) if account_id == bill.receivable_id)
        )
    if not 0 < amount_cents <= left:
        raise AmountExceedsRefundable(f"At most {left} cents of payment {payment.number} can be refunded.")
    refund = Refund.objects.create(
        payment=payment, bill=bill, amount_cents=amount_cents, reason=reason, requested_by=requested_by, form_key=key
    )
    record(
        "refund.submitted",
        subject=f"payment:{payment.number}",
        owner_id=payment.household_id,
        to_status=Refund.Status.SUBMITTED,
        actor=f"user:{requested_by.pk}",
        reason=reason,
        payment_id=payment.pk,
        refund_id=refund.pk,
    )
    ring("payments.tasks.sweep")
    return refund, True


@atomic_with_retry
def _own_row(payment: Payment, state: RefundState) -> Refund:
    """Our row of a refund at the provider; made, and shown to staff, where the refund was made outside the portal."""
    Payment.objects.select_for_update().get(pk=payment.pk)
    if state.refund_id.isdecimal():
        ours = Refund.objects.filter(pk=int(state.refund_id), payment=payment).first()
        if ours is not None:
            return ours
    refund, is_new = Refund.objects.get_or_create(
        stripe_refund_id=state.id,
        defaults={
            "payment": payment,
            "amount_cents": state.amount_cents,
            "reason": "Refunded outside the portal",
            "is_outside_portal": True,
        },
    )
    if is_new:
        open_work(
            "refund_outside",
            subject=f"payment:{payment.number}",
            dedupe_key=f"outside:{state.id}",
            detail=f"Refund {state.id} of {state.amount_cents} cents was made at the provider. It is booked; see why.",
        )
    return refund


@atomic_with_retry
def _fail(refund_id: int, code: str) -> Refund:
    refund = Refund.objects.select_for_update().select_related("payment").get(pk=refund_id)
    if refund.status == Refund.Status.SUBMITTED:
        Refund.objects.filter(pk=refund_id).update(
            status=Refund.Status.FAILED, failure_code=code[:60], settled_at=timezone.now()
        )
        refund.refresh_from_db()
        _ask_staff(refund)
    return refund


def _ask_staff(refund: Refund) -> None:
    open_work(
        "refund_failed",
        subject=f"payment:{refund.payment.number}",
        dedupe_key=f"refund-failed:{refund.pk}",
        detail=f"Refund {refund.pk} failed ({refund.failure_code or refund.status}). The money is still with the plan.",
    )


def _left_by_account(payment: Payment) -> list[tuple[int, int]]:
    """What the payment put where and is not refunded yet: (account, US cents), household credit first."""
    allocations = payment.allocations.values_list("bill_id", flat=True)
    keys = [f"payment:{payment.pk}:bill:{bill_id}{suffix}" for bill_id in allocations for suffix in ("", ":over")]
    postings = Transfer.objects.filter(owner_id=payment.household_id, key__in=keys).values_list(
        "credit_id", "amount_cents", "code"
    )
    left: dict[int, int] = {}
    for account_id, cents, _code in sorted(postings, key=lambda row: (row[2] != Code.OVERPAYMENT, row[0])):
        left[account_id] = left.get(account_id, 0) + cents
    for refund in payment.refunds.filter(status__in=POSTED):
        for transfer in _standing(refund, left):
            left[transfer.debit_id] = left.get(transfer.debit_id, 0) - transfer.amount_cents
    return list(left.items())


def _standing(refund: Refund, account_ids: Iterable[int]) -> QuerySet[Transfer]:
    """A refund's transfers that are not reversed: of the accounts its payment went to, and of its bills."""
    payment = refund.payment
    receivables = payment.allocations.values_list("bill__receivable_id", flat=True)
    keys = [f"refund:{refund.pk}:account:{account_id}" for account_id in {*account_ids, *receivables}]
    return Transfer.objects.filter(owner_id=payment.household_id, key__in=keys, reversals__isnull=True)


def _post(refund: Refund) -> None:
    """Post a refund to the accounts that the payment went to; what household credit no longer holds, to its bills."""
    payment = refund.payment
    credit_id = payment.household.credit_id
    left = _left_by_account(payment)
    accounts = {
        account.pk: account
        for account in Account.objects.select_for_update().filter(pk__in=[row[0] for row in left]).order_by("pk")
    }
    rest, parts = refund.amount_cents, dict.fromkeys(accounts, 0)
    for account_id, cents in left:
        if refund.bill is not None and account_id != refund.bill.receivable_id:
            continue
        most = min(cents, -accounts[account_id].balance_cents) if account_id == credit_id else cents
        parts[account_id] = min(rest, most)
        rest -= parts[account_id]
    if rest:  # the credit was spent meanwhile: the money owed again is that of the payment's first bill
        first_bill = payment.allocations.select_related("bill").order_by("pk")[0].bill
        parts[first_bill.receivable_id] = parts.get(first_bill.receivable_id, 0) + rest
    ledger.post_many(
        [
            Posting(
                debit_id=account_id,
                credit_id=system_id(SystemAccount.STRIPE_CLEARING),
                amount_cents=cents,
                code=Code.CREDIT_REFUND if account_id == credit_id else Code.REFUND,
                key=f"refund:{refund.pk}:account:{account_id}",
                reference=f"refund:{refund.pk} of payment:{payment.number}",
                effective_on=timezone.localdate(),
                owner_id=payment.household_id,
            )
            for account_id, cents in sorted(parts.items())
            if cents
        ]
    )


def _unpost(refund: Refund) -> None:
    """Reverse a refund's posting: the money did not reach the member (FAULTS D10)."""
    credit_id = refund.payment.household.credit_id
    for transfer in _standing(refund, [credit_id] if credit_id else []).order_by("pk"):
        ledger.reverse(
            transfer.pk,
            key=f"refund:{refund.pk}:failed:{transfer.debit_id}",
            reference=transfer.reference,
            effective_on=timezone.localdate(),
        )


def _follow(refund: Refund) -> None:
    """Bring the payment's status to what its refunds say."""
    payment = Payment.objects.get(pk=refund.payment_id)
    returned = payment.refunds.filter(status__in=POSTED).aggregate(cents=Sum("amount_cents"))["cents"] or 0
    if payment.status not in (*REFUNDABLE, PaymentStatus.REFUNDED):
        return
    target = (
        PaymentStatus.SUCCEEDED
        if not returned
        else PaymentStatus.REFUNDED
        if returned >= payment.amount_cents
        else PaymentStatus.PARTIALLY_REFUNDED
    )
    moving.move(payment.pk, target, actor="stripe", reason=f"refund:{refund.pk}")
