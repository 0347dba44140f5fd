"""Records that waited for another: taken once that has come (J05), at the end of every run."""

from collections.abc import Sequence
from typing import NamedTuple

from bills.imports import fhir, reviewing, taking
from bills.imports.files import Item, parse
from bills.imports.run import Run, Tally
from bills.imports.values import Json
from bills.imports.writing import fetch
from ledger.transactions import atomic_with_retry

PAGE = 500
MAX_ROUNDS = 10  # a correction of a correction of a correction …

# What waits for a member is ready when the member stands; what waits for a claim is tried whenever this run took any.
READY = """
    SELECT r.id, r.batch_id, r.line, r.source_id, r.record::text FROM bills_importreject r
     WHERE r.source = %s AND r.outcome = 'review' AND r.resolved_at IS NULL AND r.id > %s
       AND r.record->'resource' IS NOT NULL
       AND (r.rule IN ('patient_unknown', 'subscriber_unknown')
              AND EXISTS (
                SELECT 1 FROM accounts_member m WHERE m.source = r.source AND m.source_id = r.record->>'needs')
            OR r.rule = 'original_unknown' AND EXISTS (
                SELECT 1 FROM bills_claim c WHERE c.source = r.source
                   AND (c.source_id = r.record->>'needs' OR c.number = r.record->>'needs')
                   AND c.source_id <> r.source_id))
     ORDER BY r.id LIMIT %s
"""


class Waiting(NamedTuple):
    """A record in the review queue whose wait is over."""

    id: int
    batch_id: int
    line: int | None
    key: str
    text: str


def take_parked(run: Run) -> None:
    """Take what has waited and need not wait longer; several rounds, since each may be what another waited for."""
    run.prefix = ""
    for _round in range(MAX_ROUNDS):
        last, taken = 0, 0
        while rows := fetch(READY, [run.source, last, PAGE]):
            page = [Waiting(*row) for row in rows]
            last = page[-1].id
            keys = _take(page, run)
            here = sum(waiting.key in keys and waiting.batch_id == run.batch_id for waiting in page)
            run.counts.update({"new": here, "in_review": -here, "unparked": len(keys) - here})
            taken += len(keys)
        if not taken:
            return


@atomic_with_retry
def _take(page: Sequence[Waiting], run: Run) -> set[str]:
    """Take a page; the keys of those that were taken."""
    taking.lock()
    tally = Tally()
    items = []
    for waiting in page:
        record: Json = parse(waiting.text.encode())
        if record["relationship"]:
            run.learn_family(waiting.key, record["needs"], record["relationship"])
        items.append(Item(waiting.line or 0, record["resource"]))
    fhir.take(items, run, tally, again=True)
    reviewing.write(run, tally.rejected)
    reviewing.close(run.source, tally.taken, resolution="what it waited for has come")
    return set(tally.taken)
