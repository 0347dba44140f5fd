"""The rules of payment plans that hold in a state: what was loaded first, which one holds, and replacing it.

The operator's default is the same everywhere: no interest, no fee, up to 24 months. What the law of a state asks for
beyond it stands in the row of the state (RULES section 5).
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from activity.recording import record
from payments.models import PlanPolicy

# Cal. Civ. Code 1785.27 (SB 1061), verbatim: a contract that creates medical debt is void without it since 2025-07-01.
CALIFORNIA_TEXT = (
    "A holder of this medical debt contract is prohibited by Section 1785.27 of the Civil Code from furnishing any "
    "information related to this debt to a consumer credit reporting agency. In addition to any other penalties "
    "allowed by law, if a person knowingly violates that section by furnishing information regarding this debt to a "
    "consumer credit reporting agency, the debt shall be void and unenforceable."
)
EVERYWHERE: dict[str, Any] = {
    "state": "", "version": "US-2025-01", "effective_on": dt.date(2025, 1, 1), "min_bill_cents": 10_000,
    "min_installment_cents": 2_500, "max_installments": 24, "notice_after_days": 60, "notice_days": 30,
    "default_after_days": 90, "pause_months": 2, "income_cap_basis_points": None, "income_basis": "",
    "needs_text": False, "required_text": "", "source": "The operator's own: no interest, no fee, up to 24 months",
}  # fmt: skip
FIRST_ROWS: tuple[dict[str, Any], ...] = (
    EVERYWHERE,
    EVERYWHERE
    | {
        "state": "CA", "version": "CA-2025-07", "effective_on": dt.date(2025, 7, 1), "max_installments": 36,
        "income_cap_basis_points": 1_000, "income_basis": "after_expenses", "needs_text": True,
        "required_text": CALIFORNIA_TEXT, "source": "Civ. Code 1785.27 (SB 1061); H&S 127400-127425",
    },
    EVERYWHERE
    | {
        "state": "NY", "version": "NY-2024-10", "effective_on": dt.date(2024, 10, 20), "max_installments": 60,
        "min_installment_cents": 1_000, "income_cap_basis_points": 500, "income_basis": "gross",
        "source": "Public Health Law 2807-k",
    },
    EVERYWHERE
    | {
        "state": "CO", "version": "CO-2023-05", "effective_on": dt.date(2023, 5, 4), "max_installments": 36,
        "min_installment_cents": 1_000, "income_cap_basis_points": 400, "income_basis": "gross",
        "source": "SB23-093; C.R.S. 6-20-203; HB21-1198",
    },
    EVERYWHERE
    | {
        "state": "MD", "version": "MD-2025-10", "effective_on": dt.date(2025, 10, 1), "max_installments": 60,
        "min_installment_cents": 1_000, "income_cap_basis_points": 500, "income_basis": "adjusted",
        "source": "HB 268/SB 981, ch. 693/694 of 2025",
    },
)  # fmt: skip


class NoPolicy(Exception):
    """No rule holds: nothing is offered."""


class PolicyRefused(Exception):
    """A rule that cannot stand; its text tells staff why."""


def load(create: Callable[..., object] | None = None) -> None:
    """Lay down the first rules where there are none; harmless to repeat. The migration gives its own `create`."""
    for row in FIRST_ROWS:
        if create is not None:
            create(**row)
        elif not PlanPolicy.objects.filter(version=row["version"]).exists():
            PlanPolicy.objects.create(**row)


def for_state(state: str, *, on: dt.date | None = None) -> PlanPolicy:
    """The rule of a state on a day, or else the one of everywhere. Raises NoPolicy. One query."""
    found = PlanPolicy.objects.in_force(state, on=on or timezone.localdate()).first()
    if found is None:
        raise NoPolicy("no rule of payment plans holds")
    return found


def replace(policy: PlanPolicy, *, by: User, reason: str, effective_on: dt.date, **changes: Any) -> PlanPolicy:
    """Lay down the next version of a rule, from a day on that is not past; plans agreed before keep theirs.

    Raises PolicyRefused where the database refuses it: California's text is not left out, for one.
    """
    if effective_on < timezone.localdate():
        raise PolicyRefused("A rule cannot begin in the past.")
    kept = {field: getattr(policy, field) for field in EVERYWHERE} | changes
    kept |= {"version": f"{policy.state or 'US'}-{effective_on:%Y-%m-%d}", "effective_on": effective_on}
    kept["needs_text"] = policy.needs_text
    try:
        with transaction.atomic():
            made = PlanPolicy.objects.create(**kept, created_by=by)
            record(
                "plan_policy.replaced", subject=f"planpolicy:{made.version}", actor=f"user:{by.pk}", reason=reason,
                policy_id=made.pk, before_id=policy.pk,
            )  # fmt: skip
    except IntegrityError as error:
        raise PolicyRefused(_why(str(error))) from error
    return made


REFUSALS = {
    "payments_planpolicy_one_a_day": "A rule of this state begins on that day already.",
    "payments_planpolicy_version": "A rule of this state begins on that day already.",
    "payments_planpolicy_text_where_needed": "The law of this state asks for its text: it cannot be left out.",
    "payments_planpolicy_california_90_days": "In California a plan stands for at least 90 days of missed payments.",
}


def _why(fault: str) -> str:
    found = (words for name, words in REFUSALS.items() if name in fault)
    return next(found, "These figures do not fit together: see the help beside each.")


def cap_words(policy: PlanPolicy) -> str:
    """What the law of the state says of the income, in the active language; empty where it says nothing."""
    if policy.income_cap_basis_points is None:
        return ""
    return _("Under the law of your state you need not pay more than %(percent)s %% of your %(income)s each month.") % {
        "percent": f"{policy.income_cap_basis_points / 100:g}",
        "income": PlanPolicy.IncomeBasis(policy.income_basis).label,
    }


def cap_cents(policy: PlanPolicy, income_cents: int | None) -> int | None:
    """The most that an instalment may be for who has said what their income is, US cents; None without a cap."""
    if policy.income_cap_basis_points is None or not income_cents:
        return None
    return income_cents * policy.income_cap_basis_points // 10_000
