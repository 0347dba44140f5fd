"""Running an import: begun as an ImportBatch, taken in chunk by chunk, each one transaction, and counted as it goes."""

import datetime as dt
import gc
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from django.db import DatabaseError
from django.utils import timezone

from accounts.models import User
from bills import rechecking
from bills.imports import csv_bills, fhir, files, parking, reviewing, taking
from bills.imports.problems import FileRefused
from bills.imports.run import Run, Tally
from bills.imports.values import text
from bills.models import ImportBatch
from ledger.transactions import atomic_with_retry

log = logging.getLogger(__name__)

Progress = Callable[[int, int | None], None]
COUNTED = ("new", "changed", "same", "in_review", "refused")
FORMATS = ("fhir", "csv")
COLLECT_EVERY = 10
TAKEN_BY_A_LATER_VERSION = "a later version was taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a run differs from the usual: whose records these are, when bills are issued, what a CSV sums to."""

    source: str = ""
    issued_on: dt.date | None = None
    expect_rows: int | None = None
    expect_cents: int | None = None


def start(path: Path | str, *, format: str, started_by: User | None = None) -> ImportBatch:  # noqa: A002
    """Begin an import of a file or folder: only its digest is read yet. Raises FileRefused where it is missing."""
    if format not in FORMATS:
        raise FileRefused("format", f"There is no format {text(format, 20)!r}: use fhir or csv.")
    path = Path(path)
    found = files.expand([path], format)
    return ImportBatch.objects.create(
        format=format, file_name=text(path.name, 255), file_digest=_digest(found), started_by=started_by
    )


def imported_before(batch: ImportBatch) -> ImportBatch | None:
    """The finished import of the same content, under whatever name, if there is one (J01)."""
    earlier = ImportBatch.objects.filter(
        file_digest=batch.file_digest, format=batch.format, status=ImportBatch.Status.FINISHED, pk__lt=batch.pk
    )
    return earlier.order_by("-pk").first() if batch.file_digest else None


def run(
    batch_id: int, path: Path | str | None = None, progress: Progress | None = None, options: Options | None = None
) -> ImportBatch:
    """Take in the whole of a batch: `path`, or the file that was uploaded with it. Harmless to repeat.

    Whatever of it was taken in before is passed over. The batch says what came of it; FileRefused is not raised but
    kept there as its status and message. Any other error marks it failed, and is raised.
    """
    options = options or Options()
    batch = ImportBatch.objects.get(pk=batch_id)
    batch.rejects.filter(outcome="refused").delete()  # of an earlier attempt at this very batch
    _save(batch, status=ImportBatch.Status.RUNNING, message="", read=0, **dict.fromkeys(COUNTED, 0))
    this = Run(
        batch_id=batch.pk,
        source=options.source or batch.format,
        issued_on=options.issued_on or timezone.localdate(),
    )
    try:
        found = files.expand([Path(path) if path else Path(batch.upload.path)], batch.format)
        _save(batch, total=_expected(found, batch.format), file_digest=batch.file_digest or _digest(found))
        before = imported_before(batch)
        with _without_collector():
            for number, chunk in enumerate(_chunks(batch.format, found, this, options), 1):
                _take(chunk, this, batch)
                if number % COLLECT_EVERY == 0:
                    gc.collect(1)
                if progress:
                    progress(batch.read, batch.total)
        parking.take_parked(this)
        _finish(batch, this, before)
    except FileRefused as refusal:
        _save(batch, status=ImportBatch.Status.REFUSED, message=refusal.reason[:500], finished_at=timezone.now())
    except Exception:
        message = "It broke off: what was taken stands. Run it again to take the rest."
        with suppress(DatabaseError):  # the error that broke it off is the one to see
            _save(batch, status=ImportBatch.Status.FAILED, message=message, finished_at=timezone.now())
        raise
    rechecking.run(timezone.localdate())
    log.info("import %s %s: %s", batch.pk, batch.status, dict(this.counts))
    return batch


Chunk = Sequence[files.Item] | csv_bills.Rows


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep Python's cycle collector from walking the thousands of parsed resources of a chunk, again and again.

    They have no cycles and go when the chunk goes; what else is new is collected every COLLECT_EVERY chunks.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _chunks(file_format: str, found: Sequence[Path], this: Run, options: Options) -> Iterator[Chunk]:
    if file_format == "csv":
        for path in found:
            _begin_file(this, path, found)
            yield from csv_bills.chunks(path, options.expect_rows, options.expect_cents)
        return
    fhir.learn_families(found, this)
    for path in found:
        _begin_file(this, path, found)
        try:
            yield from fhir.chunks([path], this)
        except FileRefused as refusal:
            if len(found) == 1:
                raise
            # One file of a folder that is no FHIR does not keep the others out.
            yield [files.Item(0, None, problem=refusal)]


def _begin_file(this: Run, path: Path, found: Sequence[Path]) -> None:
    this.prefix = f"{text(path.name, 120)}: " if len(found) > 1 else ""


@atomic_with_retry
def _commit(chunk: Chunk, this: Run) -> Tally:
    """Take one chunk in one transaction, with its counts: all of it, or nothing."""
    taking.lock()
    tally = Tally()
    if isinstance(chunk, csv_bills.Rows):
        csv_bills.take(chunk, this, tally)
    else:
        fhir.take(chunk, this, tally)
    settle(this, tally)
    counts = this.counts + tally.counts
    ImportBatch.objects.filter(pk=this.batch_id).update(
        read=counts["read"] + len(chunk), **{name: counts[name] for name in COUNTED}
    )
    return tally


def settle(this: Run, tally: Tally) -> None:
    """Write down what a chunk did not take, and close the reviews of what it took."""
    reviewing.write(this, tally.rejected)
    if tally.taken:
        reviewing.close(this.source, tally.taken, resolution=TAKEN_BY_A_LATER_VERSION)


def _take(chunk: Chunk, this: Run, batch: ImportBatch) -> None:
    tally = _commit(chunk, this)
    tally.counts["read"] += len(chunk)
    this.add(tally)
    batch.read = this.counts["read"]


def _finish(batch: ImportBatch, this: Run, before: ImportBatch | None) -> None:
    parts = []
    if before is not None:
        parts.append(f"Already imported as import {before.pk}: every record was compared again.")
    if this.counts["unparked"]:
        parts.append(f"{this.counts['unparked']} records that had waited for another were taken.")
    if this.skipped:
        parts.append("Skipped: " + "; ".join(f"{count} × {why}" for why, count in this.skipped.most_common()) + ".")
    _save(
        batch,
        status=ImportBatch.Status.FINISHED,
        message=" ".join(parts)[:500],
        finished_at=timezone.now(),
        **{name: this.counts[name] for name in COUNTED},
    )


def _save(batch: ImportBatch, **values: object) -> None:
    for name, value in values.items():
        setattr(batch, name, value)
    batch.save(update_fields=list(values))


def _digest(found: Sequence[Path]) -> str:
    """Of one file its own; of several that of theirs, in whatever order they stand in the folder."""
    digests = sorted(files.digest(path) for path in found)
    return digests[0] if len(digests) == 1 else sha256("".join(digests).encode()).hexdigest()


def _expected(found: Iterable[Path], file_format: str) -> int:
    """How many records to expect: lines, or entries of Bundles; only for the progress that is shown."""
    mark = {".ndjson": b"\n", ".csv": b"\n"}
    return sum(files.count(path, mark.get(path.suffix.lower(), b'"resource"')) for path in found)
