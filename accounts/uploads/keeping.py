"""Taking a member's file in, letting it go once it was scanned, and deleting it (FAULTS K05 to K14)."""

import datetime as dt
import hashlib
import logging
import secrets

from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.db.models import Count, Sum
from django.utils import timezone

from accounts.models import Member, User
from accounts.uploads import cleaning, judging, limits, scanning, store
from accounts.uploads.judging import Refused
from accounts.uploads.models import ALLOWED, Upload, UploadStatus
from activity.doorbell import ring
from activity.recording import record

log = logging.getLogger(__name__)

QUOTA_LOCK = 0x1C01  # of PostgreSQL's advisory locks: one person's quota
QUARANTINE_DAYS = 30
FIRST_PAUSE = dt.timedelta(minutes=1)
LONGEST_PAUSE = dt.timedelta(minutes=30)


def keep(file: "UploadedFile[bytes]", *, by: User, member: Member, purpose: str) -> Upload:
    """Take a file in: judged, cleaned, and held until it is scanned. Raises Refused.

    Reading and cleaning come before the transaction; the file lies in the store before its row says so, and is dropped
    again where the row cannot be written.
    """
    judging.kind_of(file.read(judging.HEAD), name=file.name or "", size=file.size or 0)
    _refuse_beyond_quota(by, 1)
    file.seek(0)
    sent = file.read(limits.MAX_BYTES + 1)
    kind = judging.kind_of(sent[: judging.HEAD], name=file.name or "", size=len(sent))
    try:
        cleaned = cleaning.clean(sent, kind=kind, seconds=limits.CLEANING_SECONDS)
    except cleaning.Unfit as error:
        raise Refused(str(error)) from error
    name = store.draw_name()
    try:
        store.write(name, sent, sent=True)
        store.write(name, cleaned.content)
        return _enter(name, cleaned, kind=kind, called=judging.stem_of(file.name or ""), by=by, member=member,
                      purpose=purpose)  # fmt: skip
    except BaseException:
        store.drop(name)
        raise


@transaction.atomic
def _enter(
    name: str, cleaned: cleaning.Cleaned, *, kind: str, called: str, by: User, member: Member, purpose: str
) -> Upload:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [QUOTA_LOCK, by.pk % 2**31])
    _refuse_beyond_quota(by, len(cleaned.content))
    upload = Upload.objects.create(
        key=secrets.token_urlsafe(32), owner=by, member=member, purpose=purpose, name=called, kind=kind,
        stored_as=name, size_bytes=len(cleaned.content), pages=cleaned.pages,
        sha256=hashlib.sha256(cleaned.content).hexdigest(), next_try_at=timezone.now(),
    )  # fmt: skip
    _record(upload, "upload.received", actor=f"user:{by.pk}", to=UploadStatus.HELD)
    ring("accounts.tasks.scan_uploads")
    return upload


def _refuse_beyond_quota(by: User, more_bytes: int) -> None:
    has = Upload.objects.kept().filter(owner=by).aggregate(files=Count("pk"), size=Sum("size_bytes", default=0))
    if has["files"] >= limits.MAX_FILES or has["size"] + more_bytes > limits.MAX_TOTAL_BYTES:
        raise Refused("quota")


def scan_waiting() -> int:
    """Scan the files that wait, and release or quarantine each; how many were decided. A repeat finds none of them."""
    rows = Upload.objects.waiting().filter(next_try_at__lte=timezone.now())[: limits.SCANS_AT_A_TIME]
    return sum(_scan(upload) for upload in rows)


def _scan(upload: Upload) -> bool:
    """Scan what was sent and what will be served; nothing is released that nobody has looked at."""
    scanner = scanning.scanner()
    found = ""
    try:
        for sent in (True, False):
            path = store.path_of(upload.stored_as, sent=sent)
            found = found or scanner.scan(str(path)).found
    except (scanning.ScannerUnavailable, OSError) as error:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(upload.tries, 10))
        Upload.objects.filter(pk=upload.pk, status=UploadStatus.HELD).update(
            tries=min(upload.tries + 1, 1000), next_try_at=timezone.now() + pause
        )
        log.warning("upload %s stays held: %s", upload.pk, type(error).__name__)
        return False
    now = timezone.now()
    if found:
        until = timezone.localdate() + dt.timedelta(days=QUARANTINE_DAYS)
        return _move(
            upload, UploadStatus.QUARANTINED, actor="system", scanned_at=now, found=found[:100], delete_after=until
        )
    released = _move(upload, UploadStatus.CLEAN, actor="system", scanned_at=now)
    if released:
        store.drop_sent(upload.stored_as)
    return released


def let_go(upload: Upload, *, after: dt.date) -> None:
    """The case is closed: the file is deleted after this day (the law says how long, the app above knows which)."""
    Upload.objects.kept().filter(pk=upload.pk).update(delete_after=after)


def delete(upload: Upload, *, by: User | None = None) -> bool:
    """Delete a file from the store; its row and what happened to it stay. Whether it was still there.

    The row is marked first: where the store fails, a repeat of the call drops the file.
    """
    moved = _move(upload, UploadStatus.DELETED, actor=f"user:{by.pk}" if by else "system", deleted_at=timezone.now())
    store.drop(upload.stored_as)
    return moved


def delete_expired(today: dt.date) -> int:
    """Delete the files whose time has come; how many."""
    expired = Upload.objects.kept().filter(delete_after__lt=today).order_by("pk")
    return sum(delete(upload) for upload in expired.iterator())


@transaction.atomic
def _move(upload: Upload, to: UploadStatus, *, actor: str, **fields: object) -> bool:
    """Move a file to a status, if it may and still stands where it was read; with its event."""
    before = UploadStatus(upload.status)
    if (before, to) not in ALLOWED:
        return False
    if not Upload.objects.filter(pk=upload.pk, status=before).update(status=to, **fields):
        return False
    upload.refresh_from_db()
    _record(upload, f"upload.{to}", actor=actor, before=before, to=to)
    return True


def _record(upload: Upload, kind: str, *, actor: str, to: UploadStatus, before: UploadStatus | str = "") -> None:
    record(
        kind, subject=f"upload:{upload.pk}", actor=actor, owner_id=upload.member.household_id, from_status=str(before),
        to_status=str(to), upload_id=upload.pk, member_id=upload.member_id, user_id=upload.owner_id,
    )  # fmt: skip
