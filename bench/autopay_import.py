"""`autopay-import`: standing orders of a change of systems, against COPY of the same rows; again; statements a row.

What the provider is asked is left out: it takes as long as its pace allows (docs/imports.md).
"""

import csv
import io
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from bench import autopay, databases, import_fhir
from bench.databases import execute
from bench.frame import Run, benchmark
from payments.autopay import asking, import_rows, importing
from payments.models import AutopayEnrollment
from payments.provider import MethodSummary

# In the order that foreign keys want.
TABLES = (
    "bills_importbatch", "payments_stripecustomer", "payments_paymentmethod", "payments_autopayenrollment",
    "payments_autopayenrollment_members", "payments_importedautopay", "payments_autopayconsent", "activity_event",
)  # fmt: skip
ORDER = {
    "as_of": "2026-10-01", "method_kind": "card", "brand": "visa", "last4": "4242", "expires": "2031-04",
    "mandate_text": "I authorize Oakridge Health to charge my account each month. " * 10, "mandate_version": "2019",
    "mandate_accepted_on": "2024-05-01", "day_rule": "on_due", "paperless_statements": "yes",
}  # fmt: skip


@benchmark("autopay-import", size=2_000, full=20_000)
def measure(run: Run) -> None:
    """So many standing orders, each kept, enrolled, consented to and told; the same file again; statements a row."""
    autopay.people(run.size, customers=run.size)
    asking.ask = known
    agains: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        write(path, run.size)
        run.figure("statements a row", statements(path) / run.size, "", at_most=0.1)
        assert AutopayEnrollment.objects.filter(status="active").count() == run.size
        rows = {table: dumped(table) for table in TABLES}

        def ours() -> float:
            first = seconds(path)
            agains.append(seconds(path) / first)
            return first

        @transaction.atomic
        def raw() -> None:
            with connection.cursor() as cursor:
                for table, text in rows.items():
                    names = ", ".join(import_fhir.columns(table))
                    cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN", io.StringIO(text))

        run.compare("taken over", ours, raw, work=run.size, unit="rows/s", before=empty)
        run.figure("again unchanged ÷ the first time", sum(agains) / len(agains), "×")


def known(method_ids: Collection[str]) -> dict[str, MethodSummary | None]:
    """What the provider would say: each is a good card of a customer of its own."""
    card: dict[str, Any] = {"kind": "card", "brand": "visa", "last4": "4242", "expires_month": 4, "expires_year": 2031}
    return {each: MethodSummary(stripe_id=each, customer_id=f"cus_{each}", **card) for each in method_ids}


def write(path: Path, count: int) -> None:
    """A file of so many orders, each for the medical bills of somebody else."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, import_rows.COLUMNS, restval="")
        writer.writeheader()
        for number in range(1, count + 1):
            whose = {"member_number": f"M{number}", "covers": "medical", "stripe_payment_method_id": f"pm_{number}"}
            writer.writerow(ORDER | whose | {"source_id": f"so-{number}"})


def seconds(path: Path) -> float:
    """The seconds that an import of the file takes."""
    began = time.perf_counter()
    importing.run(path, source="old")
    return time.perf_counter() - began


def statements(path: Path) -> int:
    """How many statements an import of the file takes."""
    count = 0

    def counted(run: Any, *given: Any) -> Any:
        nonlocal count
        count += 1
        return run(*given)

    with connection.execute_wrapper(counted):
        importing.run(path, source="old")
    return count


def dumped(table: str) -> str:
    """The rows of a table, as COPY reads them."""
    target = io.StringIO()
    with connection.cursor() as cursor:
        names = ", ".join(import_fhir.columns(table))
        cursor.copy_expert(f"COPY (SELECT {names} FROM {table} ORDER BY id) TO STDOUT", target)
    return target.getvalue()


def empty() -> None:
    """Take away what was written."""
    with autopay.past_the_walls():
        for table in reversed(TABLES):
            execute(f"DELETE FROM {table}")
        execute("UPDATE accounts_household SET is_paperless = false")
    databases.vacuum(*TABLES, "accounts_household")
