"""What the bill check rests on, kept in line after an import and daily. What it says is worked out where it is read."""

import datetime as dt
from dataclasses import dataclass

from bills import estimates, open_claims


@dataclass(frozen=True, slots=True)
class Done:
    """How many holds began or ended, and how many estimates found a bill."""

    holds: int
    links: int


def run(today: dt.date) -> Done:
    """Hold the bills of open claims, let those decided go on, and put estimates to their bills. Harmless again."""
    return Done(open_claims.keep_all(), estimates.link_all(today=today))
