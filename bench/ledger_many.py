"""Batches: `ledger-batch`, `ledger-chunk`, `ledger-grow` and `ledger-bytes`."""

import statistics

from django.db import transaction
from psycopg2.extras import execute_values

import ledger
from bench import book, databases
from bench.databases import execute
from bench.frame import Run, benchmark, timed
from ledger import Posting
from ledger.posting import COLUMNS, MAX_BATCH

CHUNK = 1000
STAGE = "bench_stage"


def stage(postings: list[Posting]) -> None:
    """Lay the rows ready in a table of their own, for the yardstick."""
    execute(f"DROP TABLE IF EXISTS {STAGE}")
    execute(f"CREATE UNLOGGED TABLE {STAGE} AS SELECT {COLUMNS} FROM ledger_transfer LIMIT 0")
    with databases.raw() as made, made.cursor() as cursor:
        execute_values(cursor, f"INSERT INTO {STAGE} VALUES %s", [p.row() for p in postings], page_size=1000)
    execute(f"ANALYZE {STAGE}")


def insert_staged(table: str = "ledger_transfer") -> None:
    """The yardstick: one INSERT … SELECT of the same rows."""
    execute(f"INSERT INTO {table} ({COLUMNS}) SELECT {COLUMNS} FROM {STAGE}")


def post_in(chunk: int, postings: list[Posting]) -> None:
    """Through the ledger, so many a commit."""
    for start in range(0, len(postings), chunk):
        ledger.post_many(postings[start : start + chunk])


def post_whole(postings: list[Posting]) -> None:
    """Through the ledger, in one commit, however many batches that takes."""
    with transaction.atomic():
        post_in(MAX_BATCH, postings)


class Prepared:
    """Postings that are new each time, and the same rows staged."""

    def __init__(self, receivables: list[tuple[int, int]], *, staged: bool = True) -> None:
        self.receivables, self.staged = receivables, staged
        self.postings: list[Posting] = []

    def anew(self) -> None:
        """Draw up the next ones."""
        self.postings = book.charges(self.receivables)
        if self.staged:
            stage(self.postings)
        databases.vacuum("ledger_account")


@benchmark("ledger-batch", size=100_000, full=100_000)
def ledger_batch(run: Run) -> None:
    """`ledger.post_many`, all in one batch, against one INSERT … SELECT of the same rows."""
    databases.fresh()
    prepared = Prepared(book.open_receivables(run.size))
    run.compare(
        "one batch",
        lambda: post_whole(prepared.postings),
        insert_staged,
        work=run.size, before=prepared.anew, at_least=0.85,
    )  # fmt: skip
    seconds = {}
    for size in run.sizes():
        databases.fresh()
        part = Prepared(book.open_receivables(size), staged=False)
        measured = []
        for _ in range(3):
            part.anew()
            measured.append(timed(lambda part=part: post_whole(part.postings)))
        seconds[size] = statistics.median(measured)
    run.grow("one batch", seconds, at_most=1.1)


@benchmark("ledger-chunk", size=50_000, full=100_000)
def ledger_chunk(run: Run) -> None:
    """`ledger.post_many`, 1,000 a commit, against one commit."""
    databases.fresh()
    prepared = Prepared(book.open_receivables(run.size), staged=False)
    run.compare(
        f"{CHUNK:,} a commit",
        lambda: post_in(CHUNK, prepared.postings),
        lambda: post_whole(prepared.postings),
        work=run.size, before=prepared.anew, at_least=0.7,
    )  # fmt: skip


@benchmark("ledger-grow", size=1_000_000, full=5_000_000)
def ledger_grow(run: Run) -> None:
    """`ledger.post_many` at 0, a fifth and all of the size standing, against raw SQL at the same size."""
    databases.fresh()
    batch, standing, rates = 20_000, 0, []
    for target in (0, run.size // 5, run.size):
        while standing < target:
            part = min(MAX_BATCH, target - standing)
            stage(book.charges(book.open_receivables(part)))
            insert_staged()
            standing += part
        databases.vacuum("ledger_transfer", "ledger_account")
        prepared = Prepared(book.open_receivables(batch))
        row = run.compare(
            f"{target:,} standing",
            lambda prepared=prepared: post_whole(prepared.postings),
            insert_staged,
            work=batch, before=prepared.anew, at_least=0.95 if target else None,
        )  # fmt: skip
        rates.append(row.ours)
    run.figure("ours at the size, to ours at 0", rates[-1] / rates[0], "", at_least=0.8)


@benchmark("ledger-bytes", size=200_000, full=1_000_000)
def ledger_bytes(run: Run) -> None:
    """Bytes and WAL a transfer, against a raw table of the same columns and indexes."""
    databases.fresh()
    execute("CREATE TABLE bench_raw (LIKE ledger_transfer INCLUDING ALL)")
    for start in range(0, run.size, MAX_BATCH):
        postings = book.charges(book.open_receivables(min(MAX_BATCH, run.size - start)))
        post_in(CHUNK, postings)
        stage(postings)
        insert_staged("bench_raw")
    databases.checkpoint()
    ours, raw = (
        execute("SELECT pg_total_relation_size(%s::regclass)", table)[0][0] / run.size
        for table in ("ledger_transfer", "bench_raw")
    )
    run.figure("bytes a transfer", ours, "B", at_most=320)
    run.figure("bytes a transfer, to the raw table", ours / raw, "", at_most=1.05)
    for name, index_bytes in execute(
        "SELECT i.indexrelid::regclass::text, pg_relation_size(i.indexrelid) FROM pg_index i"
        " WHERE i.indrelid = 'ledger_transfer'::regclass ORDER BY 1"
    ):
        run.figure(f"of these: {name}", index_bytes / run.size, "B")
    part = Prepared(book.open_receivables(20_000), staged=False)
    part.anew()
    databases.checkpoint()
    before = execute("SELECT pg_current_wal_lsn()")[0][0]
    post_in(CHUNK, part.postings)
    after = execute("SELECT pg_current_wal_lsn() - %s::pg_lsn", before)[0][0]
    run.figure("WAL a transfer, balances included", float(after) / 20_000, "B")
