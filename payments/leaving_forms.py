"""The form by which somebody's leaving is planned."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import departures
from accounts.models import Departure, Member
from accounts.models.departures import POSTAL
from accounts.postal_forms import PostalForm
from accounts.visibility import Scope
from payments import leaving

ONE_DAY = dt.timedelta(days=1)


def _last_day() -> forms.DateField:
    return forms.DateField(
        label=_("Last day in the household"),
        input_formats=["%m/%d/%Y", "%Y-%m-%d"],
        help_text=_("Month, day and year. It holds from midnight at the end of this day. You can choose today."),
        error_messages={"invalid": _("Enter a date as month/day/year, for example 04/28/2027.")},
        widget=forms.DateInput(format="%m/%d/%Y", attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )


def _checked(day: dt.date) -> dt.date:
    today = timezone.localdate()
    if not today <= day < today + departures.LONGEST:
        raise forms.ValidationError(_("Choose a last day from today on, at most a year ahead."))
    return day


class PlansForm(forms.Form):
    """What becomes of the payment plan."""

    plans = forms.ChoiceField(
        label=_("What becomes of your payment plan"), choices=Departure.Plans.choices, widget=forms.RadioSelect,
        initial=Departure.Plans.KEEP,
    )  # fmt: skip


class HolderForm(PlansForm):
    """A holder leaves: why, until when, and who holds the account next, where somebody is left."""

    cause = forms.ChoiceField(
        label=_("Why"), choices=[(cause.value, cause.label) for cause in departures.BY_MEMBERS],
        widget=forms.RadioSelect, initial=Departure.Cause.MOVING_OUT,
    )  # fmt: skip
    last_day = _last_day()
    successor = forms.TypedChoiceField(
        label=_("Who holds the account next"),
        coerce=int,
        widget=forms.RadioSelect,
        help_text=_("They are asked, and have to say yes before the day. Until then nothing changes."),
    )
    field_order = ("cause", "last_day", "successor", "plans")

    def __init__(self, candidates: list[Member], data: Any = None, *, has_plans: bool, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.candidates = {member.pk: member for member in candidates}
        self.fields["successor"].choices = [(pk, member.full_name) for pk, member in self.candidates.items()]  # type: ignore[attr-defined]
        if not candidates:
            del self.fields["successor"]
        if not has_plans:
            del self.fields["plans"]

    def clean_last_day(self) -> dt.date:
        """From today on, at most a year ahead."""
        return _checked(self.cleaned_data["last_day"])

    def chosen(self) -> dict[str, Any]:
        """As `successions.plan` takes it."""
        cleaned = self.cleaned_data
        return {
            "cause": cleaned["cause"], "on": cleaned["last_day"] + ONE_DAY,
            "successor": self.candidates.get(cleaned.get("successor") or 0),
            "plans": cleaned.get("plans", Departure.Plans.KEEP),
        }  # fmt: skip


class LeavingForm(PostalForm, PlansForm):
    """Why, until when, and what becomes of bills and plans where there is a choice."""

    cause = forms.ChoiceField(
        label=_("Why"), choices=[(cause.value, cause.label) for cause in departures.BY_MEMBERS],
        widget=forms.RadioSelect, initial=Departure.Cause.MOVING_OUT,
    )  # fmt: skip
    last_day = _last_day()
    bills = forms.ChoiceField(
        label=_("Bills that are open then"), choices=Departure.Bills.choices, widget=forms.RadioSelect,
        initial=Departure.Bills.THEIRS,
    )  # fmt: skip
    field_order = ("cause", "last_day", "bills", "plans", *POSTAL)

    def __init__(
        self, member: Member, scope: Scope, data: Any = None, *, has_address: bool = False, initial: Any = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.fields["address"].help_text = _(
            "Where letters go afterwards. Only this person and Member Services see it."
        )
        for name in POSTAL:
            self.fields[name].required = member.user_id is None and not has_address
        if not departures.may_choose_bills(member, scope):
            del self.fields["bills"]
        if not leaving.has_plans(member, scope):
            del self.fields["plans"]

    def clean_last_day(self) -> dt.date:
        """From today on, at most a year ahead."""
        return _checked(self.cleaned_data["last_day"])

    def clean(self) -> dict[str, Any]:
        """The address whole, or none."""
        cleaned = super().clean() or {}
        given = [name for name in POSTAL if cleaned.get(name)]
        for name in POSTAL if given else ():
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("This is needed for letters to arrive."))
        return cleaned

    def chosen(self) -> dict[str, Any]:
        """As `departures.plan` takes it."""
        cleaned = self.cleaned_data
        return {
            "cause": cleaned["cause"], "on": cleaned["last_day"] + ONE_DAY,
            "bills": cleaned.get("bills", Departure.Bills.THEIRS),
            "plans": cleaned.get("plans", Departure.Plans.KEEP),
            "letters": {name: cleaned[name] for name in POSTAL} if cleaned.get("address") else None,
        }  # fmt: skip
