"""A frozen statement as one reader may see it: what it said, without rows of anybody whom the reader sees no longer.

All that is shown is worked out from the rows that are left, so that the sums are whole, and no gap tells of the others
(FAULTS F06, F09). Who sees everybody reads exactly what was issued.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Member
from accounts.visibility import Scope
from bills import history
from bills.models import Bill, Statement
from ledger.templatetags.portal import month as month_words
from payments.monthly_statements import AGES

WHYS = ("deductible", "copay", "coinsurance", "not_covered")


@dataclass(frozen=True, slots=True)
class Row:
    """One bill of a statement. US cents."""

    number: str
    title: str
    provider: str
    person: str
    due_on: dt.date
    days_late: int
    note: str
    closing_cents: int
    entries: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    is_premium: bool


@dataclass(frozen=True, slots=True)
class Age:
    """What has been past due for how long, US cents."""

    label: str
    cents: int


@dataclass(frozen=True, slots=True)
class Read:
    """A statement as it is shown. US cents."""

    statement: Statement
    rows: list[Row]
    previous_cents: int
    charges_cents: int
    payments_cents: int
    adjustments_cents: int
    corrections_cents: int
    balance_cents: int
    due_cents: int
    due_on: dt.date | None
    ages: list[Age]
    installments: list[dict[str, Any]]
    autopay: list[dict[str, Any]]
    content: dict[str, Any]

    @property
    def has_premium(self) -> bool:
        """Whether a premium is billed by it."""
        return any(row.is_premium and row.closing_cents for row in self.rows)

    @property
    def is_californian(self) -> bool:
        """Whether California's text is to stand on it."""
        return bool(self.content["state"] == "CA")

    @property
    def to_pay(self) -> list[str]:
        """The numbers of the bills that make up what is due."""
        return [row.number for row in self.rows if row.closing_cents > 0 and not row.note]


def read(statement: Statement, scope: Scope) -> Read:
    """The statement for a reader who may see it."""
    return _read(statement, scope.own_ids if statement.member_id else scope.member_ids)


def of_household(statement: Statement) -> Read:
    """A statement to print, of no reader: nobody's rows who is apart from the holder by now; of one's own, those."""
    if statement.member_id:
        return _read(statement, {statement.member_id})
    of_it = Member.objects.filter(household_id=statement.household_id)
    apart = Member.objects.apart(timezone.localdate()).filter(household_id=statement.household_id)
    return _read(statement, set(of_it.exclude(pk__in=apart.values("pk")).values_list("pk", flat=True)))


def _read(statement: Statement, seen: Collection[int]) -> Read:
    content = statement.content
    bills = [bill for bill in content["bills"] if bill["member"] in seen]
    ids = {bill["bill"] for bill in bills}
    due = [bill for bill in bills if bill["closing"] > 0 and not bill["is_held"] and not bill["is_on_plan"]]
    numbers = {bill["bill"]: bill["number"] for bill in bills}

    def total(name: str) -> int:
        return sum(bill[name] for bill in bills)

    return Read(
        statement=statement,
        rows=[_row(bill) for bill in bills],
        previous_cents=total("previous"),
        charges_cents=total("charges"),
        payments_cents=total("payments"),
        adjustments_cents=total("adjustments"),
        corrections_cents=total("opening") - total("previous"),
        balance_cents=total("closing"),
        due_cents=sum(bill["closing"] for bill in due),
        due_on=min((dt.date.fromisoformat(bill["due_on"]) for bill in due), default=None),
        ages=_ages(due),
        installments=[_dated(each, "due_on") for each in content["installments"] if set(each["bills"]) <= ids],
        autopay=[
            _dated(each, "on") | {"number": numbers.get(each["bill"], "")}
            for each in content["autopay"]
            if set(each.get("bills") or [each["bill"]]) <= ids
        ],
        content=content,
    )


def _row(bill: Mapping[str, Any]) -> Row:
    is_premium = bill["kind"] == Bill.Kind.PREMIUM
    if is_premium:
        title = _("%(month)s premium") % {"month": month_words(dt.date.fromisoformat(bill["period"]))}
    else:
        title = _(bill["title"] or "Medical bill")
    notes = {"is_held": _("We are checking it; nothing is due on it now."), "is_on_plan": _("Paid by a payment plan.")}
    return Row(
        number=bill["number"],
        title=title,
        provider=bill["provider"],
        person=bill["person"],
        due_on=dt.date.fromisoformat(bill["due_on"]),
        days_late=bill["days_late"],
        note=next((words for name, words in notes.items() if bill[name]), ""),
        closing_cents=bill["closing"],
        entries=[
            _dated(each, "on") | {"label": history.label_of(each["code"], is_undone=each["is_undone"])}
            for each in bill["entries"]
        ],
        lines=[_dated(each, "on") | {"why": _why(each)} for each in bill["lines"]] if not is_premium else [],
        is_premium=is_premium,
    )


def _why(line: Mapping[str, Any]) -> str:
    """Why the member owes a service, in plain words."""
    words = {
        "deductible": _("deductible"), "copay": _("copay"), "coinsurance": _("coinsurance"),
        "not_covered": _("not covered"),
    }  # fmt: skip
    return ", ".join(str(words[name]) for name in WHYS if line[name])


def _ages(bills: list[Mapping[str, Any]]) -> list[Age]:
    """Not due yet, and past due up to 30, 60, 90 days and beyond."""
    found = [Age(_("Not due yet"), sum(bill["closing"] for bill in bills if not bill["days_late"]))]
    edges = [0, *AGES]
    for low, high in zip(edges, edges[1:], strict=False):
        cents = sum(bill["closing"] for bill in bills if low < bill["days_late"] <= high)
        found.append(Age(_("%(low)d to %(high)d days past due") % {"low": low + 1, "high": high}, cents))
    beyond = sum(bill["closing"] for bill in bills if bill["days_late"] > edges[-1])
    found.append(Age(_("More than %(days)d days past due") % {"days": edges[-1]}, beyond))
    return found


def _dated(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {**row, name: dt.date.fromisoformat(row[name]) if row[name] else None}
