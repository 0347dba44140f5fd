"""The rules of own consent as they stand at first, and what they say of a service (RULES section 6, FAULTS F14).

What somebody may consent to is told to them alone: Cal. Civ. Code 56.107, 45 CFR 164.502(g)(3). Rows with dates, as the
other rules of states: one that changes is a row more. Where a law could not be read here, its row says so, and has
the lower age of those that are reported.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.db.models import Q

from accounts.ages import age_on
from accounts.models import ConsentRule, Sensitive

SINCE = dt.date(2020, 1, 1)
# A law that names no age speaks of a minor who asks for the service; of a small child a parent does (decision 2062).
LEAST_AGE = 10

_S = Sensitive
_EVERYWHERE = (_S.MENTAL, _S.SUBSTANCE, _S.REPRODUCTIVE, _S.INFECTION)
_UNREAD = " (reported, text not read)"
_ROWS: tuple[tuple[str, Collection[str], int, str], ...] = (
    ("", [""], 13, "the plan's own: the age from which a parent sees less of a child"),
    ("CA", [""], 12, "the region's teen age; Cal. Civ. Code 56.107"),
    ("CA", [_S.MENTAL], 12, "Cal. Fam. Code 6924; H&S 124260"),
    ("CA", [_S.SUBSTANCE], 12, "Cal. Fam. Code 6929"),
    ("CA", [_S.INFECTION], 12, "Cal. Fam. Code 6926"),
    ("CA", [_S.REPRODUCTIVE], 0, "Cal. Fam. Code 6925"),
    ("CA", [_S.VIOLENCE], 0, "Cal. Fam. Code 6927, 6928, 6930"),
    ("WA", [_S.MENTAL, _S.SUBSTANCE], 13, "RCW 71.34.530"),
    ("WA", [_S.INFECTION], 14, "RCW 70.24.110"),
    ("WA", [_S.REPRODUCTIVE], 0, "RCW 9.02.100"),
    ("OR", [_S.MENTAL, _S.SUBSTANCE], 14, "ORS 109.675"),
    ("OR", [_S.REPRODUCTIVE], 0, "ORS 109.640"),
    ("OR", [_S.INFECTION], 0, "ORS 109.610"),
    ("CO", [""], 12, "the region's teen age" + _UNREAD),
    ("CO", [_S.MENTAL], 12, "CRS 12-245-203.5"),
    ("CO", [_S.SUBSTANCE, _S.REPRODUCTIVE, _S.INFECTION], 0, "CRS 13-22-102, 13-22-105, 25-4-409" + _UNREAD),
    ("MD", [_S.MENTAL], 12, "Md. Health-Gen. 20-104"),
    ("MD", [_S.SUBSTANCE, _S.REPRODUCTIVE, _S.INFECTION, _S.VIOLENCE], 0, "Md. Health-Gen. 20-102(c)"),
    ("VA", _EVERYWHERE, 0, "Va. Code 54.1-2969(E)"),
    ("DC", _EVERYWHERE, 0, "22-B DCMR 600.7"),
    ("HI", [_S.REPRODUCTIVE, _S.INFECTION], 14, "HRS 577A-1, 577A-2"),
    ("HI", [_S.MENTAL], 14, "HRS 577-29" + _UNREAD),
    ("HI", [_S.SUBSTANCE], 0, "HRS 577-26" + _UNREAD),
    ("GA", [_S.INFECTION], 0, "OCGA 31-17-7"),
    ("GA", [_S.SUBSTANCE], 0, "OCGA 37-7-8"),
    ("GA", [_S.REPRODUCTIVE], 0, "OCGA 31-9-2"),
    ("GA", [_S.MENTAL], 12, "OCGA 37-3-20" + _UNREAD),
)


def first_rules() -> Iterator[dict[str, Any]]:
    """The rows that stand at first."""
    for state, kinds, age, source in _ROWS:
        for kind in kinds:
            yield {"state": state, "kind": str(kind), "from_age": age, "effective_from": SINCE, "source": source}


def of_states(states: Collection[str]) -> list[ConsentRule]:
    """Every rule that may hold in these states: one query, few rows."""
    return list(ConsentRule.objects.filter(Q(state="") | Q(state__in=states)).order_by("pk"))


def from_age(rules: Iterable[ConsentRule], kind: str, state: str, *, on: dt.date) -> int:
    """From which age on a day somebody may consent to a kind of service: the nearest rule, its latest begun row.

    The state's for the kind, the state's teen age, then the same of no state. What is older than every rule keeps the
    earliest. Raises LookupError where there is none at all.
    """
    found = list(rules)
    for in_state, of_kind in ((state, kind), (state, ""), ("", kind), ("", "")):
        fitting = [rule for rule in found if (rule.state, rule.kind) == (in_state, of_kind)]
        if fitting:
            begun = [rule for rule in fitting if rule.effective_from <= on]
            rule = max(begun, key=_begins) if begun else min(fitting, key=_begins)
            return max(rule.from_age, LEAST_AGE)
    raise LookupError("no rule of own consent")


def is_own(rules: Iterable[ConsentRule], kinds: Collection[str], state: str, *, born: dt.date, on: dt.date) -> bool:
    """Whether somebody may consent themself, on the day of the service, to any of these kinds of service."""
    found = list(rules)
    age = age_on(born, on)
    return any(age >= from_age(found, kind, state, on=on) for kind in kinds)


def _begins(rule: ConsentRule) -> dt.date:
    return rule.effective_from
