"""Money that came without a checkout (a paper check, a charge that nobody knew), put to bills as payments.

Staff name the bills; each is paid what it owes less what is on its way, in the order named. The rest is household
credit: money never goes to a bill that nobody named, so that medical money pays no premium unasked (RULES section 11).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

import ledger
from accounts.models import Household, User
from bills import numbers
from bills.models import Bill
from ledger import Posting
from ledger.chart import Code, SystemAccount
from ledger.locking import hold
from ledger.opening import system_id
from payments import moving
from payments.allocating import payable_cents
from payments.models import Payment, PaymentAllocation
from payments.states import PAPER_CHECK, PaymentStatus

MAX_BILLS = 30


class AssigningError(Exception):
    """The money cannot be put there; its text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What came, US cents, and whose it is. By a paper check (`check_number`), or a charge at the provider."""

    cents: int
    received_on: dt.date
    household: Household
    actor: str
    reason: str
    check_number: str = ""
    charge_id: str = ""
    intent_id: str = ""

    @property
    def account(self) -> SystemAccount:
        """Where it is."""
        return SystemAccount.LOCKBOX if self.check_number else SystemAccount.STRIPE_CLEARING

    @property
    def code(self) -> Code:
        """Why it pays a bill."""
        return Code.LOCKBOX_PAYMENT if self.check_number else Code.PAYMENT

    @property
    def over_code(self) -> Code:
        """Why it is household credit."""
        return Code.LOCKBOX_PAYMENT if self.check_number else Code.OVERPAYMENT


def named(numbers_given: str) -> list[Bill]:
    """The bills that a person named, parted by commas, spaces or plus signs, each once, in that order.

    Raises AssigningError for a number that no bill has, for too many, and for bills of two households.
    """
    wanted = list(dict.fromkeys(numbers_given.upper().replace(",", " ").replace("+", " ").replace(";", " ").split()))
    if len(wanted) > MAX_BILLS:
        raise AssigningError(f"Name at most {MAX_BILLS} bills.")
    found = {bill.number: bill for bill in Bill.objects.filter(number__in=wanted).select_related("household")}
    if missing := [number for number in wanted if number not in found]:
        raise AssigningError(f"There is no bill {missing[0][:20]}.")
    if len({bill.household_id for bill in found.values()}) > 1:
        raise AssigningError("These are bills of two households.")
    return [found[number] for number in wanted]


def assign(money: Money, bills: Sequence[Bill]) -> list[Payment]:
    """Make the payments of what came, one a kind of bill, in the caller's transaction; at least one.

    What the bills do not owe is household credit, part of the last payment; with no bill it is one of its own.
    """
    credit_id = money.household.credit_id
    assert credit_id is not None
    hold([credit_id, *(bill.receivable_id for bill in bills)])
    fresh = list(Bill.objects.filter(pk__in=[bill.pk for bill in bills]).select_related("receivable"))
    payable, left = payable_cents(fresh), money.cents
    parts: dict[str, list[tuple[Bill, int]]] = {}
    for bill in bills:
        cents = min(left, payable[bill.pk])
        if cents > 0:
            parts.setdefault(bill.kind, []).append((bill, cents))
            left -= cents
    kinds = list(parts.items()) or [(bills[0].kind if bills else Bill.Kind.MEDICAL, [])]
    return [
        _pay(money, kind, paid, credit_cents=left if place == len(kinds) - 1 else 0)
        for place, (kind, paid) in enumerate(kinds)
    ]


def _pay(money: Money, kind: str, paid: Sequence[tuple[Bill, int]], *, credit_cents: int) -> Payment:
    payment = Payment.objects.create(
        number=numbers.draw(groups=3),
        household=money.household,
        payer=None if paid else _holder(money.household),
        kind=kind,
        channel=Payment.Channel.STAFF,
        status=PaymentStatus.SUBMITTED,
        amount_cents=sum(cents for _bill, cents in paid) + credit_cents,
        credit_cents=credit_cents,
        method_kind=PAPER_CHECK if money.check_number else "",
        method_brand=money.check_number,
        stripe_payment_intent_id=money.intent_id or None,
        stripe_charge_id=money.charge_id,
        submitted_at=timezone.now(),
        effective_on=money.received_on,
    )
    PaymentAllocation.objects.bulk_create(
        PaymentAllocation(payment=payment, bill=bill, amount_cents=cents) for bill, cents in paid
    )
    moved = moving.move(
        payment.pk, PaymentStatus.SUCCEEDED, actor=money.actor, reason=money.reason, settled_at=timezone.now()
    )
    ledger.post_many(list(_postings(moved, money, paid)))
    return moved


def _postings(payment: Payment, money: Money, paid: Sequence[tuple[Bill, int]]) -> list[Posting]:
    """The transfers of a payment, keyed as those of a checkout, so that all that takes back finds them."""
    rows = [(bill.receivable_id, cents, money.code, f"bill:{bill.pk}") for bill, cents in paid]
    if payment.credit_cents:
        assert money.household.credit_id is not None
        key = f"bill:{paid[-1][0].pk}:over" if paid else "credit"
        rows.append((money.household.credit_id, payment.credit_cents, money.over_code, key))
    return [
        Posting(
            debit_id=system_id(money.account),
            credit_id=account_id,
            amount_cents=cents,
            code=code,
            key=f"payment:{payment.pk}:{key}",
            reference=f"payment:{payment.number}",
            effective_on=money.received_on,
            owner_id=payment.household_id,
        )
        for account_id, cents, code, key in rows
    ]


def _holder(household: Household) -> User | None:
    """The primary holder's sign-in: household credit is theirs to see."""
    holder = household.members.filter(is_primary_holder=True).select_related("user").first()
    return holder.user if holder else None
