"""What members choose and sign when they set up a payment plan or change it."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ledger.money import format_usd
from payments import wording
from payments.models import PaymentMethod, PlanPolicy
from payments.pages.filters import DollarsField
from payments.plans import policies, spreading
from payments.plans.agreeing import MAX_NAME
from payments.plans.terms import Bounds, Choice, bounds

SUGGESTED = (3, 6, 12, 18, 24, 36)
ANOTHER, MONTHLY = "count", "monthly"


class ChosenBillsForm(forms.Form):
    """Which bills a plan is for."""

    bill = forms.MultipleChoiceField(
        error_messages={
            "required": gettext_lazy("Choose at least one bill."),
            "invalid_choice": gettext_lazy("One of these bills can no longer join a payment plan. Choose again."),
        }
    )

    def __init__(self, numbers: Sequence[str], data: Any = None) -> None:
        super().__init__(data)
        self.fields["bill"].choices = [(number, number) for number in numbers]  # type: ignore[attr-defined]


class TermsForm(forms.Form):
    """How many instalments or how much a month, from which day, and what is paid down."""

    how = forms.ChoiceField(widget=forms.RadioSelect, label=gettext_lazy("How do you want to spread it?"))
    count = forms.IntegerField(required=False, min_value=1, max_value=120, label=gettext_lazy("Number of payments"))
    monthly = DollarsField(required=False, label=gettext_lazy("Amount a month in dollars"))
    day = forms.TypedChoiceField(
        coerce=int, label=gettext_lazy("Day of the month"), choices=[(day, str(day)) for day in range(1, 32)],
        help_text=gettext_lazy("In a month that has no such day, its last day."),
    )  # fmt: skip
    down = DollarsField(
        required=False, label=gettext_lazy("Down payment in dollars"),
        help_text=gettext_lazy("What you pay today, if anything. The rest is spread."),
    )  # fmt: skip
    income = DollarsField(required=False, label=gettext_lazy("Your income a month in dollars"))
    method = forms.ChoiceField(
        required=False, label=gettext_lazy("How you mean to pay"),
        help_text=gettext_lazy("You can use another method each time. Nothing is charged without you."),
    )  # fmt: skip

    def __init__(
        self, policy: PlanPolicy, total_cents: int, saved: Sequence[PaymentMethod], data: Any = None, *,
        is_change: bool = False, initial: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(data, initial=initial)
        self.saved = {str(method.pk): method for method in saved}
        self.limits = bounds(policy, total_cents)
        how: Any = self.fields["how"]
        how.choices = [
            *((str(count), self._words(count, total_cents)) for count in self.suggested()),
            (ANOTHER, _("Another number of payments")), (MONTHLY, _("An amount a month that I choose")),
        ]  # fmt: skip
        method: Any = self.fields["method"]
        method.choices = [("", _("I choose each time")), *((key, wording.saved(m)) for key, m in self.saved.items())]
        self.fields["count"].help_text = _("From %(least)d to %(most)d.") % {
            "least": self.limits.least, "most": self.limits.most,
        }  # fmt: skip
        self.fields["monthly"].help_text = _("At least %(least)s.") % {"least": format_usd(self.limits.floor_cents)}
        if words := policies.cap_words(policy):
            self.fields["income"].help_text = f"{words} {_('Tell us only if you want us to hold to it.')}"
        else:
            del self.fields["income"]
        if is_change:
            del self.fields["down"]

    def suggested(self) -> list[int]:
        """Numbers of instalments that are shown with their amounts."""
        return [count for count in SUGGESTED if self.limits.least <= count <= self.limits.most]

    def clean(self) -> dict[str, Any]:
        """What belongs to the way that was chosen is there."""
        how = self.cleaned_data.get("how")
        if how == ANOTHER and not self.cleaned_data.get("count") and "count" not in self.errors:
            self.add_error("count", _("Write a number of payments."))
        if how == MONTHLY and not self.cleaned_data.get("monthly") and "monthly" not in self.errors:
            self.add_error("monthly", _("Write an amount in dollars, for example 25 or 25.50."))
        return self.cleaned_data

    def choice(self) -> Choice:
        """What was chosen."""
        found, how = self.cleaned_data, self.cleaned_data["how"]
        return Choice(
            day=found["day"],
            count=None if how == MONTHLY else found["count"] if how == ANOTHER else int(how),
            monthly_cents=found["monthly"] if how == MONTHLY else None,
            down_cents=found.get("down") or 0,
            income_cents=found.get("income") or None,
        )

    @staticmethod
    def _words(count: int, total_cents: int) -> str:
        words = ngettext("%(count)d payment of %(amount)s", "%(count)d payments of about %(amount)s", count)
        return words % {"count": count, "amount": format_usd(spreading.evenly(total_cents, count)[0])}

    @property
    def bounds(self) -> Bounds:
        """What can be chosen."""
        return self.limits


class SignForm(forms.Form):
    """A typed name under words that were read."""

    digest = forms.RegexField(r"\A[0-9a-f]{64}\Z", widget=forms.HiddenInput)
    agrees = forms.BooleanField(
        label=gettext_lazy("I have read this agreement and agree to it"),
        error_messages={"required": gettext_lazy("Check the box to agree, or go back without setting up a plan.")},
    )
    signature = forms.CharField(
        max_length=MAX_NAME, label=gettext_lazy("Type your full name to sign"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )  # fmt: skip


class PayForm(forms.Form):
    """How much of a plan is paid now."""

    DUE, NEXT, ALL, OTHER = "due", "next", "all", "other"

    what = forms.ChoiceField(
        choices=[(each, each) for each in (DUE, NEXT, ALL, OTHER)],
        error_messages={"required": gettext_lazy("Choose what to pay.")},
    )
    amount = DollarsField(required=False, label=gettext_lazy("Another amount in dollars"))


class PlanMethodForm(forms.Form):
    """Which method is suggested when a plan is paid."""

    method = forms.ChoiceField(required=False, label=gettext_lazy("How you mean to pay"))

    def __init__(self, saved: Sequence[PaymentMethod], data: Any = None, *, initial: Any = None) -> None:
        super().__init__(data, initial=initial, auto_id="id_plan_%s")
        choices = [(str(method.pk), wording.saved(method)) for method in saved]
        self.fields["method"].choices = [("", _("I choose each time")), *choices]  # type: ignore[attr-defined]


class PauseForm(forms.Form):
    """For how many months a plan waits."""

    months = forms.TypedChoiceField(coerce=int, label=gettext_lazy("Pause once, for"))

    def __init__(self, policy: PlanPolicy, data: Any = None) -> None:
        super().__init__(data)
        words = [
            (months, ngettext("%(count)d month", "%(count)d months", months) % {"count": months})
            for months in range(1, policy.pause_months + 1)
        ]
        self.fields["months"].choices = words  # type: ignore[attr-defined]
