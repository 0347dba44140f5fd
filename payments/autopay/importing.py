"""Importing standing orders at a change of systems: a batch of rows at a time, bad ones named, good ones kept.

A batch costs the same few statements however many rows it has. One that breaks off leaves whole batches behind: the
same file takes the rest.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import file_digest
from pathlib import Path

from django.utils import timezone

from bills.imports.problems import FileRefused, Refused
from bills.models import ImportBatch, ImportReject
from payments.autopay import import_rows, taking_over
from payments.autopay.import_rows import Order, Row
from payments.autopay.taking_over import BATCH, Outcome

FORMAT = "autopay"
Progress = Callable[[int], None]
Status = ImportBatch.Status
NOT_TAKEN = {
    Outcome.UNANSWERED: Refused(
        "provider", "The provider did not answer: run the file again.", "stripe_payment_method_id"
    ),
    Outcome.CONFLICT: Refused(
        "conflict",
        "The database refused it, perhaps since somebody changed the same. Run the file again; tell those "
        "who run the portal where it is refused again.",
    ),
}


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
        for rows in _batches(import_rows.rows(path)):
            counts["read"] += len(rows)
            counts.update(_take(rows, batch, source, seen))
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


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Rows in batches. Where the file turns out to be none, what was read before it is a batch still."""
    gathered: list[Row] = []
    try:
        for row in rows:
            gathered.append(row)
            if len(gathered) == BATCH:
                yield gathered
                gathered = []
    except FileRefused:
        if gathered:
            yield gathered
        raise
    if gathered:
        yield gathered


def _take(rows: Sequence[Row], batch: ImportBatch, source: str, seen: set[str]) -> Counter[str]:
    """Take rows; what became of them, as counts of the batch."""
    known = import_rows.look_up(rows)
    taken: list[tuple[Row, Order]] = []
    refused: list[tuple[Row, Refused]] = []
    for row in rows:
        try:
            order = import_rows.read(row, known)
            if order.source_id in seen:
                raise Refused("twice", "An earlier row of this file has the same id.", "source_id")
            seen.add(order.source_id)
            taken.append((row, order))
        except Refused as problem:
            refused.append((row, problem))
    counts: Counter[str] = Counter()
    outcomes = taking_over.take([order for _row, order in taken], source=source, batch_id=batch.pk)
    for (row, _order), outcome in zip(taken, outcomes, strict=True):
        if outcome in NOT_TAKEN:
            refused.append((row, NOT_TAKEN[outcome]))
        else:
            counts[outcome] += 1
    counts["refused"] = len(refused)
    ImportReject.objects.bulk_create(_reject(row, batch, source, problem) for row, problem in refused)
    return counts


def _reject(row: Row, batch: ImportBatch, source: str, problem: Refused) -> ImportReject:
    return ImportReject(
        batch=batch, outcome=ImportReject.Outcome.REFUSED, line=row.line, field=problem.field, rule=problem.rule,
        reason=problem.reason[:500], source=source, source_id=(row.cells or {}).get("source_id", "")[:200],
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
