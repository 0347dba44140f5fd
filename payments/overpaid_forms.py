"""What a member types at the desk of overpaid money."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.visibility import Scope
from bills import naming
from bills.models import Bill
from ledger.money import format_usd
from payments.pages.filters import DollarsField


class _WishForm(forms.Form):
    """How much, and the key that makes one click of two."""

    form_key = forms.RegexField(r"\A[A-Za-z0-9_-]{10,24}\Z")
    amount = DollarsField(label=gettext_lazy("Amount"))

    def _refuse_beyond(self, most: int) -> None:
        cents = self.cleaned_data.get("amount")
        if cents is None or "amount" in self.errors:
            return
        if not cents:
            self.add_error("amount", _("Write an amount above 0."))
        elif cents > most:
            self.add_error("amount", _("At most %(most)s. Write a smaller amount.") % {"most": format_usd(most)})


class MoveForm(_WishForm):
    """Which bill of the household takes how much."""

    bill = forms.ChoiceField(
        label=gettext_lazy("Bill"), error_messages={"required": gettext_lazy("Choose the bill that it should pay.")}
    )
    field_order = ("bill", "amount")

    def __init__(self, targets: list[tuple[Bill, int]], scope: Scope, data: Any = None) -> None:
        most = max((most for _bill, most in targets), default=0)
        super().__init__(data, auto_id="move_%s", initial={"amount": format_usd(most).removeprefix("$")})
        self.most = {bill.number: most for bill, most in targets}
        self.fields["bill"].choices = [  # type: ignore[attr-defined]
            (bill.number, _("%(title)s, bill %(number)s: up to %(most)s") % {
                "title": naming.title_of(bill, scope), "number": bill.number, "most": format_usd(most),
            })
            for bill, most in targets
        ]  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """No more than the bill takes, and than is left."""
        if bill := self.cleaned_data.get("bill"):
            self._refuse_beyond(self.most[bill])
        return self.cleaned_data


class AskBackForm(_WishForm):
    """How much goes back to the method that paid it."""

    def __init__(self, most: int, data: Any = None) -> None:
        super().__init__(data, auto_id="back_%s", initial={"amount": format_usd(most).removeprefix("$")})
        self.most = most

    def clean(self) -> dict[str, Any]:
        """No more than can go back."""
        self._refuse_beyond(self.most)
        return self.cleaned_data
