"""Issuing the month's statements: one a household, one a member who is apart, each frozen with every row that it shows.

Some households at a time, a few queries for all of them; a repeat issues nothing twice. What a statement says is
RULES section 8; its words are the template's, in the reader's language, so that only numbers, dates and names are kept.
"""

import calendar
import datetime as dt
import secrets
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Household, Member
from activity.models import Event
from bills.banking_days import first_due_in_time
from bills.models import Bill, BillLine, Statement
from ledger.models import Transfer
from ledger.transactions import MAX_ATTEMPTS
from payments import statement_sums
from payments.statement_planned import Planned
from payments.statement_sums import BillMonth

CHUNK = 500
LAST_DAY = 10  # of a month, on which statements of the month before still go out by themselves
MAX_LINES = 400  # of services, of entries, in one statement
AGES = (30, 60, 90)  # days past due; and beyond


class MonthNotOver(ValueError):
    """A statement is of a month that is over."""


def issue(month: dt.date, *, on: dt.date, progress: Callable[[int], object] | None = None, chunk: int = CHUNK) -> int:
    """Issue the statements of a month that is over on the day `on`; how many are new. Raises MonthNotOver."""
    first = month.replace(day=1)
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    if last >= on:
        raise MonthNotOver(f"{first:%Y-%m} is not over on {on}")
    made, after = 0, 0
    while True:
        ids = list(Household.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:chunk])
        if not ids:
            return made
        made += _issue_some(ids, first, last, on)
        after = ids[-1]
        if progress is not None:
            progress(len(ids))


def issue_daily(today: dt.date) -> int:
    """The statements of the month before, up to LAST_DAY of a month: a day that was missed is made up for."""
    if today.day > LAST_DAY:
        return 0
    return issue(today.replace(day=1) - dt.timedelta(days=1), on=today)


def _issue_some(household_ids: list[int], first: dt.date, last: dt.date, on: dt.date) -> int:
    """Some households in a transaction of their own, whose reads are of one moment: what is summed, is what is listed.

    Where another run was quicker, what it left is looked at again.
    """
    if connection.in_atomic_block:
        return _issue_now(household_ids, first, last, on)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                return _issue_now(household_ids, first, last, on)
        except IntegrityError:
            if attempt == MAX_ATTEMPTS:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _issue_now(household_ids: list[int], first: dt.date, last: dt.date, on: dt.date) -> int:
    done = set(
        Statement.objects.filter(household_id__in=household_ids, month=first).values_list("household_id", "member_id")
    )
    first_at = timezone.make_aware(dt.datetime.combine(first, dt.time.min))
    sums = statement_sums.of(household_ids, first=first, last=last, first_at=first_at, on=on)
    wanted = {key: rows for key, rows in _by_reader(sums).items() if key not in done}
    facts = _Facts(wanted, first, last, on)
    statements = [
        facts.statement(key, rows) for key, rows in sorted(wanted.items(), key=lambda each: each[1][0].bill_id)
    ]
    Statement.objects.bulk_create(statements)
    Event.objects.bulk_create(
        Event(
            kind="statement.issued", subject=f"statement:{each.number}", owner_id=each.household_id, actor="system",
            data={"statement_id": each.pk},
        )
        for each in statements
    )  # fmt: skip
    return len(statements)


Reader = tuple[int, int | None]


def _by_reader(sums: Iterable[BillMonth]) -> dict[Reader, list[BillMonth]]:
    """The bills by whose statement they are on: of who is apart from the holder, they are on no other."""
    found: dict[Reader, list[BillMonth]] = {}
    for row in sums:
        found.setdefault((row.household_id, row.member_id if row.stands_alone else None), []).append(row)
    return found


class _Facts:
    """What the statements of some households need beside the sums: loaded once for all of them."""

    def __init__(self, wanted: dict[Reader, list[BillMonth]], first: dt.date, last: dt.date, on: dt.date) -> None:
        self.first, self.last, self.on = first, last, on
        rows = [row for each in wanted.values() for row in each]
        bill_ids = [row.bill_id for row in rows]
        self.households = Household.objects.in_bulk({household_id for household_id, _member in wanted})
        members = Member.objects.filter(household_id__in=self.households)
        self.members = {member.pk: member for member in members}
        self.holders = {member.household_id: member for member in self.members.values() if member.is_primary_holder}
        before = (first - dt.timedelta(days=1)).replace(day=1)
        self.joined = set(
            Statement.objects.filter(household_id__in=self.households, month=before).values_list(
                "household_id", "member_id"
            )
        )
        self.entries = _entries(bill_ids, first, last)
        new = [row.bill_id for row in rows if first <= row.issued_on <= last]
        lines = BillLine.objects.filter(bill_id__in=new).order_by("bill_id", "position")
        self.lines = {bill_id: list(some) for bill_id, some in groupby(lines, key=lambda line: line.bill_id)}
        self.planned = Planned(bill_ids, on)

    def statement(self, reader: Reader, rows: list[BillMonth]) -> Statement:
        household_id, member_id = reader
        joins = reader in self.joined
        open_rows = [row for row in rows if row.closing_cents > 0 and not row.is_held and not row.is_on_plan]
        previous = sum(row.previous_cents(joins=joins) for row in rows)
        opening = sum(row.opening_cents for row in rows)
        return Statement(
            number=f"{self.first:%Y%m}-{secrets.token_hex(4).upper()}",
            household_id=household_id,
            member_id=member_id,
            month=self.first,
            issued_on=self.on,
            due_on=min((row.due_on for row in open_rows), default=None),
            previous_cents=previous,
            charges_cents=sum(row.charges_cents for row in rows),
            payments_cents=sum(row.payments_cents for row in rows),
            adjustments_cents=sum(row.adjustments_cents for row in rows),
            corrections_cents=opening - previous,
            balance_cents=sum(row.closing_cents for row in rows),
            due_cents=sum(row.closing_cents for row in open_rows),
            content=self._content(reader, rows, joins=joins),
        )

    def _content(self, reader: Reader, rows: list[BillMonth], *, joins: bool) -> dict[str, Any]:
        household_id, member_id = reader
        household = self.households[household_id]
        addressee = self.members[member_id] if member_id else self.holders.get(household_id)
        seen = {row.bill_id for row in rows}
        return {
            "household": household.number,
            # The household's address is where others read the post of who is apart.
            "address": [] if member_id else [household.address, f"{household.city}, {household.state} {household.zip}"],
            "state": household.state,
            "name": addressee.full_name if addressee else "",
            "bills": [self._bill(row, joins=joins) for row in rows],
            "installments": [each for each in self.planned.installments if set(each["bills"]) <= seen],
            "autopay": [each for each in self.planned.autopay if set(each["bills"]) <= seen],
        }

    def _bill(self, row: BillMonth, *, joins: bool) -> dict[str, Any]:
        is_late = row.closing_cents > 0 and row.due_on < first_due_in_time(self.on)
        late = (self.on - row.due_on).days if is_late else 0
        return {
            "bill": row.bill_id, "member": row.member_id, "number": row.number, "kind": row.kind, "title": row.title,
            "provider": row.provider_name, "person": row.member_name,
            "service_on": row.service_on and str(row.service_on), "period": row.period and str(row.period),
            "issued_on": str(row.issued_on), "due_on": str(row.due_on), "days_late": late,
            "is_held": row.is_held, "is_on_plan": row.is_on_plan,
            "previous": row.previous_cents(joins=joins), "opening": row.opening_cents, "charges": row.charges_cents,
            "payments": row.payments_cents, "adjustments": row.adjustments_cents, "closing": row.closing_cents,
            "entries": self.entries.get(row.bill_id, [])[:MAX_LINES],
            "lines": [_line(line) for line in self.lines.get(row.bill_id, [])[:MAX_LINES]],
        }  # fmt: skip


def _line(line: BillLine) -> dict[str, Any]:
    names = ("charged", "discount", "plan_paid", "other_paid", "deductible", "copay", "coinsurance", "not_covered")
    return {
        "description": line.description, "on": line.service_on and str(line.service_on), "amount": line.amount_cents,
        **{name: getattr(line, f"{name}_cents") for name in names},
    }  # fmt: skip


def _entries(bill_ids: list[int], first: dt.date, last: dt.date) -> dict[int, list[dict[str, Any]]]:
    """What moved each bill's balance in the month: the day, why, US cents up or down."""
    by_account = dict(Bill.objects.filter(pk__in=bill_ids).values_list("receivable_id", "pk"))
    found: dict[int, list[dict[str, Any]]] = {}
    for side, sign in (("debit_id", 1), ("credit_id", -1)):
        some = Transfer.objects.filter(**{f"{side}__in": list(by_account)}, effective_on__range=(first, last))
        for transfer in some.order_by("effective_on", "pk"):
            found.setdefault(by_account[getattr(transfer, side)], []).append(
                {
                    "id": transfer.pk, "on": str(transfer.effective_on), "code": transfer.code,
                    "cents": sign * transfer.amount_cents, "is_undone": transfer.reverses_id is not None,
                }
            )  # fmt: skip
    for entries in found.values():
        entries.sort(key=lambda entry: (entry["on"], entry["id"]))
    return found
