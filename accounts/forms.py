"""The forms of enrolment and settings."""

import datetime as dt
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.enrolment import Proof

EARLIEST_BIRTH_YEAR = 1900


class EnrolmentForm(forms.Form):
    """What proves that a person is a member. Only the form of the facts is checked here, never the facts."""

    member_number = forms.CharField(
        label=_("Member number"),
        max_length=20,
        strip=True,
        validators=[RegexValidator(r"\A[A-Za-z0-9-]+\Z", _("Use letters, digits and dashes, as on your card."))],
        help_text=_("It is on the front of your member card."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    birth_date = forms.DateField(
        label=_("Birth date"),
        input_formats=["%Y-%m-%d", "%m/%d/%Y"],
        help_text=_("Month, day and year, for example 04/28/1986"),
        error_messages={"invalid": _("Enter a date as month/day/year, for example 04/28/1986.")},
        widget=forms.DateInput(format="%m/%d/%Y", attrs={"autocomplete": "bday", "inputmode": "numeric"}),
    )
    zip = forms.CharField(
        label=_("ZIP code"),
        max_length=10,
        strip=True,
        validators=[RegexValidator(r"\A[0-9]{5}(-[0-9]{4})?\Z", _("Enter five digits."))],
        help_text=_("Of the address that your bills are sent to"),
        widget=forms.TextInput(attrs={"autocomplete": "postal-code", "inputmode": "numeric"}),
    )

    code = forms.CharField(
        label=_("Code from our letter"),
        max_length=20,
        required=False,
        strip=True,
        validators=[RegexValidator(r"\A[A-Za-z0-9 -]*\Z", _("Use letters and digits, as in our letter."))],
        help_text=_(
            "Only if you are 12 or older and on somebody else's account, for example as a spouse or a grown child."
            " It keeps others of your household from signing in as you."
        ),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )

    def clean_birth_date(self) -> dt.date:
        """A day that somebody living may have been born on."""
        born: dt.date = self.cleaned_data["birth_date"]
        if not dt.date(EARLIEST_BIRTH_YEAR, 1, 1) <= born <= timezone.localdate():
            raise forms.ValidationError(_("Enter your birth date with the full year."))
        return born

    def proof(self) -> Proof:
        """The facts, once the form is valid."""
        data: dict[str, Any] = self.cleaned_data
        return Proof(
            member_number=data["member_number"], birth_date=data["birth_date"], zip=data["zip"], code=data["code"]
        )


class PaperlessForm(forms.Form):
    """Paper or paperless statements."""

    is_paperless = forms.BooleanField(label=_("Send statements by email only, not on paper"), required=False)
