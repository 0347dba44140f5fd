"""How the portal's templates write money, months and form controls."""

import datetime as dt
from functools import lru_cache

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, FileInput, RadioSelect
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from ledger.money import format_usd

register = template.Library()


@register.filter
def usd(cents: int | None) -> str:
    """123450 → `$1,234.50`; nothing for None."""
    return "" if cents is None else format_usd(cents)


@register.filter
def usd_signed(cents: int) -> str:
    """An amount that may be below nothing: `$235.00`, `− $50.00` (U+2212)."""
    return f"− {format_usd(-cents)}" if cents < 0 else format_usd(cents)


@register.filter
def usd_change(cents: int) -> str:
    """A movement of a balance: `+ $235.00`, `− $50.00` (U+2212)."""
    return f"{'−' if cents < 0 else '+'} {format_usd(abs(cents))}"


@register.filter
def usd_whole(cents: int) -> str:
    """Dollars alone, as in `$1,240`: for meters and charts, where cents would only be noise."""
    return format_usd(cents)[:-3] if cents % 100 == 0 else format_usd(round(cents, -2))[:-3]


@register.filter
def month(day: dt.date | None) -> str:
    """`December 2026`, in the reader's language."""
    return "" if day is None else _written(day, 3)


@register.filter
def under(path: str, href: str) -> bool:
    """Whether the page at `path` belongs to the section at `href`, for `aria-current` in the navigation."""
    return bool(href) and path.startswith(href)


@register.filter
def control(field: BoundField) -> SafeString:
    """A form field's control with the design system's classes; its label, hint and errors are `<c-field>`'s."""
    widget = field.field.widget
    widget.attrs.pop("placeholder", None)  # the label says it, and stays when something is typed
    classes = [widget.attrs.get("class", "")]
    if not isinstance(widget, (CheckboxInput, CheckboxSelectMultiple, RadioSelect, FileInput)):
        classes += ["ds-c-field", "ds-c-field--error" if field.errors else ""]
    elif isinstance(widget, CheckboxInput):
        classes.append("ds-c-choice")
    return field.as_widget(attrs={"class": " ".join(name for name in classes if name)})


@register.filter
def is_choice(field: BoundField) -> bool:
    """Whether the control is a single tick box, whose label stands beside it."""
    return isinstance(field.field.widget, CheckboxInput)


DAY_FORMATS = {
    "en": ("M j, Y", "M j", "F j, Y", "F Y"),
    "es": ("j b Y", "j b", r"j \d\e F \d\e Y", r"F \d\e Y"),
}


@register.filter(expects_localtime=True)
def day(on: dt.date | None) -> str:
    """`Oct 14, 2026`, in the reader's language."""
    return "" if on is None else _written(on, 0)


@register.filter
def day_of_year(on: dt.date | None) -> str:
    """`Oct 14`, in the reader's language: where the year goes without saying."""
    return "" if on is None else _written(on, 1)


@register.filter(expects_localtime=True)
def day_long(on: dt.date | None) -> str:
    """`October 14, 2026`, in the reader's language."""
    return "" if on is None else _written(on, 2)


# Looked for in this order: each browser also names those it descends from.
BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "Linux": "Linux",
}


@register.filter
def device(user_agent: str) -> str:
    """`Firefox · Windows`: the browser and the system that a User-Agent header names."""
    named = (next((name for mark, name in each.items() if mark in user_agent), "") for each in (BROWSERS, SYSTEMS))
    return " · ".join(filter(None, named)) or _("Unknown device")


def _written(on: dt.date, form: int) -> str:
    language = _language()
    return _written_day(on.year, on.month, on.day, language, form)


@lru_cache(maxsize=2048)
def _written_day(year: int, month: int, day: int, language: str, form: int) -> str:
    return date_format(dt.date(year, month, day), DAY_FORMATS[language][form])


def _language() -> str:
    language = (get_language() or "en").split("-")[0]
    return language if language in DAY_FORMATS else "en"
