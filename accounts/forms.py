"""The forms of enrolment and settings."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from accounts.enrolment import Proof
from accounts.typed_fields import BirthDateField, ZipField


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
    birth_date = BirthDateField(
        label=_("Birth date"),
        help_text=_("Month, day and year, for example 04/28/1986"),
        error_messages={"impossible": _("Enter your birth date with the full year.")},
        autocomplete="bday",
    )
    zip = ZipField(help_text=_("Of the address that your bills are sent to"), autocomplete="postal-code")

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

    def proof(self) -> Proof:
        """The facts, once the form is valid."""
        data: dict[str, Any] = self.cleaned_data
        return Proof(
            member_number=data["member_number"], birth_date=data["birth_date"], zip=data["zip"], code=data["code"]
        )


class PaperlessForm(forms.Form):
    """Paper or paperless statements."""

    is_paperless = forms.BooleanField(label=_("Send statements by email only, not on paper"), required=False)
