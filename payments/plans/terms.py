"""What a member chose, held to the rules of the state: how many instalments, from which day, how much down."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ledger.money import format_usd
from payments.checkout import MAX_BILLS
from payments.models import PlanPolicy
from payments.plans import policies, spreading
from payments.plans.spreading import Part

LEAST_INSTALLMENTS = 2
MOST_INSTALLMENTS = 120


class TermsRefused(Exception):
    """Terms outside the rules; the text tells the member what can be chosen."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the member chose: a number of instalments or an amount a month, the other is None. US cents."""

    day: int
    count: int | None = None
    monthly_cents: int | None = None
    down_cents: int = 0
    income_cents: int | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """What can be chosen for a sum: US cents, and numbers of instalments."""

    floor_cents: int
    most: int
    cap_cents: int | None

    @property
    def least(self) -> int:
        """The fewest instalments."""
        return min(LEAST_INSTALLMENTS, self.most)


@dataclass(frozen=True, slots=True)
class Terms:
    """A schedule within the rules."""

    policy: PlanPolicy
    choice: Choice
    total_cents: int
    parts: tuple[Part, ...]

    @property
    def monthly(self) -> tuple[Part, ...]:
        """The instalments, without the down payment."""
        return tuple(part for part in self.parts if part.position)


def bounds(policy: PlanPolicy, rest_cents: int, *, income_cents: int | None = None) -> Bounds:
    """What can be chosen for what is left after the down payment. The cap of an income goes before the floor."""
    cap = policies.cap_cents(policy, income_cents)
    floor = policy.min_installment_cents
    most = policy.max_installments
    if cap is not None:
        floor = min(floor, max(cap, spreading.MIN_PART_CENTS))
        most = max(most, min(MOST_INSTALLMENTS, -(-rest_cents // max(cap, 1))))
    return Bounds(floor, max(1, min(most, rest_cents // floor)), cap)


def made(
    policy: PlanPolicy, owed_cents: Sequence[int], choice: Choice, *, today: dt.date, first_position: int = 1,
    is_change: bool = False,
) -> Terms:  # fmt: skip
    """The terms of a choice for what is owed on each bill, US cents; a change of a plan heeds no least sum.

    Raises TermsRefused.
    """
    total = sum(owed_cents)
    if len(owed_cents) > MAX_BILLS:
        raise TermsRefused(_("A plan takes at most %(count)d bills.") % {"count": MAX_BILLS})
    if total < policy.min_bill_cents and not is_change:
        raise TermsRefused(
            _("A payment plan is for %(least)s or more; what you chose comes to %(total)s.")
            % {"least": format_usd(policy.min_bill_cents), "total": format_usd(total)}
        )
    amounts = _amounts(policy, total, choice)
    parts = spreading.scheduled(amounts, day=choice.day, today=today, down_cents=choice.down_cents)
    moved = [
        Part(part.position + first_position - 1 if part.position else 0, part.due_on, part.amount_cents)
        for part in parts
    ]
    return Terms(policy, choice, total, tuple(moved))


def _amounts(policy: PlanPolicy, total: int, choice: Choice) -> list[int]:
    rest = total - choice.down_cents
    if choice.down_cents and choice.down_cents < spreading.MIN_PART_CENTS:
        raise TermsRefused(_("A down payment is at least %(least)s.") % {"least": format_usd(spreading.MIN_PART_CENTS)})
    if choice.down_cents and rest < policy.min_installment_cents:
        raise TermsRefused(
            _("Pay down at most %(most)s, or pay the bills at once.")
            % {"most": format_usd(max(0, total - policy.min_installment_cents))}
        )
    limits = bounds(policy, rest, income_cents=choice.income_cents)
    if choice.count is not None:
        if not limits.least <= choice.count <= limits.most:
            raise TermsRefused(
                ngettext(
                    "Choose %(most)d payment.", "Choose %(least)d to %(most)d payments.", limits.most
                ) % {"least": limits.least, "most": limits.most}
            )  # fmt: skip
        amounts = spreading.evenly(rest, choice.count)
    else:
        amounts = _by_amount(rest, choice.monthly_cents or 0, limits)
    if limits.cap_cents is not None and max(amounts) > max(limits.cap_cents, spreading.MIN_PART_CENTS):
        raise TermsRefused(
            _("With the income that you gave, a payment is at most %(cap)s. Choose a smaller amount a month.")
            % {"cap": format_usd(limits.cap_cents)}
        )
    return amounts


def _by_amount(rest: int, monthly: int, limits: Bounds) -> list[int]:
    most_cents = max(limits.floor_cents, -(-rest // limits.least))
    least_cents = min(most_cents, max(limits.floor_cents, -(-rest // limits.most)))
    if not least_cents <= monthly <= most_cents:
        raise TermsRefused(
            _("Choose an amount from %(least)s to %(most)s a month.")
            % {"least": format_usd(least_cents), "most": format_usd(most_cents)}
        )
    return spreading.by_amount(rest, monthly)
