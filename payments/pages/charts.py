"""A bar chart's geometry: drawn on the server as SVG, with the table behind it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ledger.templatetags.portal import usd_whole

BAR_STEP = 100  # from one bar's left edge to the next's
BAR_LEFT = 28
BAR_WIDTH = 48
FLOOR = 130  # y of the bars' feet
TALLEST = 100


@dataclass(frozen=True, slots=True)
class Bar:
    """One month's bar."""

    month: dt.date
    name: str
    cents: int
    x: int
    height: int

    @property
    def y(self) -> int:
        """The bar's top."""
        return FLOOR - self.height

    @property
    def middle(self) -> int:
        """Where its texts are centred."""
        return self.x + BAR_WIDTH // 2

    @property
    def text_y(self) -> int:
        """Where the amount stands, above the bar."""
        return self.y - 8

    @property
    def radius(self) -> int:
        """Rounded corners, but not of a bar too low for them."""
        return min(6, self.height // 2)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its title and what a screen reader says of it."""

    title: str
    label: str
    bars: tuple[Bar, ...]


def by_month(cents: Mapping[dt.date, int], *, title: str) -> Chart:
    """A chart of amounts by month, US cents, in the mapping's order."""
    most = max(cents.values(), default=0)
    bars = tuple(
        Bar(
            month=month,
            name=date_format(month, "b").capitalize(),
            cents=amount,
            x=BAR_LEFT + place * BAR_STEP,
            height=max(2, TALLEST * amount // most) if most else 2,
        )
        for place, (month, amount) in enumerate(cents.items())
    )
    figures = ", ".join(f"{date_format(bar.month, 'F')} {usd_whole(bar.cents)}" for bar in bars)
    return Chart(title, _("%(title)s: %(figures)s") % {"title": title, "figures": figures}, bars)
