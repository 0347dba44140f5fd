"""How long what is open has waited: counts by age, as a chart drawn on the server with the table behind it."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

DAY = dt.timedelta(days=1)
# Upper bounds, the youngest first; the last has none.
SPANS = (("under a day", DAY), ("1 to 3 days", 3 * DAY), ("3 to 7 days", 7 * DAY), ("1 to 4 weeks", 28 * DAY))
OLDEST = "over 4 weeks"
STEP, LEFT, WIDTH, FLOOR, TALLEST = 120, 30, 60, 130, 100


@dataclass(frozen=True, slots=True)
class Bar:
    """One span of ages and how many are of it; where its bar stands."""

    name: str
    count: int
    x: int
    y: int
    height: int
    text_y: int
    middle: int


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
    bars = tuple(_bar(place, name, count, most) for place, (name, count) in enumerate(counts.items()))
    return Chart(title, f"{title}: " + ", ".join(f"{bar.name} {bar.count}" for bar in bars), bars)


def _bar(place: int, name: str, count: int, most: int) -> Bar:
    height = max(2, TALLEST * count // most) if most else 2
    x = LEFT + place * STEP
    return Bar(name, count, x, FLOOR - height, height, FLOOR - height - 8, x + WIDTH // 2)
