"""Files of a question: a photo of a check, a letter. Kept while it is open, and some time after its end."""

import datetime as dt

from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from accounts.models import Member, Upload, User
from accounts.uploads import keeping
from accounts.uploads.models import UploadQuerySet, UploadStatus
from support.models import Inquiry, Message

PURPOSE = "support"
KEPT_DAYS = 2 * 365  # after the question is closed: as long as a payment may still be argued about


def keep(file: "UploadedFile[bytes] | None", *, by: User, member: Member) -> Upload | None:
    """Take in what was sent with a message, if anything was. Raises accounts.uploads.judging.Refused."""
    return keeping.keep(file, by=by, member=member, purpose=PURPOSE) if file is not None else None


def drop_unused(upload: Upload | None, *, by: User) -> None:
    """Delete a file that no message took: the form was sent twice, or its question was refused."""
    if upload is not None and not Message.objects.filter(upload=upload).exists():
        keeping.delete(upload, by=by)


def remove(inquiry: Inquiry, message_id: int, *, by: User) -> bool:
    """Delete the file of a message, by the one who sent it; whether there was one to delete."""
    message = inquiry.messages.filter(pk=message_id, upload__owner=by).select_related("upload").first()
    return message is not None and message.upload is not None and keeping.delete(message.upload, by=by)


def let_go(inquiry: Inquiry) -> None:
    """The question is closed: its files are deleted after KEPT_DAYS."""
    of_inquiry(inquiry).exclude(status=UploadStatus.QUARANTINED).update(
        delete_after=timezone.localdate() + dt.timedelta(days=KEPT_DAYS)
    )


def keep_on(inquiry: Inquiry) -> None:
    """The question is open again: its files stay. What a scanner found something in goes as it was to."""
    of_inquiry(inquiry).exclude(status=UploadStatus.QUARANTINED).update(delete_after=None)


def of_inquiry(inquiry: Inquiry) -> UploadQuerySet:
    """The files of this question."""
    return Upload.objects.kept().filter(pk__in=inquiry.messages.filter(upload__isnull=False).values("upload_id"))
