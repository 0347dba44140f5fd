"""The forms by which a member lets another person act."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import delegates
from accounts.models import Delegate, Member
from accounts.typed_fields import DayField

GRANTS = [
    (Delegate.Grant.PAY_ONLY, _("Pay only: they see amounts and dates, and can pay. Nothing about care.")),
    (Delegate.Grant.VIEW, _("View: they see bills, claims and payments, and cannot pay.")),
    (Delegate.Grant.FULL, _("View and pay: they see bills, claims and payments, and can pay.")),
]


class InviteForm(forms.Form):
    """Whom to ask, for whom, what they may do, and until when."""

    member = forms.TypedChoiceField(label=_("For whom"), coerce=int, widget=forms.RadioSelect)
    address = forms.EmailField(
        label=_("Their email address"),
        max_length=254,
        help_text=_("They sign in with this address. We send them an email that does not say your name."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    grant = forms.ChoiceField(
        label=_("What they may do"), choices=GRANTS, widget=forms.RadioSelect, initial=Delegate.Grant.PAY_ONLY
    )
    until = DayField(
        label=_("Last day"),
        required=False,
        help_text=_("Month, day and year. Leave it empty for as long as you like; you can end it at any time."),
    )

    def __init__(self, members: Sequence[Member], *args: Any, own_ids: frozenset[int], **options: Any) -> None:
        super().__init__(*args, **options)
        self.members = {member.pk: member for member in members}
        self.own_ids = own_ids
        choice = self.fields["member"]
        assert isinstance(choice, forms.TypedChoiceField)
        choice.choices = [
            (member.pk, _("Me") if member.pk in own_ids else member.full_name) for member in members
        ]  # fmt: skip
        if len(members) == 1:
            choice.widget, choice.initial = forms.HiddenInput(), members[0].pk

    def clean_until(self) -> dt.date | None:
        """Today or later."""
        day: dt.date | None = self.cleaned_data["until"]
        if day is not None and day < timezone.localdate():
            raise forms.ValidationError(_("Choose a last day from today on, at most five years ahead."))
        return day

    def clean(self) -> dict[str, Any]:
        """A teenager's bills are lent for paying alone (RULES section 6)."""
        cleaned = super().clean() or {}
        member = self.members.get(cleaned.get("member", 0))
        grant = cleaned.get("grant", Delegate.Grant.PAY_ONLY)
        if member is not None and member.pk not in self.own_ids and not delegates.may_lend(member, grant, by_id=0):
            self.add_error("grant", _("For somebody of this age you can only let others pay."))
        return cleaned


class AcceptForm(forms.Form):
    """Saying yes to acting for somebody."""

    is_adult = forms.BooleanField(
        label=_("I am 18 or older, and I will use this only to help this person."),
        error_messages={"required": _("Only adults can act for somebody else.")},
    )
