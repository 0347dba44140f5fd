"""What the rules say of a household: its guideline, its band, and what help that makes likely (RULES section 1).

Percentages are compared unrounded, as products of integers; the edges of bands are included at the top.
"""

import datetime as dt
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from assistance.models import AssistancePolicy, CharitableRule, Determination, PovertyGuideline

OWN_REGIONS = {"AK": PovertyGuideline.Region.ALASKA, "HI": PovertyGuideline.Region.HAWAII}
MAX_SIZE = 20
Basis = Determination.Basis


M = TypeVar("M", bound=Model)


class RuleMissing(LookupError):
    """No guideline or policy is in force on that day: an operator has to enter one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the rules make of a household's figures, US cents a year. `award_pct` 0: nothing."""

    guideline: PovertyGuideline
    policy: AssistancePolicy
    size: int
    income_cents: int
    expense_cents: int
    guideline_cents: int
    basis: Determination.Basis
    award_pct: int

    @property
    def percent(self) -> int:
        """Income as a percentage of the guideline, rounded up: to be read, never to be compared."""
        return -(-self.income_cents * 100 // self.guideline_cents)


def in_force(rows: QuerySet[M], on: dt.date) -> QuerySet[M]:
    """Rows of rules in force on a day, the latest first."""
    return rows.filter(Q(effective_to__isnull=True) | Q(effective_to__gte=on), effective_from__lte=on).order_by(
        "-effective_from", "pk"
    )


def guideline(state: str, on: dt.date) -> PovertyGuideline:
    """The guideline of a state's region on a day. Raises RuleMissing."""
    region = OWN_REGIONS.get(state, PovertyGuideline.Region.CONTIGUOUS)
    found = in_force(PovertyGuideline.objects.filter(region=region), on).first()
    if found is None:
        raise RuleMissing(f"no poverty guideline for region {region} on {on}")
    return found


def policy(state: str, on: dt.date) -> AssistancePolicy:
    """The policy of a state on a day, or the one for every other state. Raises RuleMissing."""
    rows = in_force(AssistancePolicy.objects.all(), on)
    found = rows.filter(state=state).first() or rows.filter(state="").first()
    if found is None:
        raise RuleMissing(f"no assistance policy for {state} on {on}")
    return found


def is_within(income_cents: int, pct: int, guideline_cents: int) -> bool:
    """Whether an income is at or below a percentage of the guideline."""
    return income_cents * 100 <= pct * guideline_cents


def find(*, state: str, size: int, income_cents: int, expense_cents: int = 0, on: dt.date) -> Finding:
    """What help the rules in force on a day give a household: by its band, or by high medical expense, the greater.

    `expense_cents` is what it paid itself for care (no premiums) in the policy's months. Raises RuleMissing.
    """
    table, rule = guideline(state, on), policy(state, on)
    line = table.cents_for(size)
    band = next((band for band in rule.bands.all() if is_within(income_cents, band.up_to_pct, line)), None)
    by_income = band.award_pct if band else 0
    is_high = expense_cents > 0 and expense_cents * 100 >= rule.expense_pct * income_cents
    by_expense = rule.expense_award_pct if is_high else 0
    by_band = Basis.INCOME if by_income else Basis.NONE
    basis = by_band if by_income >= by_expense else Basis.EXPENSE
    return Finding(table, rule, size, income_cents, expense_cents, line, basis, max(by_income, by_expense))


def charitable_rule(*, state: str, age: int, size: int, income_cents: int, on: dt.date) -> CharitableRule | None:
    """The rule by which somebody of this age may have charitable coverage, or None."""
    line = guideline(state, on).cents_for(size)
    of_age = CharitableRule.objects.filter(state=state, from_age__lte=age, to_age__gte=age)
    for rule in in_force(of_age, on):
        is_above = not rule.over_pct or not is_within(income_cents, rule.over_pct, line)
        if is_above and is_within(income_cents, rule.up_to_pct, line):
            return rule
    return None


def award_cents(eligible_cents: int, percent: int) -> int:
    """A percentage of a share, to the cent: a half cent goes to the member."""
    return (eligible_cents * percent + 50) // 100
