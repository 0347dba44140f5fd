"""What staff write when they act."""

from django import forms

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
