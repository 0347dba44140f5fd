"""Paper checks: recorded by staff one at a time, or from a lockbox file, and what a bank returns of them.

A check pays the bills it names, in that order; what they do not owe, and a check that names a household alone, is
household credit (RULES section 11: medical money pays no premium unasked). One that names nothing we know is in
suspense, and a work item waits. The same check is recorded once.
"""

import datetime as dt
import re
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

import ledger
from accounts.households import is_of
from accounts.models import Household, User
from activity.models import WorkItem
from activity.recording import close_work, open_work, record
from bills.models import Bill
from ledger import Posting
from ledger.chart import Code, SystemAccount
from ledger.opening import system_id
from ledger.transactions import atomic_with_retry
from payments import assigning, moving, taking_back
from payments.assigning import AssigningError, Money
from payments.models import Check, CheckPayment, LockboxFile, Payment
from payments.states import PaymentStatus
from payments.taking_back import Taking

CHECK_NUMBER = re.compile(r"[0-9A-Za-z-]{1,20}", re.ASCII)
REFERENCE = re.compile(r"[0-9A-Za-z ,;+-]{0,60}", re.ASCII)
OLDEST = dt.timedelta(days=365)


class CheckError(Exception):
    """A check that cannot be recorded, matched or returned as asked; its text says why."""


class SeenBefore(CheckError):
    """The same check was recorded already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """What is known of a check, US cents. `reference`: the numbers of bills, or of a household."""

    number: str
    amount_cents: int
    received_on: dt.date
    reference: str
    batch: str = ""
    file: LockboxFile | None = None
    line: int | None = None

    @property
    def identity(self) -> str:
        """Its number, its amount and what it is for; without a reference its day and batch."""
        wanted = " ".join(sorted(self.reference.upper().replace(",", " ").replace("+", " ").split()))
        return f"{self.number}|{self.amount_cents}|{wanted or f'{self.received_on}|{self.batch}'}"[:140]


def refuse_malformed(slip: Slip) -> None:
    """Raise CheckError, naming the field, for what no check can be."""
    if not CHECK_NUMBER.fullmatch(slip.number):
        raise CheckError("The check number has 1 to 20 letters, digits or hyphens.")
    if not REFERENCE.fullmatch(slip.reference):
        raise CheckError("The reference holds numbers of bills or of a household, at most 60 characters.")
    if not timezone.localdate() - OLDEST <= slip.received_on <= timezone.localdate():
        raise CheckError("The day is in the future, or more than a year ago.")
    if slip.amount_cents <= 0:
        raise CheckError("The amount is above $0.00.")


@atomic_with_retry
def record_check(slip: Slip, *, by: User, reason: str) -> Check:
    """Record a check and post it: to the bills it names, else to its household's credit, else to suspense.

    Raises CheckError, SeenBefore.
    """
    refuse_malformed(slip)
    household, bills = _named(slip.reference)
    _refuse_own_household(household, by)
    try:
        with transaction.atomic():
            check = Check.objects.create(
                number=slip.number, amount_cents=slip.amount_cents, received_on=slip.received_on,
                reference=slip.reference, batch=slip.batch, identity=slip.identity, status=Check.Status.UNMATCHED,
                file=slip.file, line=slip.line, recorded_by=by,
            )  # fmt: skip
    except IntegrityError as error:
        raise SeenBefore(f"Check {slip.number} of this amount for the same was recorded already.") from error
    record(
        "check.recorded", subject=f"check:{check.pk}", owner_id=household.pk if household else 0,
        actor=f"user:{by.pk}", reason=reason, check_id=check.pk,
    )  # fmt: skip
    if household is None:
        _suspend(check)
    else:
        _post(check, household, bills, by=by, reason=reason)
    return check


@atomic_with_retry
def match(check: Check, *, by: User, reason: str, reference: str) -> Check:
    """Put an unmatched check to the bills or the household that a person found. Raises CheckError."""
    check = Check.objects.select_for_update().get(pk=check.pk)
    if check.status != Check.Status.UNMATCHED:
        raise CheckError("The check is matched or returned already.")
    household, bills = _named(reference)
    if household is None:
        raise CheckError("There is no such bill or household.")
    _refuse_own_household(household, by)
    ledger.post(_between_suspense_and_lockbox(check, came=False))
    _post(check, household, bills, by=by, reason=reason)
    close_work(_work_key(check), reason=reason)
    return check


@atomic_with_retry
def take_back(check: Check, *, by: User, reason: str, on: dt.date | None = None) -> Check:
    """The bank returned a check (no funds, stopped): its bills are owed again. Raises CheckError.

    The same check deposited again is another record: its identity is freed.
    """
    on = on or timezone.localdate()
    check = Check.objects.select_for_update().get(pk=check.pk)
    if check.status == Check.Status.RETURNED:
        raise CheckError("The check was returned already.")
    if check.household is not None:
        _refuse_own_household(check.household, by)
    if check.status == Check.Status.UNMATCHED:
        ledger.post(_between_suspense_and_lockbox(check, came=False))
        close_work(_work_key(check), reason=reason)
    for payment in check.payments.select_for_update().order_by("pk"):
        _take_back(payment, check, by=by, reason=reason, on=on)
    Check.objects.filter(pk=check.pk).update(
        status=Check.Status.RETURNED, returned_on=on, identity=f"returned:{check.pk}"
    )
    record(
        "check.returned", subject=f"check:{check.pk}", owner_id=check.household_id or 0, actor=f"user:{by.pk}",
        reason=reason, check_id=check.pk,
    )  # fmt: skip
    if check.household is not None:
        open_work(
            WorkItem.Kind.CHECK_RETURNED, subject=f"household:{check.household.number}",
            dedupe_key=f"check-returned:{check.pk}", detail=f"Check {check.number} was returned by its bank.",
        )  # fmt: skip
    check.refresh_from_db()
    return check


def _take_back(payment: Payment, check: Check, *, by: User, reason: str, on: dt.date) -> None:
    moving.move(payment.pk, PaymentStatus.RETURNED, actor=f"user:{by.pk}", reason=reason)
    taking_back.post(
        Taking(
            payment=payment, cents=payment.amount_cents, key=f"check:{check.pk}:payment:{payment.pk}",
            reference=f"check:{check.pk} of payment:{payment.number}", from_bill=Code.BANK_RETURN,
            from_credit=Code.BANK_RETURN, on=on, account=SystemAccount.LOCKBOX,
        )
    )  # fmt: skip


def _named(reference: str) -> tuple[Household | None, list[Bill]]:
    """Whose the numbers are: bills first, else a household; nobody's where one of them is unknown."""
    words = reference.strip()
    if not words:
        return None, []
    try:
        bills = assigning.named(words)
    except AssigningError:
        return Household.objects.filter(number=words.upper()).first(), []
    return bills[0].household, bills


def _post(check: Check, household: Household, bills: list[Bill], *, by: User, reason: str) -> None:
    money = Money(
        cents=check.amount_cents, received_on=check.received_on, household=household, actor=f"user:{by.pk}",
        reason=reason, check_number=check.number,
    )  # fmt: skip
    payments = assigning.assign(money, bills)
    CheckPayment.objects.bulk_create(CheckPayment(check_record=check, payment=payment) for payment in payments)
    Check.objects.filter(pk=check.pk).update(status=Check.Status.POSTED, household=household)
    check.refresh_from_db()


def _suspend(check: Check) -> None:
    ledger.post(_between_suspense_and_lockbox(check, came=True))
    named = f"It names {check.reference}, which is no bill or household." if check.reference else "It names nothing."
    open_work(
        WorkItem.Kind.LOCKBOX, subject=f"check:{check.pk}", dedupe_key=_work_key(check),
        detail=f"Check {check.number} is in suspense. {named}",
    )  # fmt: skip


def _between_suspense_and_lockbox(check: Check, *, came: bool) -> Posting:
    lockbox, suspense = system_id(SystemAccount.LOCKBOX), system_id(SystemAccount.SUSPENSE)
    return Posting(
        debit_id=lockbox if came else suspense,
        credit_id=suspense if came else lockbox,
        amount_cents=check.amount_cents,
        code=Code.SUSPENSE_RECEIVED if came else Code.SUSPENSE_EXPLAINED,
        key=f"check:{check.pk}:{'suspense' if came else 'explained'}",
        reference=f"check:{check.pk}",
        effective_on=check.received_on if came else timezone.localdate(),
    )


def _refuse_own_household(household: Household | None, by: User) -> None:
    if household is not None and is_of(by, [household.pk]):
        raise CheckError("You cannot record a check of your own household.")


def _work_key(check: Check) -> str:
    return f"check:{check.pk}"
