"""A file that staff uploaded: kept under a name of our own, and left to a worker."""

import logging
from pathlib import Path
from uuid import uuid4

from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction

from accounts.models import User
from activity.doorbell import ring
from activity.recording import record
from bills.imports import running
from bills.imports.values import text
from bills.models import ImportBatch

log = logging.getLogger(__name__)

LOCK_SPACE = 0x1B01  # of PostgreSQL's advisory locks: uploaded imports
MAX_BYTES = 200 * 1024 * 1024
SUFFIXES = (".json", ".ndjson", ".csv")


@transaction.atomic
def receive(file: "UploadedFile[bytes]", *, format: str, by: User) -> ImportBatch:  # noqa: A002
    """Keep an uploaded file as a waiting import, and ring for a worker. What is in it is judged by the importer."""
    name = text(Path(file.name or "upload").name, 255)
    suffix = Path(file.name or "").suffix.lower()
    file.name = f"{uuid4()}{suffix if suffix in SUFFIXES else '.csv' if format == 'csv' else '.json'}"
    batch = ImportBatch.objects.create(format=format, file_name=name, upload=file, started_by=by)
    record("import.uploaded", subject=f"import:{batch.pk}", actor=f"user:{by.pk}", batch_id=batch.pk)
    ring("bills.tasks.import_uploads")
    return batch


def work_off() -> None:
    """Take in every uploaded import that is not finished, and that no other worker has in hand.

    Having it in hand is an advisory lock of the session: where a worker is killed, the lock goes with it, and the next
    call begins that import again, which passes over what it had taken.
    """
    unfinished = (ImportBatch.Status.WAITING, ImportBatch.Status.RUNNING)
    for batch_id in ImportBatch.objects.filter(status__in=unfinished).exclude(upload="").values_list("pk", flat=True):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, batch_id])
            if not cursor.fetchone()[0]:
                continue
        try:
            if ImportBatch.objects.filter(pk=batch_id, status__in=unfinished).exists():
                running.run(batch_id)
        except Exception:
            log.exception("import %s broke off", batch_id)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, batch_id])
