"""The form by which a member asks for confidential communications."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from accounts.models import ConfidentialRequest

Channel = ConfidentialRequest.Channel
POSTAL = ("address", "city", "state", "zip")


class ConfidentialForm(forms.Form):
    """Where it is to go. No reason is asked for."""

    channel = forms.ChoiceField(
        label=_("How we reach you"), choices=Channel.choices, widget=forms.RadioSelect, initial=Channel.MAIL
    )
    email = forms.ChoiceField(label=_("Email address"), required=False)
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

    def __init__(self, addresses: list[str], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        choice = self.fields["email"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(each, each) for each in addresses]

    def clean_state(self) -> str:
        """In capitals."""
        return str(self.cleaned_data["state"]).upper()

    def clean(self) -> dict[str, Any]:
        """An address of the kind that was chosen, whole."""
        cleaned = super().clean() or {}
        needed = POSTAL if cleaned.get("channel") == Channel.POST else ("email",)
        for name in needed:
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("This is needed to reach you."))
        unused = ("email",) if cleaned.get("channel") == Channel.POST else POSTAL
        return cleaned | dict.fromkeys(unused, "")
