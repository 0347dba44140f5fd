"""The bank's lockbox file (CSV, docs/imports.md): refused whole, or taken row by row, each check once.

A bad row is named with its line and rule, and the good ones are kept. Where the control totals do not agree, or cannot
be reckoned, nothing is taken. A file that was broken off is taken up where it was when it is uploaded again.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from django.utils import timezone

from accounts.models import User
from activity.recording import record
from ledger.money import InvalidAmount, parse_usd
from payments import lockbox
from payments.lockbox import CheckError, SeenBefore, Slip
from payments.models import Check, LockboxFile

HEADER = ["record", "date", "batch", "check_number", "reference", "amount"]
MAX_BYTES = 1024 * 1024
MAX_ROWS = 5_000
MAX_REJECTED = 500
LONGEST_NAME = 120


class FileRefused(Exception):
    """The whole file cannot be taken; nothing of it was."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: the line it ends on and its cells."""

    line: int
    cells: dict[str, str]


def take(content: bytes, *, name: str, by: User) -> LockboxFile:
    """Take a file in. The same file again changes nothing and returns what came of it. Raises FileRefused."""
    if len(content) > MAX_BYTES:
        raise FileRefused("The file is larger than 1 MB.")
    digest = sha256(content).hexdigest()
    standing = LockboxFile.objects.filter(digest=digest).first()
    if standing is not None and standing.status != LockboxFile.Status.TAKING:
        return standing
    checks, total_cents = _read(content)
    file = standing or LockboxFile.objects.get_or_create(
        digest=digest, defaults={"name": own_name(name), "taken_by": by, "total_cents": total_cents}
    )[0]  # fmt: skip
    rejected = [found for row in checks if (found := _take(row, file, by))]
    LockboxFile.objects.filter(pk=file.pk).update(
        status=LockboxFile.Status.FINISHED, finished_at=timezone.now(), checks_read=len(checks),
        total_cents=total_cents, rejected=rejected[:MAX_REJECTED], message=f"{len(rejected)} rows were not taken.",
    )  # fmt: skip
    record("lockbox.taken", subject=f"lockbox:{file.pk}", actor=f"user:{by.pk}", file_id=file.pk, rows=len(checks))
    file.refresh_from_db()
    return file


def own_name(name: str) -> str:
    """The last part of a file's name, printable and bounded: it is only ever shown (FAULTS J22)."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:LONGEST_NAME] or "lockbox.csv"


def _take(row: Row, file: LockboxFile, by: User) -> dict[str, object] | None:
    """Record the check of a row; what was wrong with it, or None."""
    if Check.objects.filter(file=file, line=row.line).exists():
        return None
    cells = row.cells
    received_on = _date(cells["date"])
    if received_on is None:
        return _problem(row, "date", "date", "Write a date as 2026-01-31.")
    if len(cells["batch"]) > 30 or not cells["batch"].isprintable():
        return _problem(row, "batch", "too_long", "At most 30 printable characters.")
    slip = Slip(
        number=cells["check_number"], amount_cents=parse_usd(cells["amount"]), received_on=received_on,
        reference=cells["reference"], batch=cells["batch"], file=file, line=row.line,
    )  # fmt: skip
    try:
        lockbox.record_check(slip, by=by, reason=f"Lockbox file {file.pk}, line {row.line}")
    except SeenBefore as error:
        return _problem(row, "check_number", "seen_before", str(error))
    except CheckError as error:
        return _problem(row, "", "refused", str(error))
    return None


def _problem(row: Row, field: str, rule: str, reason: str) -> dict[str, object]:
    return {"line": row.line, "field": field, "rule": rule, "reason": reason}


def _read(content: bytes) -> tuple[list[Row], int]:
    """The checks of a file and their sum. Raises FileRefused unless the last row's totals agree (FAULTS J03)."""
    rows = list(_rows(content))
    if not rows:
        raise FileRefused("The file has no rows.")
    *checks, totals = rows
    kinds = [row.cells["record"] for row in checks]
    if totals.cells["record"] != "total" or any(kind != "check" for kind in kinds):
        raise FileRefused("Every row is a check, and the last one is the total.")
    if not totals.cells["check_number"].isdecimal() or int(totals.cells["check_number"]) != len(checks):
        raise FileRefused(f"The file has {len(checks)} checks, and its total names another count.")
    total_cents = sum(_cents(row) for row in checks)
    if _cents(totals, may_be_zero=not checks) != total_cents:
        raise FileRefused("The amounts of the checks do not sum to the file's total.")
    return checks, total_cents


def _rows(content: bytes) -> Iterator[Row]:
    if b"\0" in content or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileRefused("The file is no UTF-8 text: save it as CSV UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileRefused("The file is no UTF-8 text: save it as CSV UTF-8.") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if [name.strip() for name in next(reader, [])] != HEADER:
            raise FileRefused(f"The first line is: {','.join(HEADER)}")
        for count, cells in enumerate((cells for cells in reader if cells), 1):
            if count > MAX_ROWS:
                raise FileRefused(f"The file has more than {MAX_ROWS} rows.")
            if len(cells) != len(HEADER):
                raise FileRefused(f"Line {reader.line_num} has {len(cells)} columns, the header {len(HEADER)}.")
            yield Row(reader.line_num, dict(zip(HEADER, (cell.strip() for cell in cells), strict=True)))
    except csv.Error as error:
        raise FileRefused("The file is no sound CSV: a quote without its end, or a cell too long.") from error


def _cents(row: Row, *, may_be_zero: bool = False) -> int:
    """The amount of a row. One that cannot be read makes the total unknowable: the file is refused (FAULTS J10)."""
    try:
        cents = parse_usd(row.cells["amount"])
    except InvalidAmount as error:
        raise FileRefused(f"Line {row.line} has no sound amount: the total cannot be checked.") from error
    if cents == 0 and not may_be_zero:
        raise FileRefused(f"Line {row.line} has an amount of nothing.")
    return cents


def _date(written: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(written) if len(written) == len("YYYY-MM-DD") else None
    except ValueError:
        return None
