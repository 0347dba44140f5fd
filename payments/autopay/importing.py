"""Importing standing orders at a change of systems: row by row, the bad ones named, the good ones kept."""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from hashlib import file_digest
from pathlib import Path

from django.utils import timezone

from bills.imports.problems import FileRefused, Refused
from bills.models import ImportBatch, ImportReject
from payments.autopay import import_rows, taking_over
from payments.autopay.import_rows import Row
from payments.provider import GatewayError

FORMAT = "autopay"
Progress = Callable[[int], None]
Status = ImportBatch.Status


def run(path: Path, *, source: str, progress: Progress | None = None) -> ImportBatch:
    """Take in one file. Harmless to repeat; what a file leaves out stays as it is.

    A file that is refused whole is a batch of that status, with the reason as its message. Raises FileRefused where
    there is no file.
    """
    batch = ImportBatch.objects.create(
        format=FORMAT, file_name=path.name[:255], file_digest=_digest(path), status=Status.RUNNING
    )
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    try:
        for row in import_rows.rows(path):
            counts["read"] += 1
            counts[_take(row, batch, source, seen)] += 1
            if progress is not None:
                progress(counts["read"])
        if not counts["read"]:
            raise FileRefused("empty", "The file has no rows.")
        message = f"{counts['older']} rows were older than what stands." if counts["older"] else ""
        _save(batch, counts, Status.FINISHED, message)
    except FileRefused as refusal:
        begun = " What was read before stands." if counts["read"] else ""
        _save(batch, counts, Status.REFUSED, refusal.reason[:400] + begun)
    except Exception:
        _save(batch, counts, Status.FAILED, "It broke off: what was taken stands. Run it again to take the rest.")
        raise
    return batch


def _take(row: Row, batch: ImportBatch, source: str, seen: set[str]) -> str:
    """Take a row; what became of it, as a count of the batch."""
    source_id = (row.cells or {}).get("source_id", "")[:200]
    try:
        order = import_rows.read(row)
        if order.source_id in seen:
            raise Refused("twice", "An earlier row of this file has the same id.", "source_id")
        seen.add(order.source_id)
        return taking_over.take(order, source=source, batch_id=batch.pk).outcome
    except Refused as problem:
        _reject(row, batch, source, source_id, problem)
    except GatewayError:
        unknown = Refused("provider", "The provider did not answer: run the file again.", "stripe_payment_method_id")
        _reject(row, batch, source, source_id, unknown)
    return "refused"


def _reject(row: Row, batch: ImportBatch, source: str, source_id: str, problem: Refused) -> None:
    ImportReject.objects.create(
        batch=batch, outcome=ImportReject.Outcome.REFUSED, line=row.line, field=problem.field, rule=problem.rule,
        reason=problem.reason[:500], source=source, source_id=source_id,
    )  # fmt: skip


def _save(batch: ImportBatch, counts: Counter[str], status: str, message: str) -> None:
    now: dt.datetime = timezone.now()
    batch.status, batch.message, batch.finished_at = status, message, now
    batch.read, batch.new, batch.changed = counts["read"], counts["new"], counts["changed"]
    batch.same, batch.refused = counts["same"], counts["refused"]
    batch.save()


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileRefused("missing", f"{path.name}: there is no such file, or it cannot be read.") from error
