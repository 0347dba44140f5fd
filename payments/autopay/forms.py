"""What members choose about autopay: method, day, limit, people; a pause; a single charge."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Member
from ledger.money import format_usd
from payments import wording
from payments.autopay.terms import MAX_DAYS_BEFORE, DayRule, Subject, Terms
from payments.eligibility import Attestation
from payments.models import PaymentMethod
from payments.pages.filters import DateInput, DollarsField

LAST_DAY_OF_MONTH = 31


class TermsForm(forms.Form):
    """How autopay pays one thing."""

    method = forms.ChoiceField(
        label=gettext_lazy("Pay with"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose how to pay."),
            "invalid_choice": gettext_lazy("Choose one of the ways to pay below."),
        },
    )
    fallback = forms.ChoiceField(
        required=False,
        label=gettext_lazy("If it is declined, pay with"),
        help_text=gettext_lazy("It is charged once, on the same day or the next try, and you are told."),
    )
    attestation = forms.ChoiceField(choices=[("", ""), *Attestation.choices], required=False)
    day_rule = forms.ChoiceField(
        choices=DayRule.choices, widget=forms.RadioSelect, label=gettext_lazy("When to pay"), initial=DayRule.ON_DUE
    )
    days_before = forms.IntegerField(
        required=False, min_value=1, max_value=MAX_DAYS_BEFORE, label=gettext_lazy("Days before the due date")
    )
    day_of_month = forms.IntegerField(
        required=False, min_value=1, max_value=LAST_DAY_OF_MONTH, label=gettext_lazy("Day of the month")
    )
    limit = DollarsField(required=False, label=gettext_lazy("Ask me first above, in dollars"))
    members = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Whose medical bills")
    )

    def __init__(
        self, data: Any = None, *, subject: Subject, methods: list[PaymentMethod], people: list[Member],
        standing: Terms | None = None,
    ) -> None:  # fmt: skip
        super().__init__(data, initial=_initial(standing, people), auto_id="id_%s")
        self.subject = subject
        self.methods = {str(method.pk): method for method in methods}
        self.people = {str(member.pk): member for member in people}
        named = [(key, wording.saved(method)) for key, method in self.methods.items()]
        self.fields["method"].choices = named  # type: ignore[attr-defined]
        self.fields["fallback"].choices = [("", _("No second method")), *named]  # type: ignore[attr-defined]
        if people:
            self.fields["members"].choices = [(key, person.shown_name) for key, person in self.people.items()]  # type: ignore[attr-defined]
        else:
            del self.fields["members"]

    def clean(self) -> dict[str, Any]:
        """A rule that needs a number has it."""
        rule = self.cleaned_data.get("day_rule")
        for needed, name, words in (
            (DayRule.DAYS_BEFORE, "days_before", _("Write how many days before the due date.")),
            (DayRule.DAY_OF_MONTH, "day_of_month", _("Write the day of the month.")),
        ):
            if rule == needed and name not in self.errors and not self.cleaned_data.get(name):
                self.add_error(name, words)
        if "members" in self.fields and not self.cleaned_data.get("members"):
            self.add_error("members", _("Choose at least one person whose medical bills are to be paid."))
        return self.cleaned_data

    def terms(self) -> Terms:
        """What was chosen."""
        chosen = self.cleaned_data
        return Terms(
            subject=self.subject,
            method=self.methods[chosen["method"]],
            fallback=self.methods.get(chosen["fallback"]),
            attestation=chosen["attestation"],
            day_rule=chosen["day_rule"],
            days_before=chosen["days_before"] if chosen["day_rule"] == DayRule.DAYS_BEFORE else None,
            day_of_month=chosen["day_of_month"] if chosen["day_rule"] == DayRule.DAY_OF_MONTH else None,
            limit_cents=chosen["limit"],
            members=tuple(self.people[key] for key in chosen.get("members", [])),
        )


class PauseForm(forms.Form):
    """Until when nothing is charged."""

    until = forms.DateField(label=gettext_lazy("Charge nothing before"), widget=DateInput())


class MoveForm(forms.Form):
    """Another day for one charge."""

    on = forms.DateField(label=gettext_lazy("Another day"), widget=DateInput())

    def __init__(self, data: Any = None, *, first: dt.date, last: dt.date, **options: Any) -> None:
        super().__init__(data, auto_id="id_%s", **options)
        self.fields["on"].widget.attrs |= {"min": first.isoformat(), "max": last.isoformat()}


class OtherMethodForm(forms.Form):
    """Another method for one charge."""

    method = forms.ChoiceField(label=gettext_lazy("Another method"))

    def __init__(self, data: Any = None, *, methods: list[PaymentMethod], **options: Any) -> None:
        super().__init__(data, auto_id="id_%s", **options)
        self.methods = {str(method.pk): method for method in methods}
        self.fields["method"].choices = [(key, wording.saved(method)) for key, method in self.methods.items()]  # type: ignore[attr-defined]

    def chosen(self) -> PaymentMethod:
        """The method that was chosen."""
        return self.methods[self.cleaned_data["method"]]


def _initial(standing: Terms | None, people: list[Member]) -> dict[str, Any]:
    if standing is None:
        return {"members": [str(member.pk) for member in people], "days_before": 3, "day_of_month": 1}
    return {
        "method": str(standing.method.pk),
        "fallback": str(standing.fallback.pk) if standing.fallback else "",
        "attestation": standing.attestation,
        "day_rule": standing.day_rule,
        "days_before": standing.days_before or 3,
        "day_of_month": standing.day_of_month or 1,
        "limit": format_usd(standing.limit_cents)[1:] if standing.limit_cents else "",
        "members": [str(member.pk) for member in standing.members],
    }
