"""Money of a payment that goes back, in the book: from which accounts, and how it is undone.

Refunds, bank returns and disputes take the same way, each with codes of its own. All is done under the lock of the
payment, so that two of them are booked one after the other.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

import ledger
from bills import relief
from bills.models import Bill
from ledger import Posting
from ledger.chart import Code, SystemAccount
from ledger.locking import hold
from ledger.models import Transfer
from ledger.opening import system_id
from payments.models import Dispute, Payment, Refund

POSTED = (Refund.Status.PENDING, Refund.Status.SUCCEEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What goes back of a payment, US cents. `key` begins its ledger keys, `reference` says what it is about.

    Of one bill where `bill` is given, out of household credit alone where `is_of_credit`.
    """

    payment: Payment
    cents: int
    key: str
    reference: str
    from_bill: Code
    from_credit: Code
    on: dt.date
    bill: Bill | None = None
    is_of_credit: bool = False
    account: SystemAccount = SystemAccount.STRIPE_CLEARING  # where the money goes


def put_by_account(payment: Payment) -> dict[int, int]:
    """What the payment put where: US cents by account, household credit first."""
    allocations = payment.allocations.values_list("bill_id", flat=True)
    keys = [f"payment:{payment.pk}:bill:{bill_id}{suffix}" for bill_id in allocations for suffix in ("", ":over")]
    keys.append(f"payment:{payment.pk}:credit")  # of money that was for no bill (payments.assigning)
    postings = Transfer.objects.filter(owner_id=payment.household_id, key__in=keys).values_list(
        "credit_id", "amount_cents", "code"
    )
    put: dict[int, int] = {}
    for account_id, cents, _code in sorted(postings, key=lambda row: (row[2] != Code.OVERPAYMENT, row[0])):
        put[account_id] = put.get(account_id, 0) + cents
    return put


def left_by_account(payment: Payment) -> dict[int, int]:
    """What the payment put where and has not gone back yet, whoever took it: US cents by account, credit first."""
    left = put_by_account(payment)
    keys = [f"refund:{pk}" for pk in payment.refunds.filter(status__in=POSTED).values_list("pk", flat=True)]
    keys += [dispute.booking_key for dispute in payment.disputes.filter(booked_cents__gt=0)]
    for transfer in _standing(payment, keys):
        left[transfer.debit_id] = left.get(transfer.debit_id, 0) - transfer.amount_cents
    return left


def post(taking: Taking) -> None:
    """Take money back from the accounts that the payment went to.

    What household credit no longer holds is owed on the bills again. Where a bill's money had become household credit
    meanwhile (the bill was voided or lowered), it is taken from there: nobody has it twice, and a void bill owes
    nothing.
    """
    bills, credit_id = _bills(taking.payment), _credit_id(taking.payment)
    balances = hold([credit_id, *bills])
    parts = _parts(taking, bills, credit_id, credit_cents=-balances[credit_id])
    clearing = system_id(taking.account)
    postings = [
        _posting(
            taking, taking.from_credit if account_id == credit_id else taking.from_bill, cents,
            f"{taking.key}:account:{account_id}", account_id, clearing,
        )
        for account_id, cents in sorted(parts.items())
        if cents
    ]  # fmt: skip
    credit_cents = -balances[credit_id] - parts.get(credit_id, 0)
    for account_id, bill in bills.items():
        moved = min(credit_cents, parts.get(account_id, 0) - relief.paid_cents(bill))
        if moved > 0:
            key = f"{taking.key}:credit:{account_id}"
            postings.append(_posting(taking, Code.CREDIT_APPLIED, moved, key, credit_id, account_id))
            credit_cents -= moved
    ledger.post_many(postings)


def undo(taking: Taking) -> None:
    """Reverse a taking: the money did not go back, or came again (FAULTS D10, D16).

    What was paid on its bills meanwhile is more than they owe then, and becomes household credit.
    """
    bills, credit_id = _bills(taking.payment), _credit_id(taking.payment)
    balances = hold([credit_id, *bills])
    postings = []
    for transfer in _standing(taking.payment, [taking.key], with_credit=True):
        key = f"{taking.key}:undone:{transfer.key.rpartition(':')[2]}"
        if transfer.code == Code.CREDIT_APPLIED:
            key += ":credit"
        balances[transfer.debit_id] = balances.get(transfer.debit_id, 0) - transfer.amount_cents
        balances[transfer.credit_id] = balances.get(transfer.credit_id, 0) + transfer.amount_cents
        postings.append(
            _posting(
                taking, Code(transfer.code), transfer.amount_cents, key, transfer.credit_id, transfer.debit_id,
                reverses_id=transfer.pk,
            )
        )  # fmt: skip
    for account_id in bills:
        if balances[account_id] < 0:
            key = f"{taking.key}:undone:{account_id}:over"
            postings.append(_posting(taking, Code.CREDIT_RAISED, -balances[account_id], key, account_id, credit_id))
    ledger.post_many(postings)


def _parts(taking: Taking, bills: dict[int, Bill], credit_id: int, *, credit_cents: int) -> dict[int, int]:
    """How much is taken from each account: of what is left there first, then of what went back from there before.

    The second is a bank that takes the whole of a payment of which a part was refunded: it is owed where it was
    refunded. What is then still left (the credit was spent) is owed on the bill asked for, or on the first.
    """
    if taking.is_of_credit:  # all of it is in household credit, also where a bill was lowered after it was paid
        steps: list[dict[int, int]] = [{credit_id: taking.cents}]
    else:
        steps = [left_by_account(taking.payment), put_by_account(taking.payment)]
    rest, parts = taking.cents, dict.fromkeys(bills, 0) | {credit_id: 0}
    for step, amounts in enumerate(steps):
        for account_id, cents in amounts.items():
            if taking.bill is not None and account_id != taking.bill.receivable_id:
                continue
            if account_id == credit_id:
                most = min(cents, credit_cents) - parts[account_id]
            else:
                most = cents - (parts[account_id] if step else 0)
            taken = min(rest, max(0, most))
            parts[account_id] = parts.get(account_id, 0) + taken
            rest -= taken
        if taking.bill is not None:
            break
    if rest:
        bill = taking.bill or next(iter(bills.values()))
        parts[bill.receivable_id] += rest
    return parts


def _standing(payment: Payment, keys: Iterable[str], *, with_credit: bool = False) -> QuerySet[Transfer]:
    """The transfers of these takings that are not reversed; `with_credit`: what moved out of household credit too."""
    receivables = list(payment.allocations.values_list("bill__receivable_id", flat=True))
    wanted = [f"{key}:account:{account_id}" for key in keys for account_id in (_credit_id(payment), *receivables)]
    if with_credit:
        wanted += [f"{key}:credit:{account_id}" for key in keys for account_id in receivables]
    return Transfer.objects.filter(Q(key__in=wanted), owner_id=payment.household_id, reversals__isnull=True)


def _bills(payment: Payment) -> dict[int, Bill]:
    """The bills of a payment by their receivables, in the order in which it names them."""
    allocations = payment.allocations.select_related("bill").order_by("pk")
    bills = {allocation.bill.receivable_id: allocation.bill for allocation in allocations}
    if not bills:  # money that was for household credit alone: where the credit is spent, its latest bill owes again
        spent = Transfer.objects.filter(owner_id=payment.household_id, code=Code.CREDIT_APPLIED).order_by("-pk").first()
        household_bills = Bill.objects.filter(household_id=payment.household_id)
        latest = household_bills.filter(receivable_id=spent.credit_id) if spent else household_bills.order_by("-pk")
        bills = {bill.receivable_id: bill for bill in latest[:1]}
    return bills


def _credit_id(payment: Payment) -> int:
    assert payment.household.credit_id is not None
    return payment.household.credit_id


def _posting(
    taking: Taking, code: Code, cents: int, key: str, debit_id: int, credit_id: int, reverses_id: int | None = None
) -> Posting:
    return Posting(
        debit_id=debit_id,
        credit_id=credit_id,
        amount_cents=cents,
        code=code,
        key=key,
        reference=taking.reference,
        effective_on=taking.on,
        owner_id=taking.payment.household_id,
        reverses_id=reverses_id,
    )


def of_refund(refund: Refund, *, on: dt.date) -> Taking:
    """A refund as it goes back."""
    return Taking(
        payment=refund.payment,
        cents=refund.amount_cents,
        key=f"refund:{refund.pk}",
        reference=f"refund:{refund.pk} of payment:{refund.payment.number}",
        from_bill=Code.REFUND,
        from_credit=Code.CREDIT_REFUND,
        on=on,
        bill=refund.bill,
        is_of_credit=refund.is_of_credit,
    )


def of_dispute(dispute: Dispute, *, on: dt.date) -> Taking:
    """What a dispute, or a bank's return, has taken: as it stands booked."""
    code = Code.BANK_RETURN if dispute.kind == Dispute.Kind.RETURN else Code.DISPUTE
    return Taking(
        payment=dispute.payment,
        cents=dispute.booked_cents,
        key=dispute.booking_key,
        reference=dispute.reference,
        from_bill=code,
        from_credit=code,
        on=on,
    )
