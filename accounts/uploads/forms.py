"""The form's field for a file: refused early where its first bytes say so; the rest is judged when it is kept."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from accounts.uploads import judging

ACCEPT = "application/pdf,image/jpeg,image/png,.pdf,.jpg,.jpeg,.png"


class UploadField(forms.FileField):
    """A PDF, JPEG or PNG of at most 10 MB."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", _("PDF, JPEG or PNG, at most 10 MB."))
        options.setdefault("error_messages", {"required": _("Choose a file first.")})
        super().__init__(
            widget=forms.FileInput(attrs={"accept": ACCEPT, "class": "ds-c-field"}), max_length=None,
            allow_empty_file=True, **options,
        )  # fmt: skip

    def clean(self, data: Any, initial: Any = None) -> Any:
        """The file, not read beyond its first bytes."""
        file = super().clean(data, initial)
        if isinstance(file, UploadedFile):
            try:
                judging.kind_of(file.read(judging.HEAD), name=file.name or "", size=file.size or 0)
            except judging.Refused as error:
                raise forms.ValidationError(str(error), code=error.code) from error
            file.seek(0)
        return file
