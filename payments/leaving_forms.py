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
from accounts.typed_fields import DayField
from accounts.visibility import Scope
from payments import leaving

ONE_DAY = dt.timedelta(days=1)


class PlansForm(forms.Form):
    """What becomes of the payment plan."""

    plans = forms.ChoiceField(
        label=_("What becomes of your payment plan"), choices=Departure.Plans.choices, widget=forms.RadioSelect,
        initial=Departure.Plans.KEEP,
    )  # fmt: skip


class PartingForm(PostalForm, PlansForm):
    """Why, until when, and where letters go afterwards: whoever it is who leaves."""

    cause = forms.ChoiceField(
        label=_("Why"), choices=[(cause.value, cause.label) for cause in departures.BY_MEMBERS],
        widget=forms.RadioSelect, initial=Departure.Cause.MOVING_OUT,
    )  # fmt: skip
    last_day = DayField(
        label=_("Last day in the household"),
        help_text=_("Month, day and year. It holds from midnight at the end of this day. You can choose today."),
    )

    def __init__(self, data: Any = None, *, has_plans: bool, needs_address: bool = False, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.fields["address"].help_text = _(
            "Where letters go afterwards. Only this person and Member Services see it."
        )
        for name in POSTAL:
            self.fields[name].required = needs_address
        if not has_plans:
            del self.fields["plans"]

    def clean_last_day(self) -> dt.date:
        """From today on, at most a year ahead."""
        day: dt.date = self.cleaned_data["last_day"]
        today = timezone.localdate()
        if not today <= day < today + departures.LONGEST:
            raise forms.ValidationError(_("Choose a last day from today on, at most a year ahead."))
        return day

    def clean(self) -> dict[str, Any]:
        """The address whole, or none."""
        cleaned = super().clean() or {}
        given = [name for name in POSTAL if cleaned.get(name)]
        for name in POSTAL if given else ():
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("This is needed for letters to arrive."))
        return cleaned

    def chosen(self) -> dict[str, Any]:
        """What both ways of planning take."""
        cleaned = self.cleaned_data
        return {
            "cause": cleaned["cause"], "on": cleaned["last_day"] + ONE_DAY,
            "plans": cleaned.get("plans", Departure.Plans.KEEP),
            "letters": {name: cleaned[name] for name in POSTAL} if cleaned.get("address") else None,
        }  # fmt: skip


class HolderForm(PartingForm):
    """A holder leaves: and who holds the account next, where somebody is left."""

    successor = forms.TypedChoiceField(
        label=_("Who holds the account next"),
        coerce=int,
        widget=forms.RadioSelect,
        help_text=_("They are asked, and have to say yes before the day. Until then nothing changes."),
    )
    field_order = ("cause", "last_day", "successor", "plans", *POSTAL)

    def __init__(self, candidates: list[Member], data: Any = None, *, has_plans: bool, initial: Any = None) -> None:
        super().__init__(data, has_plans=has_plans, initial=initial)
        self.candidates = {member.pk: member for member in candidates}
        self.fields["successor"].choices = [(pk, member.full_name) for pk, member in self.candidates.items()]  # type: ignore[attr-defined]
        if not candidates:
            del self.fields["successor"]

    def chosen(self) -> dict[str, Any]:
        """As `successions.plan` takes it."""
        return super().chosen() | {"successor": self.candidates.get(self.cleaned_data.get("successor") or 0)}


class LeavingForm(PartingForm):
    """Anybody else leaves: and what becomes of their bills, where there is a choice."""

    bills = forms.ChoiceField(
        label=_("Bills that are open then"), choices=Departure.Bills.choices, widget=forms.RadioSelect,
        initial=Departure.Bills.THEIRS,
    )  # fmt: skip
    field_order = ("cause", "last_day", "bills", "plans", *POSTAL)

    def __init__(
        self, member: Member, scope: Scope, data: Any = None, *, has_address: bool = False, initial: Any = None
    ) -> None:
        super().__init__(
            data, has_plans=leaving.has_plans(member, scope), initial=initial,
            needs_address=member.user_id is None and not has_address,
        )  # fmt: skip
        if not departures.may_choose_bills(member, scope):
            del self.fields["bills"]

    def chosen(self) -> dict[str, Any]:
        """As `departures.plan` takes it."""
        return super().chosen() | {"bills": self.cleaned_data.get("bills", Departure.Bills.THEIRS)}
