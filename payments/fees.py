"""What a return or a dispute costs, and whom: the provider's fee is the plan's, never the member's (FAULTS D18).

A fee for a returned payment is the member's only where an operator has set one for the household's state, with the cap
of its law, and where the payer had read of it before the debit; otherwise there is none (RULES section 10).
"""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

import ledger
from activity.recording import record
from bills.models import Bill
from ledger import Posting
from ledger.chart import Code, SystemAccount
from ledger.locking import hold
from ledger.models import Transfer
from ledger.money import format_usd
from ledger.opening import system_id
from ledger.transactions import atomic_with_retry
from payments.models import Mandate, Payment
from payments.provider import Movement
from payments.return_codes import Retry, ReturnCode


@dataclass(frozen=True, slots=True)
class Terms:
    """A state's fee for a returned payment, US cents, the most that its law allows, and since when it is charged."""

    fee_cents: int
    cap_cents: int
    since: dt.date

    @property
    def charged_cents(self) -> int:
        """What is charged: the fee, and never more than the cap."""
        return min(self.fee_cents, self.cap_cents)


def terms_of(state: str, *, on: dt.date) -> Terms | None:
    """The terms of a state on a day; None where no fee is charged there."""
    given = settings.RETURN_FEES.get(state)
    if given is None:
        return None
    terms = Terms(int(given["fee_cents"]), int(given["cap_cents"]), dt.date.fromisoformat(str(given["since"])))
    return terms if terms.since <= on and terms.charged_cents > 0 else None


def disclosure(state: str, *, on: dt.date) -> str:
    """The sentence that a mandate holds where a fee may be charged, in the active language; empty where none may."""
    terms = terms_of(state, on=on)
    if terms is None:
        return ""
    return _(
        "If your bank returns a payment because there is not enough money, we add a fee of %(amount)s to your bill."
    ) % {"amount": format_usd(terms.charged_cents)}


def charge(payment: Payment, code: ReturnCode, *, agreed: Mandate | None, on: dt.date) -> int:
    """Charge the fee of a returned payment, once; US cents, 0 where none is due. `agreed`: what it was debited under.

    Never but for want of money, never what was not read before, never on a bill under review or of a Medicare plan.
    """
    terms = terms_of(payment.household.state, on=on)
    bill = Bill.objects.filter(allocations__payment=payment).select_related("coverage").order_by("pk").first()
    if terms is None or bill is None or code.retry is not Retry.TWICE:
        return 0
    if _is_protected(payment) or not _was_disclosed(payment, agreed, on):
        return 0
    hold([bill.receivable_id])
    posted = ledger.post(
        Posting(
            debit_id=bill.receivable_id,
            credit_id=system_id(SystemAccount.FEE_REVENUE),
            amount_cents=terms.charged_cents,
            code=Code.RETURN_FEE,
            key=_key(payment),
            reference=f"payment:{payment.number}",
            effective_on=on,
            owner_id=payment.household_id,
        )
    )
    if posted.is_new:
        _record("return_fee.charged", payment, bill, actor="system")
    return terms.charged_cents


def stands(payment: Payment) -> bool:
    """Whether a fee for the payment's return is charged and not taken off."""
    return _charged(payment) is not None


@atomic_with_retry
def waive(payment: Payment, *, on: dt.date, actor: str, reason: str) -> bool:
    """Take the fee of a returned payment off again; False where there is none that stands."""
    charged = _charged(payment)
    if charged is None:
        return False
    bill = Bill.objects.get(receivable_id=charged.debit_id)
    balances = hold([bill.receivable_id, bill.household.credit_id or 0])
    postings = [
        Posting(
            debit_id=charged.credit_id, credit_id=charged.debit_id, amount_cents=charged.amount_cents,
            code=Code.RETURN_FEE, key=f"{_key(payment)}:waived", reference=charged.reference, effective_on=on,
            owner_id=payment.household_id, reverses_id=charged.pk,
        )
    ]  # fmt: skip
    if (over := charged.amount_cents - balances[bill.receivable_id]) > 0:  # it was paid: the money is the household's
        assert bill.household.credit_id is not None
        postings.append(
            Posting(
                debit_id=bill.receivable_id, credit_id=bill.household.credit_id, amount_cents=over,
                code=Code.CREDIT_RAISED, key=f"{_key(payment)}:waived:over", reference=charged.reference,
                effective_on=on, owner_id=payment.household_id,
            )
        )  # fmt: skip
    ledger.post_many(postings)
    _record("return_fee.waived", payment, bill, actor=actor, reason=reason)
    return True


def post_of_provider(movement: Movement) -> None:
    """Post what the provider charges for a dispute, once for its balance transaction: the plan's own expense."""
    if movement.fee_cents <= 0:
        return
    ledger.post(
        Posting(
            debit_id=system_id(SystemAccount.STRIPE_FEES),
            credit_id=system_id(SystemAccount.STRIPE_CLEARING),
            amount_cents=movement.fee_cents,
            code=Code.STRIPE_FEE,
            key=f"fee:{movement.id}",
            reference=f"balance:{movement.id}",
            effective_on=movement.created_at.date(),
        )
    )


def _charged(payment: Payment) -> Transfer | None:
    return Transfer.objects.filter(
        owner_id=payment.household_id, key=_key(payment), reversals__isnull=True
    ).first()  # fmt: skip


def _key(payment: Payment) -> str:
    return f"payment:{payment.pk}:return-fee"


def _is_protected(payment: Payment) -> bool:
    """Whether a bill of the payment is under review, or of a Medicare plan."""
    bills = Bill.objects.filter(allocations__payment=payment)
    return (
        bills.filter(held_since__isnull=False).exists() or bills.filter(coverage__kind__startswith="medicare").exists()
    )


def _was_disclosed(payment: Payment, agreed: Mandate | None, on: dt.date) -> bool:
    """Whether what the payer agreed to holds the sentence, with this very amount."""
    if agreed is None:
        return False
    with translation.override(agreed.language):
        return disclosure(payment.household.state, on=on) in agreed.text


def _record(kind: str, payment: Payment, bill: Bill, *, actor: str, reason: str = "") -> None:
    record(
        kind,
        subject=f"payment:{payment.number}",
        owner_id=payment.household_id,
        actor=actor,
        reason=reason,
        payment_id=payment.pk,
        bill_id=bill.pk,
    )
