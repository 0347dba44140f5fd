"""The form by which a member asks for confidential communications."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import ConfidentialRequest
from accounts.models.departures import POSTAL
from accounts.postal_forms import PostalForm

Channel = ConfidentialRequest.Channel


class ConfidentialForm(PostalForm):
    """Where it is to go. No reason is asked for."""

    channel = forms.ChoiceField(
        label=_("How we reach you"), choices=Channel.choices, widget=forms.RadioSelect, initial=Channel.MAIL
    )
    email = forms.ChoiceField(label=_("Email address"), required=False)
    field_order = ("channel", "email", *POSTAL)

    def __init__(self, addresses: list[str], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        choice = self.fields["email"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(each, each) for each in addresses]

    def clean(self) -> dict[str, Any]:
        """An address of the kind that was chosen, whole."""
        cleaned = super().clean() or {}
        needed = POSTAL if cleaned.get("channel") == Channel.POST else ("email",)
        for name in needed:
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("This is needed to reach you."))
        unused = ("email",) if cleaned.get("channel") == Channel.POST else POSTAL
        return cleaned | dict.fromkeys(unused, "")
