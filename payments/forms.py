"""What members type when they pay: amounts, the choice of a method, the filters of the history."""

import datetime as dt
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Member
from bills.models import Bill
from ledger.money import InvalidAmount, format_usd, parse_usd
from payments import wording
from payments.eligibility import Attestation
from payments.models import Payment, PaymentMethod
from payments.offering import Group, Offer
from payments.pages.filters import DateInput, DollarsField
from payments.states import PaymentStatus

NEW = "new"
DATE_LIMITS = [MinValueValidator(dt.date(2000, 1, 1)), MaxValueValidator(dt.date(2100, 12, 31))]


class AmountsForm(forms.Form):
    """How much to pay of each bill that one charge can pay. What is not checked is left out."""

    def __init__(self, group: Group, data: Any = None, *, checks_all: bool = False) -> None:
        super().__init__(data, auto_id="id_%s")
        self.group = group
        for offer in group.offers:
            if not offer.payable_cents:
                continue
            number = offer.bill.number
            self.fields[f"pay-{number}"] = forms.BooleanField(
                required=False, initial=offer.is_wanted or checks_all, label=offer.title
            )
            self.fields[f"amount-{number}"] = forms.CharField(
                required=False, strip=False, max_length=20, label=_("Amount to pay"),
                initial=format_usd(offer.payable_cents).removeprefix("$"),
            )  # fmt: skip

    def rows(self) -> list[dict[str, Any]]:
        """Each bill with its two fields; without fields where nothing is left to pay."""
        return [
            {"offer": offer}
            | (
                {"box": self[f"pay-{offer.bill.number}"], "amount": self[f"amount-{offer.bill.number}"]}
                if offer.payable_cents
                else {}
            )
            for offer in self.group.offers
        ]

    def clean(self) -> dict[str, Any]:
        """Read every amount whose box is checked. An error names the bill, the rule, and what to do."""
        for offer in self.group.offers:
            if self.cleaned_data.get(f"pay-{offer.bill.number}"):
                try:
                    self._read(offer)
                except forms.ValidationError as error:
                    self.add_error(f"amount-{offer.bill.number}", error)
        return self.cleaned_data

    def amounts(self) -> dict[str, int]:
        """US cents by bill number."""
        return {
            offer.bill.number: parse_usd(self.cleaned_data[f"amount-{offer.bill.number}"].strip(" "))
            for offer in self.group.offers
            if self.cleaned_data.get(f"pay-{offer.bill.number}")
        }

    def _read(self, offer: Offer) -> None:
        named = {"bill": offer.title, "number": offer.bill.number, "most": format_usd(offer.payable_cents)}
        try:
            cents = parse_usd(self.cleaned_data.get(f"amount-{offer.bill.number}", "").strip(" "))
        except InvalidAmount as error:
            raise forms.ValidationError(
                _("%(bill)s (%(number)s): write the amount in dollars and cents, for example 25.00.") % named
            ) from error
        if not cents:
            raise forms.ValidationError(
                _("%(bill)s (%(number)s): write an amount above 0, or uncheck it to leave it out.") % named
            )
        if cents > offer.payable_cents:
            raise forms.ValidationError(
                _("%(bill)s (%(number)s): at most %(most)s can be paid. Write a smaller amount.") % named
            )


class MethodForm(forms.Form):
    """A saved method, or a new card, whose digits are with Stripe: here is only the token that names it."""

    method = forms.ChoiceField(
        error_messages={
            "required": gettext_lazy("Choose how to pay."),
            "invalid_choice": gettext_lazy("Choose one of the ways to pay below."),
        }
    )
    confirmation_token = forms.RegexField(r"\Actoken_[A-Za-z0-9_]{1,60}\Z", required=False)
    saves_method = forms.BooleanField(required=False)
    # Of a new card, and of an HSA that pays a premium: what only its owner knows (payments.eligibility).
    label = forms.ChoiceField(choices=PaymentMethod.Label.choices, required=False)
    attestation = forms.ChoiceField(choices=[("", ""), *Attestation.choices], required=False)

    def __init__(self, saved: list[PaymentMethod], data: Any = None) -> None:
        super().__init__(data)
        self.saved = {str(method.pk): method for method in saved}
        choices = [(key, wording.saved(method)) for key, method in self.saved.items()]
        self.fields["method"].choices = [*choices, (NEW, _("A new card or bank account"))]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A new card needs its token, which the browser makes."""
        if self.cleaned_data.get("method") == NEW and not self.cleaned_data.get("confirmation_token"):
            self.add_error(
                "method",
                _("The card was not read. Type it again, or choose a saved method."),
            )
        return self.cleaned_data

    def chosen(self) -> PaymentMethod | None:
        """The saved method that was chosen; None for a new card."""
        return self.saved.get(self.cleaned_data["method"])


class PartForm(forms.Form):
    """How much of a payment the first of two methods pays."""

    amount = DollarsField(label=gettext_lazy("Amount for this method"))


class LaterForm(forms.Form):
    """The day on which a payment is sent."""

    on = forms.DateField(label=gettext_lazy("Day"), widget=DateInput(), validators=DATE_LIMITS)

    def __init__(self, data: Any = None, *, first: dt.date, last: dt.date, **options: Any) -> None:
        super().__init__(data, **options)
        self.fields["on"].widget.attrs |= {"min": first.isoformat(), "max": last.isoformat()}


class ChangeForm(LaterForm):
    """The day, the method and the amounts of a scheduled payment."""

    method = forms.ChoiceField(label=gettext_lazy("Paid with"))

    def __init__(
        self, data: Any = None, *, payment: Payment, saved: list[PaymentMethod], first: dt.date, last: dt.date
    ) -> None:
        allocations = list(payment.allocations.select_related("bill").order_by("pk"))
        initial: dict[str, Any] = {"on": payment.scheduled_on, "method": str(payment.method_id)}
        initial |= {f"amount-{each.bill.number}": format_usd(each.amount_cents)[1:] for each in allocations}
        super().__init__(data, first=first, last=last, initial=initial, auto_id="id_%s")
        self.saved = {str(method.pk): method for method in saved}
        self.fields["method"].choices = [(key, wording.saved(method)) for key, method in self.saved.items()]  # type: ignore[attr-defined]
        self.numbers = [each.bill.number for each in allocations]
        for number in self.numbers:
            self.fields[f"amount-{number}"] = DollarsField(
                label=_("Amount for bill %(number)s, in dollars") % {"number": number}
            )

    def amounts(self) -> dict[str, int]:
        """US cents by bill number."""
        return {number: self.cleaned_data[f"amount-{number}"] for number in self.numbers}

    def chosen(self) -> PaymentMethod:
        """The saved method that was chosen."""
        return self.saved[self.cleaned_data["method"]]


class NicknameForm(forms.Form):
    """What a member calls a saved method."""

    nickname = forms.CharField(max_length=60, required=False, label=gettext_lazy("Your own name for it"))


class HistoryForm(forms.Form):
    """The filters of the payment history."""

    person = forms.ChoiceField(required=False, label=gettext_lazy("Person"))
    kind = forms.ChoiceField(required=False, label=gettext_lazy("Kind"))
    state = forms.ChoiceField(required=False, label=gettext_lazy("State"))
    since = forms.DateField(required=False, label=gettext_lazy("From"), widget=DateInput(), validators=DATE_LIMITS)
    until = forms.DateField(required=False, label=gettext_lazy("To"), widget=DateInput(), validators=DATE_LIMITS)
    least = DollarsField(required=False, label=gettext_lazy("At least"))
    most = DollarsField(required=False, label=gettext_lazy("At most"))

    def __init__(self, members: list[Member], data: Any = None) -> None:
        super().__init__(data)
        everything = ("", _("All"))
        states = [(value, label) for value, label in PaymentStatus.choices if value != PaymentStatus.DRAFT]
        self.fields["person"].choices = [("", _("Everyone")), *((str(m.pk), m.shown_name) for m in members)]  # type: ignore[attr-defined]
        self.fields["kind"].choices = [everything, *Bill.Kind.choices]  # type: ignore[attr-defined]
        self.fields["state"].choices = [everything, *states]  # type: ignore[attr-defined]
