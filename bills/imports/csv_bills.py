"""Bills as CSV: documented columns by name, strict values, and a whole file refused where its totals are wrong (J03).

A file is read twice: first the whole of it for what would shift columns or miss a total, then row by row.
"""

import csv
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path

from django.utils.translation import gettext_noop

from bills.imports import labels, taking
from bills.imports.problems import FileRefused, NeedsReview, Refused
from bills.imports.records import Amounts, Line, Record
from bills.imports.run import Rejected, Run, Tally
from bills.imports.taking import NUMBER_KEY, Incoming
from bills.imports.values import instant_of, text
from bills.models import Claim
from ledger.money import InvalidAmount, parse_usd

REQUIRED = ("bill_id", "member_number", "service_date", "title", "amount")
DATES = ("service_date", "issued_date", "due_date")
AMOUNTS = {
    "billed": "billed_cents",
    "allowed": "allowed_cents",
    "discount": "discount_cents",
    "plan_paid": "plan_paid_cents",
    "other_paid": "other_paid_cents",
    "deductible": "deductible_cents",
    "copay": "copay_cents",
    "coinsurance": "coinsurance_cents",
    "not_covered": "not_covered_cents",
}
OPTIONAL = (
    "provider",
    "issued_date",
    "due_date",
    "claim_number",
    "claim_type",
    "status",
    "updated_at",
    "remark_codes",
    "sensitivity",
    *AMOUNTS,
)
COLUMNS = (*REQUIRED, *OPTIONAL)
CLAIM_TYPES = ("professional", "institutional", "pharmacy", "oral", "vision")
KIND = "bill"
STATUSES = {
    "": Claim.Status.ACTIVE, "active": Claim.Status.ACTIVE, "pending": Claim.Status.OPEN,
    "cancelled": Claim.Status.CANCELED,
}  # fmt: skip
LONGEST = {
    "bill_id": 150, "member_number": 20, "title": 200, "provider": 200, "claim_number": 60, "remark_codes": 200,
}  # fmt: skip
CHUNK_ROWS = 1000
TITLE_OF_LINE = gettext_noop("Your share")


@dataclass(slots=True)
class Rows:
    """A chunk of rows: the line that each ends on, and its cells by column name, or why there are none."""

    rows: list[tuple[int, dict[str, str] | Refused]]

    def __len__(self) -> int:
        return len(self.rows)


def chunks(path: Path, expect_rows: int | None, expect_cents: int | None) -> Iterator[Rows]:
    """The rows of a file. Raises FileRefused, before the first of them, where the file as a whole cannot be taken."""
    _check(path, expect_rows, expect_cents)
    held: list[tuple[int, dict[str, str] | Refused]] = []
    for row in _rows(path):
        held.append(row)
        if len(held) == CHUNK_ROWS:
            yield Rows(held)
            held = []
    if held:
        yield Rows(held)


def take(chunk: Rows, run: Run, tally: Tally) -> None:
    """Take a chunk of rows."""
    incoming = []
    for line, row in chunk.rows:
        try:
            incoming.append(_incoming(line, row))
        except Refused as problem:
            tally.counts["refused"] += 1
            tally.rejected.append(Rejected(line, problem))
    taking.take(incoming, run, tally)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str] | Refused]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        header = [name.strip() for name in next(reader, [])]
        _check_header(header)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                reason = f"The row has {len(cells)} columns, the header {len(header)}."
                yield reader.line_num, Refused("columns", reason)
            else:
                yield reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=True))


def _check(path: Path, expect_rows: int | None, expect_cents: int | None) -> None:
    """Read the whole file once: its encoding, its quotes, its header, its control totals."""
    count = total = 0
    line = 0
    try:
        _refuse_encodings(path)
        for line, row in _rows(path):
            count += 1
            if expect_cents is not None:
                total += _control_cents(line, row)
    except UnicodeDecodeError as error:
        raise FileRefused("encoding", f"The file is not UTF-8 (after line {line}): save it as CSV UTF-8.") from error
    except csv.Error as error:
        reason = f"The file is no sound CSV after line {line}: a quote without its end, or a cell too long."
        raise FileRefused("quotes", reason) from error
    if count == 0:
        raise FileRefused("no_rows", "The file has no rows.")
    if expect_rows is not None and count != expect_rows:
        raise FileRefused("control_rows", f"The file has {count} rows, and {expect_rows} were expected.")
    if expect_cents is not None and total != expect_cents:
        raise FileRefused("control_total", "The amounts of the file do not sum to the total that was expected.")


def _refuse_encodings(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise FileRefused("encoding", "The file is UTF-16: save it as CSV UTF-8.")
        if not start.strip():
            raise FileRefused("empty_file", "The file is empty.")
        file.seek(0)
        while piece := file.read(1024 * 1024):
            if b"\0" in piece:
                raise FileRefused("nul", "The file carries NUL characters: it is no text file.")


def _control_cents(line: int, row: dict[str, str] | Refused) -> int:
    """The amount of a row for the control total; a row without one makes the total unknowable."""
    try:
        if isinstance(row, Refused):
            raise row
        return _cents(row, "amount")
    except Refused as problem:
        raise FileRefused(
            "control_total", f"Line {line} has no sound amount: the total cannot be checked."
        ) from problem


def _check_header(header: Sequence[str]) -> None:
    doubled = sorted({text(name, 40) for name in header if header.count(name) > 1})[:5] if len(header) < 100 else []
    unknown = sorted({text(name, 40) for name in header} - set(COLUMNS))[:5]
    missing = [name for name in REQUIRED if name not in header]
    if doubled:
        raise FileRefused("header", f"These columns stand twice: {', '.join(doubled)}.")
    if unknown:
        raise FileRefused("header", f"These columns are not known: {', '.join(unknown)}. See docs/imports.md.")
    if missing:
        raise FileRefused("header", f"These columns are missing: {', '.join(missing)}. See docs/imports.md.")


def _incoming(line: int, row: dict[str, str] | Refused) -> Incoming:
    if isinstance(row, Refused):
        raise row
    bill_id = row["bill_id"]
    if not bill_id or len(bill_id) > LONGEST["bill_id"] or not bill_id.isprintable():
        raise Refused("bill_id", "Each row needs an id of at most 150 printable characters.", "bill_id")
    # A row without a label says what it said before there was such a column.
    told = [name for name in COLUMNS if name != "updated_at" and (name != "sensitivity" or row.get(name))]
    said = "\x1f".join(f"{name}={row.get(name, '')}" for name in told)
    version = blake2b(said.encode(), digest_size=16).hexdigest()
    key = f"bill/{bill_id}"
    return Incoming(
        line=line,
        key=key,
        version=version,
        updated_at=instant_of(row.get("updated_at")),
        read=partial(read, row, key=key, version=version),
        resource={name: value for name, value in row.items() if value},
    )


def read(row: dict[str, str], *, key: str, version: str) -> Record:
    """The bill of a row. Raises Refused, naming the column, or NeedsReview where its parts do not add up."""
    for name, longest in LONGEST.items():
        if len(row.get(name, "")) > longest:
            raise Refused("too_long", f"At most {longest} characters.", name)
    for name, value in row.items():
        if not value.isprintable():
            raise Refused("characters", "Line breaks and control characters are not taken.", name)
    for name in REQUIRED:
        if not row[name]:
            raise Refused("empty", "The cell is empty.", name)
    dates = {name: _date(row, name) for name in DATES}
    service_on = dates["service_date"]
    assert service_on is not None
    status = STATUSES.get(row.get("status", ""))
    if status is None:
        raise Refused("status", "Use active, pending or cancelled.", "status")
    kind = row.get("claim_type", "")
    if kind and kind not in CLAIM_TYPES:
        raise Refused("claim_type", f"Use one of {', '.join(CLAIM_TYPES)}.", "claim_type")
    if row.get("updated_at") and instant_of(row["updated_at"]) is None:
        raise Refused("instant", "Write an instant as 2026-01-31T18:00:00Z.", "updated_at")
    due_cents = _cents(row, "amount")
    amounts = Amounts(**{field: _cents(row, name) if row.get(name) else 0 for name, field in AMOUNTS.items()})
    _refuse_disagreement(row, amounts, due_cents)
    _refuse_dates(dates)
    line = Line(row["title"], service_on, amounts, share_cents=due_cents)
    return Record(
        source_id=key,
        member_key=NUMBER_KEY + row["member_number"],
        number=row.get("claim_number") or row["bill_id"][:60],
        kind=kind or KIND,
        title=row["title"],
        provider_name=row.get("provider", ""),
        service_on=service_on,
        version=version,
        amounts=amounts,
        owes_cents=due_cents,
        due_cents=due_cents,
        lines=[line],
        bill_lines=[line],
        status=status,
        processed_on=dates["issued_date"],
        issued_on=dates["issued_date"],
        due_on=dates["due_date"],
        sensitivity=labels.of_cell(row.get("sensitivity", "")),
        remark_codes=" ".join(row.get("remark_codes", "").upper().split()),
    )


def _refuse_disagreement(row: dict[str, str], amounts: Amounts, due_cents: int) -> None:
    if not any(row.get(name) for name in ("deductible", "copay", "coinsurance")):
        return
    parts = amounts.out_of_pocket_cents
    if due_cents not in (parts, parts + amounts.not_covered_cents):
        raise NeedsReview(
            "liability_disagrees", "The amount is not the sum of deductible, copay and coinsurance.", "amount"
        )


def _refuse_dates(dates: dict[str, dt.date | None]) -> None:
    issued_on, due_on = dates["issued_date"], dates["due_date"]
    if issued_on and due_on and due_on < issued_on:
        raise Refused("due_date", "A bill is not due before it is issued.", "due_date")


def _date(row: dict[str, str], name: str) -> dt.date | None:
    written = row.get(name, "")
    if not written:
        return None
    try:
        date = dt.date.fromisoformat(written)
    except ValueError:
        date = None
    if date is None or len(written) != len("YYYY-MM-DD") or not 1900 <= date.year <= 2200:
        raise Refused("date", "Write a date as 2026-01-31.", name)
    return date


def _cents(row: dict[str, str], name: str) -> int:
    try:
        return parse_usd(row[name])
    except InvalidAmount as error:
        raise Refused("amount", "Write an amount in dollars and cents, for example 1,234.50.", name) from error
