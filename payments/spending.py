"""What was paid for whom, by person and year: from the book, less what came back."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, F, Q, Sum, Value, When
from django.db.models.functions import Coalesce, ExtractYear

from accounts.models import Member
from ledger.chart import CODES_OF_PAYMENT
from ledger.models import Transfer

YEARS = 5


@dataclass(frozen=True, slots=True)
class Spent:
    """US cents paid towards one person's bills in one year; negative where more came back than was paid."""

    member: Member
    year: int
    medical_cents: int
    premium_cents: int

    @property
    def total_cents(self) -> int:
        """Medical and premium together."""
        return self.medical_cents + self.premium_cents


def by_year(members: Sequence[Member], *, today: dt.date) -> list[Spent]:
    """What was paid for these members in each of the last years, the latest first: one query."""
    owners = {member.medical_control_id: (member, False) for member in members}
    owners |= {member.premium_control_id: (member, True) for member in members}
    households = sorted({member.household_id for member in members})
    paid = Q(credit__control_id__isnull=False)  # the bill's account is credited: what came back debits it
    rows = (
        Transfer.objects.filter(
            Q(credit__control_id__in=owners) | Q(debit__control_id__in=owners),
            code__in=CODES_OF_PAYMENT,
            owner_id__in=households,
            effective_on__gte=dt.date(today.year - YEARS + 1, 1, 1),
        )
        .annotate(
            control=Coalesce("credit__control_id", "debit__control_id"),
            year=ExtractYear("effective_on"),
        )
        .values_list("control", "year")
        .annotate(cents=Sum(Case(When(paid, then=F("amount_cents")), default=F("amount_cents") * Value(-1))))
    )
    sums: dict[tuple[int, int], list[int]] = {}
    named = {member.pk: member for member in members}
    for control, year, cents in rows:
        member, is_premium = owners[control]
        sums.setdefault((member.pk, year), [0, 0])[is_premium] += cents
    order = {member.pk: place for place, member in enumerate(members)}
    return [
        Spent(named[pk], year, *sums[pk, year])
        for pk, year in sorted(sums, key=lambda key: (-key[1], order[key[0]]))
    ]  # fmt: skip
