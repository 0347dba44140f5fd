"""The forms of a question, and of a further message."""

import secrets
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Member, MemberQuerySet
from accounts.uploads.forms import UploadField
from support.models import MAX_TEXT, Inquiry

KEY = r"\A[A-Za-z0-9_-]{16,32}\Z"


def draw_key() -> str:
    """A key for one form: sent twice, it does its thing once."""
    return secrets.token_urlsafe(16)


class MessageForm(forms.Form):
    """A message, and a file if there is something to show."""

    text = forms.CharField(
        max_length=MAX_TEXT, label=_("Your message"), widget=forms.Textarea({"rows": 5}), strip=True,
        help_text=_("Please write no card or bank account numbers here."),
    )  # fmt: skip
    document = UploadField(
        required=False, label=_("A photo or a document"),
        help_text=_(
            "For example of a receipt, a canceled check or a letter. Cover card and account numbers. PDF, JPEG or PNG,"
            " at most 10 MB."
        ),
    )  # fmt: skip


class AskForm(MessageForm):
    """A question: about what, whose, and whether its bill is to wait."""

    topic = forms.ChoiceField(label=_("What is it about?"), choices=Inquiry.Topic.choices, widget=forms.RadioSelect)
    person = forms.ModelChoiceField(Member.objects.none(), label=_("Whom does it concern?"), empty_label=None)
    holds_bill = forms.BooleanField(
        required=False, initial=True, label=_("Hold this bill until you answer"),
        help_text=_("Nothing is due on it, no reminder is sent and nothing is charged by itself."),
    )  # fmt: skip
    form_key = forms.RegexField(KEY, widget=forms.HiddenInput, initial=draw_key)
    field_order = ("topic", "person", "text", "document", "holds_bill", "form_key")

    def __init__(
        self, members: MemberQuerySet | None, *, may_hold: bool, data: Any = None, files: Any = None, topic: str = ""
    ) -> None:
        super().__init__(data, files, initial={"topic": topic or Inquiry.Topic.OTHER})
        self.fields["text"].widget.attrs["maxlength"] = MAX_TEXT
        if members is None:
            del self.fields["person"]
        else:
            person = self.fields["person"]
            person.queryset = members  # type: ignore[attr-defined]
            person.label_from_instance = lambda member: member.shown_name  # type: ignore[attr-defined]
        if not may_hold:
            del self.fields["holds_bill"]
