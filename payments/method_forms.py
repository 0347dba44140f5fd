"""What members type about their saved methods: labels, the small deposits, whom to share with."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Member
from payments.models import PaymentMethod

_CENTS = re.compile(r"\$?0?\.(\d{2})|(\d{1,2})", re.ASCII)
LABELS = [
    (PaymentMethod.Label.NONE.value, gettext_lazy("A regular card or bank account")),
    (PaymentMethod.Label.HSA.value, gettext_lazy("An HSA card (health savings account)")),
    (PaymentMethod.Label.FSA.value, gettext_lazy("An FSA card (flexible spending account)")),
]


class AddForm(forms.Form):
    """What goes with the browser's token of a new card or account."""

    confirmation_token = forms.RegexField(
        r"\Actoken_[A-Za-z0-9_]{1,60}\Z",
        widget=forms.HiddenInput,
        error_messages={
            "required": gettext_lazy("It was not read. Type it again."),
            "invalid": gettext_lazy("It was not read. Type it again."),
        },
    )
    label = forms.ChoiceField(
        required=False, choices=LABELS, widget=forms.RadioSelect, initial="", label=gettext_lazy("What is it?")
    )
    nickname = forms.CharField(max_length=60, required=False, label=gettext_lazy("Your own name for it"))
    makes_default = forms.BooleanField(required=False, label=gettext_lazy("Offer it first from now on"))


class LabelForm(forms.Form):
    """Whether a card is an HSA's or an FSA's."""

    label = forms.ChoiceField(
        required=False, choices=LABELS, widget=forms.RadioSelect, label=gettext_lazy("What is it?")
    )


class CentsField(forms.CharField):
    """The amount of a small deposit: 32, .32, 0.32 or $0.32 are all 32 cents. Gives integer cents."""

    def clean(self, value: Any) -> int:
        """Parse. Raises ValidationError."""
        found = _CENTS.fullmatch(super().clean(value))
        cents = int(found[1] or found[2]) if found else 0
        if not cents:
            raise forms.ValidationError(_("Write the amount in cents, for example 32 for $0.32."))
        return cents


class AmountsOfDepositsForm(forms.Form):
    """The two small deposits, in any order."""

    first = CentsField(
        max_length=6, label=gettext_lazy("First deposit, in cents"), widget=forms.TextInput({"inputmode": "numeric"})
    )
    second = CentsField(
        max_length=6, label=gettext_lazy("Second deposit, in cents"), widget=forms.TextInput({"inputmode": "numeric"})
    )

    def read(self) -> dict[str, Any]:
        """What `verification.attempt` takes."""
        return {"amounts_cents": (self.cleaned_data["first"], self.cleaned_data["second"])}


class CodeOfDepositForm(forms.Form):
    """The code in the text of one small deposit."""

    code = forms.RegexField(
        r"\A\s*[Ss][Mm][A-Za-z0-9]{4}\s*\Z",
        label=gettext_lazy("The 6-character code that begins with SM"),
        error_messages={"invalid": gettext_lazy("Write the code as your statement shows it: 6 characters, first SM.")},
    )

    def read(self) -> dict[str, Any]:
        """What `verification.attempt` takes."""
        return {"code": self.cleaned_data["code"].strip().upper()}


class ShareForm(forms.Form):
    """Whom to let pay with a method."""

    member = forms.ChoiceField(
        widget=forms.RadioSelect,
        label=gettext_lazy("Who may pay with it?"),
        error_messages={"required": gettext_lazy("Choose who may pay with it.")},
    )

    def __init__(self, members: list[Member], data: Any = None) -> None:
        super().__init__(data)
        self.members = {str(member.pk): member for member in members}
        self.fields["member"].choices = [(key, member.full_name) for key, member in self.members.items()]  # type: ignore[attr-defined]

    def chosen(self) -> Member:
        """The member that was chosen."""
        return self.members[self.cleaned_data["member"]]
