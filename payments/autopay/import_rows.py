"""Rows of a file of standing orders (CSV, docs/imports.md), each read by a strict grammar.

A reason names the column and the rule and never repeats what was written there.
"""

import csv
import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from django.utils import timezone

from accounts.households import DOCUMENTS
from accounts.models import Coverage, Member
from bills.imports.problems import FileRefused, Refused
from ledger.money import InvalidAmount, parse_usd
from payments.models import AutopayEnrollment, PaymentMethod

DayRule, Covers, Kind = AutopayEnrollment.DayRule, AutopayEnrollment.Covers, PaymentMethod.Kind
PAPERLESS = {f"paperless_{document}": document for document in DOCUMENTS}
COLUMNS = (
    "source_id", "as_of", "member_number", "covers", "coverage_source_id", "stripe_payment_method_id", "method_kind",
    "brand", "last4", "expires", "mandate_text", "mandate_version", "mandate_accepted_on", "day_rule", "day", "limit",
    *PAPERLESS,
)  # fmt: skip
LONGEST_TEXT = 10_000
MAX_ROWS = 1_000_000
MOST_DAYS = {DayRule.DAYS_BEFORE: 20, DayRule.DAY_OF_MONTH: 31}
GRAMMAR = {
    "source_id": r"[A-Za-z0-9._:|-]{1,100}",
    "member_number": r"[A-Za-z0-9-]{1,20}",
    "covers": "premium|medical",
    "coverage_source_id": r"[A-Za-z0-9._:|/-]{0,200}",
    "stripe_payment_method_id": r"pm_[A-Za-z0-9_]{1,55}",
    "method_kind": "card|us_bank_account",
    "brand": r"[a-z_]{0,30}",
    "last4": r"[0-9]{4}",
    "expires": r"(?:20[0-9]{2}-(?:0[1-9]|1[0-2]))?",
    "mandate_version": r"[A-Za-z0-9._-]{0,20}",
    "day_rule": "on_due|days_before|day_of_month",
    "day": r"(?:[1-9]|[12][0-9]|3[01])?",
} | dict.fromkeys(PAPERLESS, "(?:yes|no)?")
PATTERNS = {name: re.compile(pattern, re.ASCII) for name, pattern in GRAMMAR.items()}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file: the line that it ends on, and its cells; none where it has too few or too many."""

    line: int
    cells: Mapping[str, str] | None

    @property
    def digest(self) -> str:
        """Of all that it says."""
        return sha256("\x1f".join((self.cells or {}).get(name, "") for name in COLUMNS).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A standing order as its source states it, read and held against our own records."""

    source_id: str
    as_of: dt.date
    digest: str
    member: Member
    covers: str
    coverage: Coverage | None
    stripe_method_id: str
    method_kind: str
    brand: str
    last4: str
    expires_year: int | None
    expires_month: int | None
    mandate_text: str
    mandate_version: str
    mandate_accepted_on: dt.date | None
    day_rule: str
    day: int | None
    limit_cents: int | None
    paperless: Mapping[str, bool]


def rows(path: Path) -> Iterator[Row]:
    """The rows of a file. Raises FileRefused where it is no CSV in UTF-8 with exactly these columns."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if sorted(header) != sorted(COLUMNS):
                raise FileRefused("columns", f"The first line has to name these columns: {','.join(COLUMNS)}")
            for count, cells in enumerate((cells for cells in reader if cells), 1):
                if count > MAX_ROWS:
                    raise FileRefused("too_long", f"The file has more than {MAX_ROWS} rows.")
                whole = dict(zip(header, cells, strict=True)) if len(cells) == len(header) else None
                yield Row(reader.line_num, whole)
    except UnicodeDecodeError as error:
        raise FileRefused("encoding", "The file is no UTF-8 text: save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise FileRefused("csv", "The file is no sound CSV: a quote without its end, or a cell too long.") from error
    except OSError as error:
        raise FileRefused("missing", f"{path.name}: there is no such file, or it cannot be read.") from error


@dataclass(frozen=True, slots=True)
class Known:
    """What of our records the rows of a batch name."""

    members: Mapping[str, Member]  # by number, each with its user
    coverages: Mapping[tuple[int, str], Sequence[Coverage]]  # by household and the source's id


def look_up(rows: Sequence[Row]) -> Known:
    """The members and coverages that rows name: two queries however many there are."""
    cells = [row.cells for row in rows if row.cells is not None]
    numbers, ids = _named("member_number", cells), _named("coverage_source_id", cells) - {""}
    members = {member.number: member for member in Member.objects.filter(number__in=numbers).select_related("user")}
    households = {member.household_id for member in members.values()}
    coverages = defaultdict(list)
    for coverage in Coverage.objects.filter(source_id__in=ids, household__in=households) if ids else ():
        coverages[coverage.household_id, coverage.source_id].append(coverage)
    return Known(members, coverages)


def _named(column: str, cells: Sequence[Mapping[str, str]]) -> set[str]:
    """What stands in a column, where it is written as it should be."""
    return {each[column] for each in cells if PATTERNS[column].fullmatch(each[column])}


def read(row: Row, known: Known) -> Order:
    """What a row says. Raises Refused, with the field and the rule that it breaks."""
    cells = row.cells
    if cells is None:
        raise Refused("columns", f"The row does not have {len(COLUMNS)} cells.")
    for name, pattern in PATTERNS.items():
        if not pattern.fullmatch(cells[name]):
            raise Refused("grammar", f"Write it as {GRAMMAR[name]} (docs/imports.md).", name)
    member = known.members.get(cells["member_number"])
    if member is None:
        raise Refused("member_unknown", "No member has this number.", "member_number")
    text, accepted_on = _mandate(cells)
    year, month = _expires(cells)
    return Order(
        source_id=cells["source_id"], as_of=_date(cells, "as_of"), digest=row.digest, member=member,
        covers=cells["covers"], coverage=_coverage(cells, member, known),
        stripe_method_id=cells["stripe_payment_method_id"], method_kind=cells["method_kind"], brand=cells["brand"],
        last4=cells["last4"], expires_year=year, expires_month=month, mandate_text=text,
        mandate_version=cells["mandate_version"], mandate_accepted_on=accepted_on, day_rule=cells["day_rule"],
        day=_day(cells), limit_cents=_limit(cells["limit"]), paperless=_paperless(cells, member),
    )  # fmt: skip


def _mandate(cells: Mapping[str, str]) -> tuple[str, dt.date | None]:
    """The words that were agreed to, and when: all of it, or nothing."""
    text = cells["mandate_text"]
    given = [bool(cells[name].strip()) for name in ("mandate_text", "mandate_version", "mandate_accepted_on")]
    if any(given) != all(given):
        raise Refused("mandate_whole", "Give text, version and day of the mandate, or none of them.", "mandate_text")
    if len(text) > LONGEST_TEXT or "\0" in text:
        raise Refused("too_long", f"At most {LONGEST_TEXT} characters of text.", "mandate_text")
    return (text, _date(cells, "mandate_accepted_on")) if all(given) else ("", None)


def _expires(cells: Mapping[str, str]) -> tuple[int | None, int | None]:
    written = cells["expires"]
    if bool(written) != (cells["method_kind"] == Kind.CARD):
        raise Refused(
            "expires", "A card has a month in which it expires (2031-04), a bank account has none.", "expires"
        )
    return (int(written[:4]), int(written[5:])) if written else (None, None)


def _coverage(cells: Mapping[str, str], member: Member, known: Known) -> Coverage | None:
    source_id = cells["coverage_source_id"]
    if bool(source_id) != (cells["covers"] == Covers.PREMIUM):
        raise Refused("coverage", "A premium names its coverage, medical bills name none.", "coverage_source_id")
    if not source_id:
        return None
    found = known.coverages.get((member.household_id, source_id), ())
    if len(found) != 1:
        raise Refused("coverage_unknown", "The member's household has not one such coverage.", "coverage_source_id")
    return found[0]


def _day(cells: Mapping[str, str]) -> int | None:
    rule, written = cells["day_rule"], cells["day"]
    most = MOST_DAYS.get(DayRule(rule))
    if (most is None) != (not written) or (most is not None and int(written) > most):
        raise Refused("day", "A day from 1 to 20 before the due date, or from 1 to 31 of the month; else none.", "day")
    return int(written) if written else None


def _limit(written: str) -> int | None:
    if not written:
        return None
    try:
        cents = parse_usd(written)
    except InvalidAmount as error:
        raise Refused("amount", str(error), "limit") from error
    if cents == 0:
        raise Refused("amount", "Write a limit above 0, or none.", "limit")
    return cents


def _paperless(cells: Mapping[str, str], member: Member) -> dict[str, bool]:
    chosen = {document: cells[name] == "yes" for name, document in PAPERLESS.items() if cells[name]}
    if chosen and not member.is_primary_holder:
        raise Refused("not_holder", "The account holder's row alone chooses paper or paperless.", next(iter(PAPERLESS)))
    return chosen


def _date(cells: Mapping[str, str], name: str) -> dt.date:
    written = cells[name]
    try:
        day = dt.date.fromisoformat(written) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", written, re.ASCII) else None
    except ValueError:
        day = None
    if day is None or not dt.date(2000, 1, 1) <= day <= timezone.localdate():
        raise Refused("date", "Write a day from 2000-01-01 to today as 2026-01-31.", name)
    return day
