"""What staff write when they act."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model

LEAST_REASON = 10
MAX_REASON = 500


class ReasonForm(forms.Form):
    """Why. It is kept with what was done, and read by auditors."""

    reason = forms.CharField(
        min_length=LEAST_REASON,
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 3, "cols": 60}),
        help_text="It stays with the record for good: write what somebody else needs to understand it.",
    )


class HandOverForm(ReasonForm):
    """Who is to have it, by their address, and what they need to know."""

    to = forms.EmailField(label="Hand over to", help_text="The address of a colleague who works off the queue.")
    field_order = ("to", "reason")

    def clean_to(self) -> Any:
        """Somebody of staff who may work off the queue."""
        user = get_user_model().objects.filter(email__iexact=self.cleaned_data["to"], is_active=True).first()
        if user is None or not user.is_staff or not user.has_perm("activity.change_workitem"):
            raise forms.ValidationError("Nobody of this address works off the queue.")
        return user
