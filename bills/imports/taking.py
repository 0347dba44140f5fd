"""Taking in a chunk of claims and bills: what is new is inserted, what has changed is corrected, the rest passed over.

A chunk is one transaction under one lock that all imports share, so that two of them never take the same record at once
(J20), and a process that is killed leaves whole chunks behind: running the file again takes the rest (J02).
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bills.imports import labels, restating, reviewing, sides
from bills.imports.inserting import insert
from bills.imports.people import Known, known_by_key, known_by_number
from bills.imports.problems import MALFORMED, NeedsReview, Parked, Problem, Refused, Skipped, malformed
from bills.imports.records import Record
from bills.imports.run import Rejected, Run, Tally
from bills.imports.values import Json
from bills.imports.writing import execute, fetch
from bills.models import Claim

LOCK_ID = 7_301_922  # any number that nothing else locks by
NUMBER_KEY = "number:"  # before a member number, where a record names its member so

STANDING = """
    SELECT source_id, id, source_version, source_updated_at, status FROM bills_claim
     WHERE source = %s AND source_id = ANY(%s)
"""
TWINS = """
    SELECT number, member_id, kind, service_on FROM bills_claim
     WHERE source = %s AND number = ANY(%s) AND status IN ('active', 'open')
"""
SEEN_AGAIN = """
    UPDATE bills_claim SET source_updated_at = seen.at
      FROM unnest(%s::bigint[], %s::timestamptz[]) AS seen(id, at) WHERE bills_claim.id = seen.id
"""


@dataclass(slots=True)
class Incoming:
    """A claim or bill of a file: its key, its version, and how to read the rest of it where that is needed."""

    line: int
    key: str
    version: str
    updated_at: dt.datetime | None
    read: Callable[[], Record]
    resource: Json | None
    sensitivity: frozenset[str] = labels.NOTHING


class Standing(NamedTuple):
    """A claim that stands under the key."""

    id: int
    version: str
    updated_at: dt.datetime | None
    status: str


def lock() -> None:
    """Wait until no other import is in the midst of a chunk; until the end of this transaction."""
    execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_ID])


def take(incoming: Sequence[Incoming], run: Run, tally: Tally, *, again: bool = False) -> None:
    """Take the claims and bills of a chunk. `again`: records from the review queue, whose version was seen before."""
    once: dict[str, Incoming] = {}
    later = []
    for one in incoming:
        if one.key in once:
            later.append(one)
        else:
            once[one.key] = one
    keys = list(once)
    standing = {row[0]: Standing(*row[1:]) for row in fetch(STANDING, [run.source, keys])}
    reviews = {} if again else reviewing.standing(run.source, [key for key in keys if key not in standing])
    fresh: list[tuple[Incoming, Record]] = []
    changed: list[tuple[Incoming, Record, Standing]] = []
    seen: list[tuple[int, dt.datetime]] = []
    for one in once.values():
        try:
            stands = standing.get(one.key)
            if stands is None:
                if not _reviewed(one, reviews, tally):
                    fresh.append((one, _read(one)))
            elif stands.version == one.version:
                tally.counts["same"] += 1
                tally.taken.append(one.key)
                if one.updated_at and (stands.updated_at is None or one.updated_at > stands.updated_at):
                    seen.append((stands.id, one.updated_at))
            else:
                _refuse_older(one, stands)
                changed.append((one, _read(one), stands))
        except Problem as problem:
            reject(one, problem, tally)
        except MALFORMED:
            reject(one, malformed(), tally)
    if seen:
        execute(SEEN_AGAIN, [list(column) for column in zip(*seen, strict=True)])
    members = _members([record for _one, record in fresh] + [record for _one, record, _s in changed], run)
    _take_fresh(fresh, members, run, tally)
    _take_changed(changed, members, run, tally)
    if later:
        take(later, run, tally, again=again)


def _read(one: Incoming) -> Record:
    record = one.read()
    record.updated_at = one.updated_at
    record.sensitivity |= one.sensitivity
    return record


def reject(one: Incoming, problem: Problem, tally: Tally) -> None:
    """Count a record that is not taken, and keep it for the list of rejects."""
    if isinstance(problem, Skipped):
        tally.skip(problem.reason)
        return
    tally.counts["in_review" if isinstance(problem, NeedsReview) else "refused"] += 1
    tally.rejected.append(Rejected(one.line, problem, one.key, one.version, one.resource))


def _reviewed(one: Incoming, reviews: dict[str, tuple[str, bool]], tally: Tally) -> bool:
    """Whether exactly this was put in the review queue before: it stays there, or stays as it was decided."""
    version, is_open = reviews.get(one.key, ("", False))
    if not version or version != one.version:
        return False
    tally.counts["in_review" if is_open else "same"] += 1
    return True


def _refuse_older(one: Incoming, stands: Standing) -> None:
    """An older version never overwrites a newer one (J06); and what was cancelled only a newer one brings back."""
    if stands.updated_at is None:
        is_newer = one.updated_at is not None
        is_older = False
    else:
        is_newer = one.updated_at is not None and one.updated_at > stands.updated_at
        is_older = one.updated_at is not None and one.updated_at < stands.updated_at
    if is_older or (stands.status == Claim.Status.CANCELED and not is_newer):
        raise Skipped("older", "a version older than the one that stands")


@dataclass(slots=True)
class Members:
    """The members that a chunk names, with their private sides."""

    known: dict[str, Known]
    sides: sides.Sides

    def of(self, record: Record) -> Known:
        """Whose the record is: the side on which it stands. Raises Refused or Parked where nobody is known."""
        return self.sides.of(record, _member(record, self.known))


def _members(records: Sequence[Record], run: Run) -> Members:
    known = _known(records, run)
    found = sides.find(records, lambda record: known.get(record.member_key), source=run.source, on=run.issued_on)
    return Members(known, found)


def _known(records: Sequence[Record], run: Run) -> dict[str, Known]:
    keys = {record.member_key for record in records}
    found = known_by_key(run.source, [key for key in keys if not key.startswith(NUMBER_KEY)])
    by_number = [key.removeprefix(NUMBER_KEY) for key in keys if key.startswith(NUMBER_KEY)]
    if by_number:
        found |= {NUMBER_KEY + number: member for number, member in known_by_number(by_number).items()}
    return found


def _member(record: Record, members: dict[str, Known]) -> Known:
    if (member := members.get(record.member_key)) is None:
        if record.member_key.startswith(NUMBER_KEY):
            raise Refused("member_unknown", "No member has this number.", "member_number")
        reason = "The member has not been imported: the claim waits for the member."
        raise Parked("patient_unknown", reason, "patient", needs=record.member_key)
    return member


def _take_fresh(fresh: Sequence[tuple[Incoming, Record]], members: Members, run: Run, tally: Tally) -> None:
    numbers = [record.number for _one, record in fresh]
    twins = set(fetch(TWINS, [run.source, numbers])) if numbers else set()
    plain: list[tuple[Record, Known]] = []
    linked: list[tuple[Incoming, Record, Known]] = []
    for one, record in fresh:
        try:
            member = members.of(record)
            if record.replaces and record.status == Claim.Status.ACTIVE:
                linked.append((one, record, member))
                continue
            twin = (record.number, member.id, record.kind, record.service_on)
            if record.status in (Claim.Status.ACTIVE, Claim.Status.OPEN) and not record.replaces:
                if twin in twins:
                    reason = "A claim of this number, member, kind and day stands under another id: is it the same?"
                    raise NeedsReview("same_claim", reason, "identifier")
                twins.add(twin)
            plain.append((record, member))
            _count(one, tally, "new")
        except Problem as problem:
            reject(one, problem, tally)
    insert(plain, run)
    for one, record, member in linked:
        try:
            restating.replace_original(record, member, run)
            _count(one, tally, "new")
        except Problem as problem:
            reject(one, problem, tally)


def _take_changed(
    changed: Sequence[tuple[Incoming, Record, Standing]], members: Members, run: Run, tally: Tally
) -> None:
    for one, record, stands in changed:
        try:
            restating.restate(stands.id, record, members.of(record), run)
            _count(one, tally, "changed")
        except Problem as problem:
            reject(one, problem, tally)


def _count(one: Incoming, tally: Tally, outcome: str) -> None:
    tally.counts[outcome] += 1
    tally.taken.append(one.key)
