"""The rules of grace as they stand at first, and which of the table holds for a coverage on a day (RULES section 4).

They are rows with dates: a rule that changes is a row more, by a migration or by staff. Nothing is worked out here.
"""

import datetime as dt
from typing import Any

from django.db.models import Q

from bills.models import GraceRule, Product

SINCE = dt.date(2020, 1, 1)
COUNTS, ENDS = GraceRule.Counts, GraceRule.Ends

FIRST_RULES: tuple[dict[str, Any], ...] = (
    {
        "product": Product.MARKETPLACE, "counts_from": COUNTS.MONTH, "months": 3, "cover_ends": ENDS.FIRST_MONTH,
        "claims_wait_from_month": 2, "needs_all": True, "source": "45 CFR 156.270(d)-(g), 155.430",
    },
    {
        "product": Product.INDIVIDUAL, "counts_from": COUNTS.DUE, "days": 31, "cover_ends": ENDS.GRACE_END,
        "source": "state law, commonly 31 days",
    },
    {
        "product": Product.INDIVIDUAL, "state": "ME", "counts_from": COUNTS.DUE, "days": 30,
        "cover_ends": ENDS.GRACE_END, "source": "Maine, 30 days",
    },
    {
        "product": Product.INDIVIDUAL, "state": "CA", "counts_from": COUNTS.NOTICE, "days": 30,
        "cover_ends": ENDS.GRACE_END, "source": "H&S 1365; 28 CCR 1300.65, 1300.65.2",
    },
    {
        "product": Product.MEDICARE_ADVANTAGE, "counts_from": COUNTS.BILL, "months": 2, "cover_ends": ENDS.GRACE_END,
        "source": "42 CFR 422.74(d)",
    },
    {
        "product": Product.MEDICARE_PART_D, "counts_from": COUNTS.BILL, "months": 2, "cover_ends": ENDS.GRACE_END,
        "source": "42 CFR 423.44(d)",
    },
    {
        "product": Product.MEDIGAP, "counts_from": COUNTS.DUE, "days": 31, "cover_ends": ENDS.GRACE_END,
        "source": "NAIC Model 651, 31 days",
    },
    {
        "product": Product.COBRA_FIRST, "counts_from": COUNTS.START, "days": 45, "cover_ends": ENDS.PAID_THROUGH,
        "shortfall_cents": 5_000, "shortfall_percent": 10, "source": "26 CFR 54.4980B-8, Q&A 5",
    },
    {
        "product": Product.COBRA, "counts_from": COUNTS.DUE, "days": 30, "cover_ends": ENDS.PAID_THROUGH,
        "shortfall_cents": 5_000, "shortfall_percent": 10, "source": "26 CFR 54.4980B-8, Q&A 5",
    },
    {
        "product": Product.CHARITABLE, "counts_from": COUNTS.NOTICE, "days": 31, "cover_ends": ENDS.GRACE_END,
        "source": "the plan's own practice",
    },
)  # fmt: skip


def holding(rules: list[GraceRule], product: str, state: str, *, on: dt.date) -> GraceRule:
    """The rule of a product on a day: the state's own before the general one, the latest begun of either.

    What is older than every rule keeps the earliest: a month that was left open for years is still to be shown. Raises
    LookupError for a product without any: no coverage ends without a rule that says when.
    """
    of_product = [rule for rule in rules if rule.product == product]
    begun = [rule for rule in of_product if rule.effective_from <= on] or of_product
    fitting = [rule for rule in begun if rule.state == state and state] or [rule for rule in begun if not rule.state]
    if not fitting:
        raise LookupError(f"no rule of grace for {product}")
    latest_or_first = max if begun is not of_product else min
    return latest_or_first(fitting, key=lambda rule: rule.effective_from)


def of_states(states: set[str]) -> list[GraceRule]:
    """Every rule that may hold in these states: one query, few rows."""
    return list(GraceRule.objects.filter(Q(state="") | Q(state__in=states)).order_by("pk"))
