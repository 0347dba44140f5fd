"""The fields of a postal address in the United States, for the forms that ask for one."""

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _


class PostalForm(forms.Form):
    """An address: none of it needed unless the form says so. The state in capitals."""

    address = forms.CharField(label=_("Street address or PO box"), required=False, max_length=200)
    city = forms.CharField(label=_("City"), required=False, max_length=100)
    state = forms.CharField(
        label=_("State"), required=False, max_length=2,
        validators=[RegexValidator(r"\A[A-Za-z]{2}\Z", _("Enter two letters, for example CA."))],
    )  # fmt: skip
    zip = forms.CharField(
        label=_("ZIP code"), required=False, max_length=5,
        validators=[RegexValidator(r"\A[0-9]{5}\Z", _("Enter five digits."))],
    )  # fmt: skip

    def clean_state(self) -> str:
        """In capitals."""
        return str(self.cleaned_data["state"]).upper()
