"""What every importer reads its records into: a claim or bill as it is to stand, before anything is written."""

import datetime as dt
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bills.models import Claim


class Amounts(NamedTuple):
    """US cents of a claim or one of its lines."""

    billed_cents: int = 0
    allowed_cents: int = 0
    discount_cents: int = 0
    plan_paid_cents: int = 0
    other_paid_cents: int = 0
    deductible_cents: int = 0
    copay_cents: int = 0
    coinsurance_cents: int = 0
    not_covered_cents: int = 0

    @property
    def out_of_pocket_cents(self) -> int:
        """What counts towards the year's out-of-pocket limit: the member's cost sharing for what is covered."""
        return self.deductible_cents + self.copay_cents + self.coinsurance_cents


AMOUNT_NAMES = Amounts._fields


@dataclass(slots=True)
class Line:
    """One service of a claim. `share_cents` is the member's part of what is due on the bill."""

    description: str
    service_on: dt.date | None
    amounts: Amounts
    share_cents: int = 0


@dataclass(slots=True)
class Record:
    """A claim, or a bill without one, as its source states it now. `due_cents`: what the bill is to charge."""

    source_id: str
    member_key: str
    number: str
    kind: str
    title: str
    service_on: dt.date
    version: str
    amounts: Amounts
    owes_cents: int
    due_cents: int
    lines: Sequence[Line] = ()
    bill_lines: Sequence[Line] = ()
    provider_name: str = ""
    status: str = Claim.Status.ACTIVE
    service_end_on: dt.date | None = None
    processed_on: dt.date | None = None
    updated_at: dt.datetime | None = None
    replaces: Sequence[str] = ()  # keys of the claim that this one corrects: `Type/id` or a claim number
    due_on: dt.date | None = None
    issued_on: dt.date | None = None
    remark_codes: str = ""  # of the payer, blanks between
    sensitivity: frozenset[str] = frozenset()  # kinds of accounts.models.Sensitive that its labels name
    is_charged: bool = True  # else a bill that stands keeps its amount: what is undecided does not say another


MAX_NAMES = 50_000


@dataclass(slots=True)
class Names:
    """The display names of the organizations and practitioners that this run has met: the latest MAX_NAMES of them."""

    known: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def learn(self, key: str, name: str) -> None:
        """Keep the name of a resource, `Type/id`."""
        if name:
            self.known[key] = name
            if len(self.known) > MAX_NAMES:
                self.known.popitem(last=False)

    def get(self, key: str) -> str:
        """The name of a resource, or nothing."""
        return self.known.get(key, "")
