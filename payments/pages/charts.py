"""A bar chart's geometry: drawn on the server as SVG, with the table behind it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from activity import bars
from ledger.templatetags.portal import usd_whole


@dataclass(frozen=True, slots=True)
class Bar(bars.Bar):
    """One month's bar."""

    LEFT: ClassVar[int] = 28
    STEP: ClassVar[int] = 100
    WIDTH: ClassVar[int] = 48

    month: dt.date
    name: str
    cents: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its title and what a screen reader says of it."""

    title: str
    label: str
    bars: tuple[Bar, ...]


def by_month(cents: Mapping[dt.date, int], *, title: str) -> Chart:
    """A chart of amounts by month, US cents, in the mapping's order."""
    most = max(cents.values(), default=0)
    drawn = tuple(
        Bar(place, bars.height(amount, most), month, date_format(month, "b").capitalize(), amount)
        for place, (month, amount) in enumerate(cents.items())
    )
    figures = ", ".join(f"{date_format(bar.month, 'F')} {usd_whole(bar.cents)}" for bar in drawn)
    return Chart(title, _("%(title)s: %(figures)s") % {"title": title, "figures": figures}, drawn)
