"""Fields of facts that people type as they stand on a letter: a day, a birth date, a ZIP code."""

import datetime as dt
from typing import Any, ClassVar

from django import forms
from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

EARLIEST_BIRTH = dt.date(1900, 1, 1)
ZIP = RegexValidator(r"\A[0-9]{5}(-[0-9]{4})?\Z", _("Enter five digits."))


class DayField(forms.DateField):
    """A day, typed as month/day/year, or as year-month-day."""

    default_error_messages: ClassVar = {"invalid": _("Enter a date as month/day/year, for example 04/28/2027.")}

    def __init__(self, *, autocomplete: str = "off", **options: Any) -> None:
        super().__init__(
            input_formats=["%m/%d/%Y", "%Y-%m-%d"],
            widget=forms.DateInput(format="%m/%d/%Y", attrs={"autocomplete": autocomplete, "inputmode": "numeric"}),
            **options,
        )


class BirthDateField(DayField):
    """A day that somebody living may have been born on."""

    default_error_messages: ClassVar = {
        "invalid": _("Enter a date as month/day/year, for example 04/28/1986."),
        "impossible": _("Enter the birth date with the full year."),
    }

    def validate(self, value: dt.date | None) -> None:
        """Not before EARLIEST_BIRTH, not to come."""
        super().validate(value)
        if value is not None and not EARLIEST_BIRTH <= value <= timezone.localdate():
            raise forms.ValidationError(self.error_messages["impossible"], code="impossible")


class ZipField(forms.CharField):
    """A ZIP code, with or without its four more digits."""

    def __init__(self, *, autocomplete: str = "off", **options: Any) -> None:
        super().__init__(
            label=_("ZIP code"), max_length=10, validators=[ZIP],
            widget=forms.TextInput(attrs={"autocomplete": autocomplete, "inputmode": "numeric"}), **options,
        )  # fmt: skip
