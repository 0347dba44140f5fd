"""`import-fhir`: EOBs in NDJSON, new and then again unchanged, against the least that could do the same.

The yardstick, in the same run and on the same database: `orjson.loads` of every line, and one COPY of each table's same
rows, with all constraints, indexes and triggers in place. Peak memory is that of a process of its own, at two sizes.
"""

import io
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson
from django.db import connection, transaction

from bench import databases
from bench.databases import execute
from bench.frame import Run, benchmark
from bills.imports import running
from bills.models import Bill
from tests.data import eobs

# In the order that foreign keys want.
TABLES = (
    "ledger_account", "accounts_household", "accounts_member", "bills_bill", "bills_billline", "ledger_transfer",
    "bills_claim", "bills_claimline", "bills_accumulator", "activity_event",
)  # fmt: skip
CLAIMS_A_MEMBER = 10
ALONE = "import django; django.setup(); from bench import import_fhir; import_fhir.alone()"
SMALLER = 10  # memory is compared with a file so many times smaller, but of at least MIN_CHUNKS chunks
MIN_CHUNKS = 2


@benchmark("import-fhir", size=10_000, full=50_000)
def measure(run: Run) -> None:
    """So many EOBs of a tenth as many members, from NDJSON to bills in the book; again; and the peak of memory."""
    databases.fresh()
    agains: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "eobs.ndjson"
        totals = eobs.write(path, claims=run.size, members=max(1, run.size // CLAIMS_A_MEMBER))
        imported(path)
        assert sum(Bill.objects.values_list("amount_cents", flat=True)) == totals.owed_cents
        rows = dump()

        def ours() -> float:
            first = imported(path)
            agains.append(imported(path) / first)
            return first

        def yardstick() -> None:
            least(path, rows)

        run.compare("import, new", ours, yardstick, work=run.size, unit="EOBs/s", before=empty, at_least=0.3)
        run.figure("again unchanged ÷ the first time", statistics.median(agains), "×", at_most=0.4)
        empty()
    small, large = max(MIN_CHUNKS * 1000, run.size // SMALLER), run.size * (SMALLER if run.is_full else 1)
    run.on_step("memory")
    grown = peak_mib(large) / peak_mib(small)
    run.figure(f"peak memory, {large:,} EOBs to {small:,}", grown, "×", at_most=1.1)


def imported(path: Path) -> float:
    """The seconds that an import of the file takes."""
    batch = running.start(path, format="fhir")
    began = time.perf_counter()
    running.run(batch.pk, path)
    return time.perf_counter() - began


def least(path: Path, rows: dict[str, str]) -> None:
    """The yardstick: `orjson.loads` of the lines and COPY of the rows."""
    with path.open("rb") as file:
        for line in file:
            orjson.loads(line)
    with transaction.atomic(), connection.cursor() as cursor:
        for table, text in rows.items():
            cursor.copy_expert(f"COPY {table} ({', '.join(columns(table))}) FROM STDIN", io.StringIO(text))


def empty() -> None:
    """Take away what an import wrote, past the walls; the plan's own accounts stay."""
    execute("SET session_replication_role = replica")
    for table in TABLES:
        execute(f"DELETE FROM {table}" + (" WHERE owner_id <> 0" if table == "ledger_account" else ""))
    execute("DELETE FROM bills_importbatch")
    execute("SET session_replication_role = DEFAULT")
    databases.vacuum(*TABLES)


def columns(table: str) -> list[str]:
    """The columns of a table."""
    with connection.cursor() as cursor:
        return [column.name for column in connection.introspection.get_table_description(cursor, table)]


def dump() -> dict[str, str]:
    """The rows that an import has written, as COPY reads them; an account opens at zero."""
    rows = {}
    for table in TABLES:
        names = ", ".join("0" if name == "balance_cents" else name for name in columns(table))
        where = " WHERE owner_id <> 0" if table == "ledger_account" else ""
        target = io.StringIO()
        with connection.cursor() as cursor:
            # A control account stands before the accounts that roll up into it.
            cursor.copy_expert(f"COPY (SELECT {names} FROM {table}{where} ORDER BY id) TO STDOUT", target)
        rows[table] = target.getvalue()
    return rows


def peak_mib(claims: int) -> float:
    """The peak resident memory of a process of its own that imports so many claims, MiB."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "eobs.ndjson"
        eobs.write(path, claims=claims, members=max(1, claims // CLAIMS_A_MEMBER))
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "billing_portal.settings"}
        environment["BENCH_DATABASE"] = connection.settings_dict["NAME"]
        child = subprocess.run(
            [sys.executable, "-c", ALONE, str(path)], env=environment, check=True, capture_output=True, text=True
        )
    empty()
    return float(child.stdout.split()[-1])


def alone() -> None:
    """In the process of its own: import the file and print the peak memory, MiB."""
    connection.settings_dict["NAME"] = os.environ["BENCH_DATABASE"]
    imported(Path(sys.argv[1]))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
