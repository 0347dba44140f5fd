"""How long what is open has waited: counts by age, as a chart drawn on the server with the table behind it."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from activity import bars

DAY = dt.timedelta(days=1)
# Upper bounds, the youngest first; the last has none.
SPANS = (("under a day", DAY), ("1 to 3 days", 3 * DAY), ("3 to 7 days", 7 * DAY), ("1 to 4 weeks", 28 * DAY))
OLDEST = "over 4 weeks"


@dataclass(frozen=True, slots=True)
class Bar(bars.Bar):
    """One span of ages and how many are of it."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, and what a screen reader says of it."""

    title: str
    label: str
    bars: tuple[Bar, ...]


def chart(opened: Iterable[dt.datetime], *, title: str, now: dt.datetime) -> Chart:
    """Count what was opened at these moments by its age."""
    counts = dict.fromkeys([name for name, _bound in SPANS] + [OLDEST], 0)
    for moment in opened:
        counts[next((name for name, bound in SPANS if now - moment < bound), OLDEST)] += 1
    return of_counts(counts, title=title)


def of_counts(counts: Mapping[str, int], *, title: str) -> Chart:
    """A chart of counts by name, at most five of them."""
    most = max(counts.values(), default=0)
    drawn = tuple(
        Bar(place, bars.height(count, most), name, count) for place, (name, count) in enumerate(counts.items())
    )
    return Chart(title, f"{title}: " + ", ".join(f"{bar.name} {bar.count}" for bar in drawn), drawn)
