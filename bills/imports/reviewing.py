"""The records that an import did not take: written down with their reason, closed when a later version is taken."""

from collections.abc import Sequence
from hashlib import blake2b

import orjson
from django.utils import timezone

from activity.models import WorkItem
from bills.imports.problems import NeedsReview, Parked
from bills.imports.run import MAX_REFUSED_KEPT, Rejected, Run
from bills.imports.values import Json
from bills.imports.writing import execute, fetch
from bills.models import ImportReject

MAX_KEPT_BYTES = 1024 * 1024

UPSERT_REVIEWS = """
    INSERT INTO bills_importreject
        (batch_id, outcome, line, field, rule, reason, source, source_id, record, resolution, created_at)
    SELECT %s, 'review', line, field, rule, reason, %s, source_id, record::jsonb, '', now()
      FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
        AS r(line, field, rule, reason, source_id, record)
    ON CONFLICT (source, source_id) WHERE (outcome = 'review' AND resolved_at IS NULL AND NOT (source_id = ''))
    DO UPDATE SET batch_id = excluded.batch_id, line = excluded.line, field = excluded.field, rule = excluded.rule,
                  reason = excluded.reason, record = excluded.record
"""
CLOSE = """
    UPDATE bills_importreject SET resolved_at = now(), resolution = %s
     WHERE source = %s AND source_id = ANY(%s) AND outcome = 'review' AND resolved_at IS NULL
    RETURNING source_id, record->>'version'
"""
STANDING = """
    SELECT DISTINCT ON (source_id) source_id, record->>'version', resolved_at IS NULL FROM bills_importreject
     WHERE source = %s AND source_id = ANY(%s) AND outcome = 'review' ORDER BY source_id, id DESC
"""
WAITING = """
    SELECT source_id, record->>'needs', record->>'relationship' FROM bills_importreject
     WHERE source = %s AND source_id = ANY(%s) AND outcome = 'review' AND resolved_at IS NULL
       AND rule = 'subscriber_unknown'
"""


def write(run: Run, rejected: Sequence[Rejected]) -> None:
    """Write down the records of a chunk that were not taken, and open work for those that a person has to look at."""
    refused = [r for r in rejected if not isinstance(r.problem, NeedsReview)]
    room = MAX_REFUSED_KEPT - run.counts["refused"]
    ImportReject.objects.bulk_create(
        ImportReject(
            batch_id=run.batch_id, outcome=ImportReject.Outcome.REFUSED, line=r.line, field=r.problem.field[:100],
            rule=r.problem.rule, reason=_reason(run, r), source=run.source, source_id=r.source_id[:200],
        )
        for r in refused[: max(0, room)]
    )  # fmt: skip
    # The same record twice in a chunk: its later version is the one to look at.
    held = list({r.source_id: r for r in rejected if isinstance(r.problem, NeedsReview)}.values())
    if not held:
        return
    execute(
        UPSERT_REVIEWS,
        [
            run.batch_id,
            run.source,
            [r.line for r in held],
            [r.problem.field[:100] for r in held],
            [r.problem.rule for r in held],
            [_reason(run, r) for r in held],
            [r.source_id for r in held],
            [_kept(r) for r in held],
        ],
    )
    WorkItem.objects.bulk_create([_work(run, r) for r in held], ignore_conflicts=True)


def waiting_for_subscriber(source: str, source_ids: Sequence[str]) -> list[tuple[str, str, str]]:
    """Of these people those who wait for their subscriber: key, subscriber's key, relationship."""
    return fetch(WAITING, [source, list(source_ids)])


def _reason(run: Run, rejected: Rejected) -> str:
    return f"{run.prefix}{rejected.problem.reason}"[:500]


def _kept(rejected: Rejected) -> str:
    said: Json = {"version": rejected.version}
    if isinstance(rejected.problem, Parked):
        said |= {"needs": rejected.problem.needs, "relationship": rejected.problem.relationship}
    if rejected.resource is not None:
        resource = {key: value for key, value in rejected.resource.items() if key != "text"}
        whole = orjson.dumps(said | {"resource": resource}, default=_exact)
        # PostgreSQL keeps no NUL in JSON: such a record, like an immense one, has to be mended and imported again.
        if len(whole) <= MAX_KEPT_BYTES and b"\\u0000" not in whole:
            return whole.decode()
    return orjson.dumps(said).decode()


def _exact(amount: object) -> orjson.Fragment:
    """A Decimal as the number that it is, digit by digit."""
    return orjson.Fragment(str(amount))


def _work(run: Run, rejected: Rejected) -> WorkItem:
    if isinstance(rejected.problem, Parked):
        subject, key = f"import:{run.batch_id}", f"import:parked:{run.batch_id}:{rejected.problem.rule}"
    else:
        subject, key = f"import:{run.batch_id}", work_key(run.source, rejected.source_id, rejected.version)
    detail = f"{rejected.problem.rule}: {rejected.problem.reason}"
    return WorkItem(kind=WorkItem.Kind.IMPORT_REVIEW, subject=subject, detail=detail, dedupe_key=key)


def work_key(source: str, source_id: str, version: str) -> str:
    """The dedupe key of the work item for one version of one record."""
    return f"import:review:{blake2b(repr((source, source_id, version)).encode(), digest_size=16).hexdigest()}"


def close(source: str, source_ids: Sequence[str], *, resolution: str) -> None:
    """Close the open reviews of records that are taken now, and their work items."""
    closed = fetch(CLOSE, [resolution, source, list(source_ids)])
    if closed:
        WorkItem.objects.filter(
            dedupe_key__in=[work_key(source, source_id, version or "") for source_id, version in closed],
            done_at__isnull=True,
        ).update(done_at=timezone.now(), done_reason=resolution)


def standing(source: str, source_ids: Sequence[str]) -> dict[str, tuple[str, bool]]:
    """For each record ever in review: the version looked at last, and whether it is still open."""
    rows = fetch(STANDING, [source, list(source_ids)])
    return {source_id: (version or "", is_open) for source_id, version, is_open in rows}
