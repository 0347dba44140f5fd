"""What others pay of a coverage's premium, and on which days: the premium tax credit, and charitable coverage."""

import datetime as dt
from dataclasses import dataclass

from accounts.models import Coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class Aid:
    """The columns of a coverage that say how much a month, US cents, and from when to when, both days included.

    A day that is not set is no bound; the coverage's own days are another matter.
    """

    cents: str
    ends_on: str
    starts_on: str = ""

    def cents_on(self, coverage: Coverage, day: dt.date) -> int:
        """What it pays a month, as of a day: nothing before it starts and after it ends."""
        start = getattr(coverage, self.starts_on) if self.starts_on else None
        end = getattr(coverage, self.ends_on)
        cents: int = getattr(coverage, self.cents)
        return cents if (start is None or start <= day) and (end is None or end >= day) else 0

    def cents_sql(self, coverage: str, day: str) -> str:
        """`cents_on` in SQL, of the coverage under this alias."""
        has_started = f"coalesce({coverage}.{self.starts_on} <= {day}, true)" if self.starts_on else "true"
        return f"""(CASE WHEN {has_started} AND coalesce({coverage}.{self.ends_on} >= {day}, true)
                    THEN {coverage}.{self.cents} ELSE 0 END)"""


SUBSIDY = Aid(cents="subsidy_cents", ends_on="subsidy_ends_on")
CHARITABLE = Aid(cents="charitable_cents", starts_on="charitable_starts_on", ends_on="charitable_ends_on")


def share_sql(coverage: str, day: str) -> str:
    """What is left to the member of a whole month's premium, as of a day, in SQL."""
    return " - ".join((f"{coverage}.premium_cents", *(aid.cents_sql(coverage, day) for aid in (SUBSIDY, CHARITABLE))))
