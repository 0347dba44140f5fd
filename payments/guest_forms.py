"""What guests type: the facts that name a bill, an amount, the token of a method, an address for the receipt."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.typed_fields import BirthDateField, ZipField
from bills.numbers import ALPHABET
from ledger.money import InvalidAmount, format_usd, parse_usd
from payments import guests
from payments.guests import Seen

# Read aloud or off paper, these are taken for one another (Crockford's base 32).
MISREAD = str.maketrans("OIL", "011")
FORM_KEY = r"\A[A-Za-z0-9_-]{16,40}\Z"


class ProofForm(forms.Form):
    """What a form carries where a challenge was asked for: the widget's solution, or the ticket of a wait."""

    altcha = forms.CharField(required=False, max_length=4000, widget=forms.HiddenInput)
    ticket = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)


class LookupForm(forms.Form):
    """The facts that name a bill (GUEST_PAY_FACTS). Only their form is checked here, never the facts."""

    bill_number = forms.CharField(
        label=gettext_lazy("Bill number"),
        max_length=20,
        help_text=gettext_lazy("Eight letters and digits, at the top of the bill, for example 7F3K-2201"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    birth_date = BirthDateField(
        label=gettext_lazy("Patient's birth date"),
        help_text=gettext_lazy("Of the person the bill is for: month, day and year, for example 04/28/1986"),
    )
    zip = ZipField(help_text=gettext_lazy("Of the address that the bill was sent to"))
    last_name = forms.CharField(
        label=gettext_lazy("Patient's last name"),
        max_length=100,
        help_text=gettext_lazy("Of the person the bill is for"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        for name in set(self.fields) - set(settings.GUEST_PAY_FACTS):
            del self.fields[name]
        self.order_fields(settings.GUEST_PAY_FACTS)

    def clean_bill_number(self) -> str:
        """The number as it stands in our book, however it was typed."""
        typed = self.cleaned_data["bill_number"].upper().translate(MISREAD)
        signs = [sign for sign in typed if sign not in "- "]
        if len(signs) != 8 or not set(signs) <= set(ALPHABET):
            raise forms.ValidationError(_("Enter the eight letters and digits of the bill number."))
        return f"{''.join(signs[:4])}-{''.join(signs[4:])}"

    def facts(self) -> dict[str, str]:
        """The facts as payments.guests compares them, once the form is valid."""
        facts = {name: str(value) for name, value in self.cleaned_data.items()}
        if "birth_date" in facts:
            facts["birth_date"] = self.cleaned_data["birth_date"].isoformat()
        if "zip" in facts:
            facts["zip"] = facts["zip"][:5]
        if "last_name" in facts:
            facts["last_name"] = guests.folded(facts["last_name"])
        return facts


class AmountForm(forms.Form):
    """All of what can be paid, or a part of it."""

    share = forms.ChoiceField(choices=[("all", ""), ("part", "")])
    amount = forms.CharField(required=False, strip=False, max_length=20)
    form_key = forms.RegexField(FORM_KEY, widget=forms.HiddenInput)

    def __init__(self, seen: Seen, data: Any = None) -> None:
        super().__init__(data)
        self.seen = seen

    def clean(self) -> dict[str, Any]:
        """Read the amount by the one grammar of ledger.money (FAULTS I01 to I04)."""
        if self.cleaned_data.get("share") == "part":
            try:
                self.cleaned_data["cents"] = parse_usd(self.cleaned_data.get("amount", "").strip(" "))
            except InvalidAmount:
                self.add_error("amount", _("Write the amount in dollars and cents, for example 25.00."))
        elif self.cleaned_data.get("share") == "all" and self.cleaned_data.get("amount", "").strip(" "):
            self.add_error("amount", _("You wrote an amount: choose “A part of it”, or clear the amount."))
        elif self.cleaned_data.get("share") == "all":
            self.cleaned_data["cents"] = self.seen.payable_cents
        else:
            self.add_error(None, _("Choose how much to pay."))
        return self.cleaned_data

    @property
    def hint(self) -> str:
        """The bounds of a part."""
        bounds = {"least": format_usd(self.seen.least_cents), "most": format_usd(self.seen.payable_cents)}
        return _("From %(least)s to %(most)s") % bounds


class MethodForm(forms.Form):
    """The token of what was typed into the provider's frame."""

    confirmation_token = forms.RegexField(
        r"\Actoken_[A-Za-z0-9_]{1,60}\Z",
        error_messages={
            "required": gettext_lazy("Your card or bank account was not read. Type it again."),
            "invalid": gettext_lazy("Your card or bank account was not read. Type it again."),
        },
    )


class ReviewForm(ProofForm):
    """Where the receipt goes, if it is to go anywhere."""

    email = forms.EmailField(
        required=False,
        max_length=254,
        label=gettext_lazy("Send a receipt to"),
        help_text=gettext_lazy("Your email address. The receipt names the amount, the date and the bill number."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
