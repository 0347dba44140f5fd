"""The forms of the notification settings."""

import datetime as dt
import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

HOURS = [("", _("No quiet hours")), *((f"{hour:02d}:00", f"{hour:02d}:00") for hour in range(24))]
NOT_DIGITS = re.compile(r"[\s().-]")
US_NUMBER = re.compile(r"(?:\+?1)?([2-9][0-9]{2}[2-9][0-9]{6})", re.ASCII)


class DeliveryForm(forms.Form):
    """Amounts and quiet hours."""

    states_amounts = forms.BooleanField(
        label=_("Say amounts in emails"),
        help_text=_("Without this, an email only says that there is news and where to read it."),
        required=False,
    )
    quiet_from = forms.ChoiceField(label=_("Quiet from"), choices=HOURS, required=False)
    quiet_until = forms.ChoiceField(label=_("Quiet until"), choices=HOURS, required=False)

    def clean(self) -> dict[str, Any]:
        """Both ends of the quiet hours, or neither."""
        data: dict[str, Any] = super().clean() or {}
        if bool(data.get("quiet_from")) != bool(data.get("quiet_until")):
            raise forms.ValidationError(_("Choose when the quiet hours begin and when they end, or neither."))
        if data.get("quiet_from") and data["quiet_from"] == data["quiet_until"]:
            raise forms.ValidationError(_("Quiet hours cannot begin and end at the same time."))
        return data

    def quiet_hours(self) -> tuple[dt.time | None, dt.time | None]:
        """Both ends, once the form is valid."""
        ends = self.cleaned_data["quiet_from"], self.cleaned_data["quiet_until"]
        return (dt.time.fromisoformat(ends[0]), dt.time.fromisoformat(ends[1])) if ends[0] else (None, None)


class NumberForm(forms.Form):
    """A mobile number in the United States."""

    number = forms.CharField(
        label=_("Mobile number"),
        max_length=24,
        help_text=_("Ten digits, for example 510-555-0142"),
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )

    def clean_number(self) -> str:
        """In the form +15105550142."""
        match = US_NUMBER.fullmatch(NOT_DIGITS.sub("", self.cleaned_data["number"]))
        if match is None:
            raise forms.ValidationError(_("Enter a mobile number of ten digits, for example 510-555-0142."))
        return f"+1{match[1]}"


class CodeForm(forms.Form):
    """The code that was sent to the number."""

    code = forms.RegexField(
        r"\A[0-9]{6}\Z",
        label=_("Code"),
        max_length=6,
        help_text=_("The six digits that we sent to your number. They are good for 10 minutes."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
