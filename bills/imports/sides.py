"""On which side of a person a claim and its bill stand: what they may consent to themself, on the private one.

A chunk without a label costs one statement. What belongs together by its number or id stands together: a claim
without a label follows a labelled one that came before, and what came before without a label is brought over.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from accounts import consent_rules, private_sides
from bills.imports import moving
from bills.imports.people import Known
from bills.imports.records import Record
from bills.imports.writing import fetch
from bills.models import Claim

STANDING = """
    SELECT private_of_id, id, household_id, medical_control_id, birth_date, true
      FROM accounts_member WHERE private_of_id = ANY(%s)
"""
TOGETHER = """
    SELECT m.private_of_id, c.number, CASE WHEN c.source = %s THEN c.source_id ELSE c.number END
      FROM accounts_member m JOIN bills_claim c ON c.member_id = m.id
     WHERE m.id = ANY(%s) AND (c.number = ANY(%s) OR c.source = %s AND c.source_id = ANY(%s))
"""
WHOSE = """
    SELECT m.id, h.state FROM accounts_member m JOIN accounts_household h ON h.id = m.household_id
     WHERE m.id = ANY(%s) AND NOT m.is_primary_holder
"""

Whose = Callable[[Record], Known | None]


@dataclass(slots=True)
class Sides:
    """The private sides of the people of a chunk, and the numbers and ids of claims that stand there."""

    known: dict[int, Known] = field(default_factory=dict)  # by the person's member
    together: set[tuple[int, str]] = field(default_factory=set)

    def of(self, record: Record, person: Known) -> Known:
        """Where a record of a person stands."""
        if person.id not in self.known:
            return person
        names = (record.number, record.source_id, *record.replaces)
        is_private = any((person.id, name) in self.together for name in names)
        return self.known[person.id] if is_private else person


def find(records: Sequence[Record], whose: Whose, *, source: str, on: dt.date) -> Sides:
    """The sides of those people; opened where a record is the first, and what belongs to it brought over, `on`."""
    members = {person.id for record in records if (person := whose(record)) is not None}
    if not members:
        return Sides()
    sides = Sides({row[0]: Known(*row[1:]) for row in fetch(STANDING, [list(members)])})
    private = _private(records, whose)
    if fresh := {person.id for _record, person in private} - sides.known.keys():
        for member_id, side in private_sides.open_for(fresh, actor="import").items():
            sides.known[member_id] = Known(
                side.pk, side.household_id, side.medical_control_id, side.birth_date, is_confidential=True
            )
    if not sides.known:
        return sides
    for record, person in private:
        sides.together |= {(person.id, name) for name in (record.number, record.source_id, *record.replaces)}
    names = [name for record in records for name in (record.number, record.source_id, *record.replaces)]
    for member_id, *found in fetch(TOGETHER, [source, [s.id for s in sides.known.values()], names, source, names]):
        sides.together |= {(member_id, name) for name in found}
    _bring(private, sides, source, on)
    return sides


def _private(records: Sequence[Record], whose: Whose) -> list[tuple[Record, Known]]:
    """The labelled records that are their person's own by the rules, each with the person."""
    labelled = [(r, person) for r in records if r.sensitivity and (person := whose(r)) is not None]
    if not labelled:
        return []
    states = dict(fetch(WHOSE, [[person.id for _record, person in labelled]]))
    rules = consent_rules.of_states(set(states.values()))
    return [
        (record, person)
        for record, person in labelled
        if person.id in states
        and consent_rules.is_own(
            rules, record.sensitivity, states[person.id], born=person.birth_date, on=_last_day(record)
        )
    ]


def _last_day(record: Record) -> dt.date:
    days = [record.service_on, record.service_end_on, *(line.service_on for line in record.lines)]
    return max(day for day in days if day is not None)


def _bring(private: Sequence[tuple[Record, Known]], sides: Sides, source: str, on: dt.date) -> None:
    """Bring over what stands on the holder's side and belongs to a record that is private."""
    people = {person.id for _record, person in private}
    if not people:
        return
    names = {name for record, _person in private for name in (record.number, record.source_id, *record.replaces)}
    standing = Claim.objects.filter(member_id__in=people)
    found = standing.filter(number__in=names) | standing.filter(source=source, source_id__in=names)
    for claim in found.order_by("pk"):
        if (claim.member_id, claim.number) in sides.together or (claim.member_id, claim.source_id) in sides.together:
            moving.aside(claim, sides.known[claim.member_id].id, on=on)
