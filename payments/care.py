"""What of the money paid on a bill was for care: interest and fees are none, whoever paid them (IRS Publication 502).

The whole course of a bill is walked in order, since what is paid this year may settle interest of the last. Money pays
what stands beside care first, and what comes back was for care first: so what counts as care is the same as if the
money that stayed had come at once.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Q

from ledger.chart import CODES_OF_PAYMENT
from ledger.models import Transfer
from payments.eligibility import NOT_CARE


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a bill's course, US cents: what was paid with it, and what of that was for care; below nothing where
    it came back. Nothing is paid, and care gains, where interest or a fee that had been paid was taken off."""

    transfer: Transfer
    account_id: int  # the bill's receivable
    paid_cents: int
    care_cents: int
    is_first: bool  # the first payment of the bill


@dataclass(slots=True)
class Course:
    """How far a bill is, US cents: interest and fees not paid yet, and what has been paid of both kinds."""

    unpaid_beside_cents: int = 0
    paid_beside_cents: int = 0
    paid_care_cents: int = 0
    is_begun: bool = False

    def charge(self, cents: int) -> int:
        """Interest or a fee comes on, or off (below nothing); return what had been paid on it and is for care now."""
        self.unpaid_beside_cents += cents
        freed = min(self.paid_beside_cents, max(0, -self.unpaid_beside_cents))
        self.unpaid_beside_cents = max(0, self.unpaid_beside_cents)
        self.paid_beside_cents -= freed
        self.paid_care_cents += freed
        return freed

    def pay(self, cents: int) -> int:
        """Money comes, or goes back (below nothing); return what of it is care's."""
        if cents >= 0:
            beside = min(self.unpaid_beside_cents, cents)
        else:
            beside = -min(self.paid_beside_cents, max(0, -cents - max(0, self.paid_care_cents)))
        self.unpaid_beside_cents -= beside
        self.paid_beside_cents += beside
        self.paid_care_cents += cents - beside
        return cents - beside


def steps(account_ids: Collection[int], *, until: dt.date) -> Iterator[Step]:
    """The courses of these bills up to and with a day, in order: one query."""
    of_bills = Q(credit_id__in=account_ids) | Q(debit_id__in=account_ids)
    entries = Transfer.objects.filter(of_bills, code__in=(*CODES_OF_PAYMENT, *NOT_CARE), effective_on__lte=until)
    return _walk(entries.order_by("effective_on", "pk"), set(account_ids))


def _walk(entries: Iterable[Transfer], account_ids: set[int]) -> Iterator[Step]:
    courses: dict[int, Course] = {}
    for entry in entries:
        is_credit = entry.credit_id in account_ids
        account_id, cents = (entry.credit_id if is_credit else entry.debit_id), entry.amount_cents
        course = courses.setdefault(account_id, Course())
        if entry.code in NOT_CARE:
            freed = course.charge(-cents if is_credit else cents)
            if freed:
                yield Step(entry, account_id, 0, freed, is_first=False)
            continue
        paid = cents if is_credit else -cents
        yield Step(entry, account_id, paid, course.pay(paid), is_first=not course.is_begun)
        course.is_begun = True
