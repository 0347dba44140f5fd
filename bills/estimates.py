"""Good-faith estimates: taken from a CSV file or from staff, and put to the bills that came of them."""

import csv
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.db.models import Q

from accounts.models import Member
from activity.recording import record
from bills.models import Bill, Estimate
from ledger.money import InvalidAmount, parse_usd

COLUMNS = ("estimate_id", "member_number", "provider", "service_date", "issued_date", "amount")
MAX_ROWS = 20_000
MAX_UNLINKED = 5_000
LATEST_DAYS = 60  # after the day that was estimated: a service that is put off keeps its estimate


class EstimateRefused(Exception):
    """A file or row that cannot be taken; its text says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, US cents."""

    number: str
    member: Member
    provider: str
    service_on: dt.date
    issued_on: dt.date
    amount_cents: int


@transaction.atomic
def take_file(path: Path, *, source: str = "csv") -> int:
    """Take a CSV file of estimates, whole or not at all; how many are new. Raises EstimateRefused, naming the line.

    A row again is known by its id and provider; it is passed over where it stands.
    """
    rows = list(_rows(path))
    return sum(
        take(
            number=row.number, member=row.member, provider=row.provider, service_on=row.service_on,
            issued_on=row.issued_on, amount_cents=row.amount_cents, source=source, actor="import",
        )[1]
        for row in rows
    )  # fmt: skip


@transaction.atomic
def take(
    *, number: str, member: Member, provider: str, service_on: dt.date, issued_on: dt.date, amount_cents: int,
    source: str, actor: str,
) -> tuple[Estimate, bool]:  # fmt: skip
    """Keep an estimate, once for its source, number and provider, and put it to its bills; whether it is new."""
    estimate, is_new = Estimate.objects.get_or_create(
        source=source, number=number, provider_name=provider,
        defaults={
            "member": member, "household_id": member.household_id, "service_on": service_on, "issued_on": issued_on,
            "amount_cents": amount_cents,
        },
    )  # fmt: skip
    if is_new:
        record("estimate.taken", subject=f"estimate:{estimate.pk}", owner_id=member.household_id, actor=actor)
        link(estimate)
    return estimate, is_new


def link(estimate: Estimate) -> int:
    """Put an estimate to the medical bills of its member and provider on its day or soon after; to how many.

    Of a person's estimate those on the private side too: who sees one side alone is told of none on the other.
    """
    whose = Q(member_id=estimate.member_id) | Q(member__private_of=estimate.member_id)
    last = estimate.service_on + dt.timedelta(days=LATEST_DAYS)
    bills = Bill.objects.filter(
        whose, kind=Bill.Kind.MEDICAL, voided_at__isnull=True,
        provider_name__iexact=estimate.provider_name, service_on__range=(estimate.service_on, last),
    ).exclude(estimates__provider_name__iexact=estimate.provider_name)  # fmt: skip
    found = list(bills[:20])
    estimate.bills.add(*found)
    return len(found)


def link_all(*, today: dt.date) -> int:
    """Look for the bills of estimates whose service is not long past; how many links were made."""
    first = today - dt.timedelta(days=LATEST_DAYS + 120)
    waiting = Estimate.objects.filter(service_on__range=(first, today)).order_by("-pk")
    return sum(link(estimate) for estimate in waiting[:MAX_UNLINKED])


def _rows(path: Path) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if sorted(reader.fieldnames or ()) != sorted(COLUMNS):
                raise EstimateRefused(f"The first line must name these columns: {', '.join(COLUMNS)}.")
            for count, cells in enumerate(reader, 1):
                if count > MAX_ROWS:
                    raise EstimateRefused(f"A file has at most {MAX_ROWS} rows.")
                yield _row(reader.line_num, cells)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EstimateRefused("The file cannot be read as CSV in UTF-8.") from error


def _row(line: int, cells: dict[str, str]) -> Row:
    if (
        None in cells
        or None in cells.values()
        or not all(cell.strip() and cell.isprintable() for cell in cells.values())
    ):
        raise EstimateRefused(f"Line {line}: every column needs a value.")
    said = {name: cell.strip() for name, cell in cells.items()}
    member = Member.objects.filter(number=said["member_number"]).first()
    if member is None:
        raise EstimateRefused(f"Line {line}: no member has this number.")
    try:
        dates = [dt.date.fromisoformat(said[name]) for name in ("service_date", "issued_date")]
        cents = parse_usd(said["amount"])
    except (ValueError, InvalidAmount) as error:
        raise EstimateRefused(f"Line {line}: write dates as 2026-01-31 and amounts as 1,234.50.") from error
    if not cents or len(said["estimate_id"]) > 60 or len(said["provider"]) > 200:
        raise EstimateRefused(f"Line {line}: the amount is nothing, or a text is too long.")
    return Row(said["estimate_id"], member, said["provider"], dates[0], dates[1], cents)
