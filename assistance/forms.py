"""What a member writes: the estimate, and the steps of an application."""

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from accounts.models import Member
from accounts.uploads.forms import UploadField
from assistance.models import IncomeSource
from assistance.rules import MAX_SIZE
from payments.pages.filters import DollarsField

CODES = "AKALARAZCACOCTDCDEFLGAHIIAIDILINKSKYLAMAMDMEMIMNMOMSMTNCNDNENHNJNMNVNYOHOKORPARISCSDTNTXUTVAVTWAWIWVWY"
STATES = [(CODES[place : place + 2],) * 2 for place in range(0, len(CODES), 2)]
SIZES = [MinValueValidator(1), MaxValueValidator(MAX_SIZE)]
SIZE_HELP = _("You, your spouse or partner, and everybody you count as a dependant on your taxes.")
YEAR, MONTH = IncomeSource.Period.YEAR, IncomeSource.Period.MONTH


class AmountInput(DollarsField):
    """Dollars, in a field that says so."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.widget.attrs["autocomplete"] = "off"


class EstimateForm(forms.Form):
    """Three figures, of which nothing is kept."""

    size = forms.IntegerField(label=_("People in your household"), validators=SIZES, help_text=SIZE_HELP)
    income = AmountInput(label=_("Household income before tax"))
    period = forms.TypedChoiceField(
        label=_("That is"), choices=[(MONTH, _("a month")), (YEAR, _("a year"))], coerce=int, initial=MONTH
    )
    state = forms.ChoiceField(label=_("State"), choices=STATES)
    expense = AmountInput(
        label=_("What you paid for care in the last 12 months"), required=False,
        help_text=_("Copays, deductibles and coinsurance. Not premiums."),
    )  # fmt: skip

    @property
    def yearly_cents(self) -> int:
        """The income of a year, US cents."""
        return int(self.cleaned_data["income"]) * int(self.cleaned_data["period"])


class PeopleForm(forms.Form):
    """For whom, for what, and how many people live on the income."""

    members = forms.TypedMultipleChoiceField(
        label=_("Who needs help with medical bills?"), coerce=int, widget=forms.CheckboxSelectMultiple
    )
    wants_assistance = forms.BooleanField(label=_("Help with medical bills"), required=False)
    wants_charitable = forms.BooleanField(label=_("Help with monthly premiums (charitable coverage)"), required=False)
    household_size = forms.IntegerField(label=_("People in your household"), validators=SIZES, help_text=SIZE_HELP)
    state = forms.ChoiceField(label=_("State"), choices=STATES)

    def __init__(self, members: list[Member], data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.fields["members"].choices = [(member.pk, member.shown_name) for member in members]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """At least one kind of help."""
        cleaned: dict[str, Any] = super().clean() or {}
        if not cleaned.get("wants_assistance") and not cleaned.get("wants_charitable"):
            self.add_error("wants_assistance", _("Say what you ask for."))
        return cleaned


class IncomeForm(forms.Form):
    """One source of income, with its proof."""

    kind = forms.ChoiceField(label=_("Kind of income"), choices=IncomeSource.Kind.choices)
    amount = AmountInput(label=_("Amount before tax"))
    times_a_year = forms.TypedChoiceField(
        label=_("How often"), choices=IncomeSource.Period.choices, coerce=int, initial=MONTH
    )
    document = UploadField(
        label=_("A proof of it"),
        help_text=_("A pay stub, a benefit letter or a tax return. PDF, JPEG or PNG, at most 10 MB."),
    )

    def clean_amount(self) -> int:
        """More than nothing."""
        cents = int(self.cleaned_data["amount"])
        if cents == 0:
            raise forms.ValidationError(_("Write an amount above $0.00."))
        return cents


class ExpenseForm(forms.Form):
    """What was paid for care."""

    expense = AmountInput(
        label=_("What you paid for care in the last 12 months"), required=False,
        help_text=_("Copays, deductibles and coinsurance of everybody in the household. Not premiums."),
    )  # fmt: skip


class SignForm(forms.Form):
    """The signature."""

    is_true = forms.BooleanField(label=_("What I wrote is true and complete, as far as I know."))
    signature = forms.CharField(label=_("Your full name, as your signature"), max_length=120)


class AnswerForm(forms.Form):
    """A document that was missing."""

    item = forms.IntegerField(widget=forms.HiddenInput)
    document = UploadField(label=_("The document"))


class AppealForm(forms.Form):
    """Why we should look again."""

    text = forms.CharField(
        label=_("Why should we look again?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Write why you ask us to look again.")},
    )
