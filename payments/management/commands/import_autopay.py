"""`manage.py import_autopay`: standing orders of another system."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from bills.imports.problems import FileRefused
from bills.models import ImportBatch
from payments.autopay import importing

SHOWN_REJECTS = 20


class Command(BaseCommand):
    """Take over standing orders; whatever was taken before stays as it is."""

    help = (
        "Take over standing orders at a change of systems. Nothing is charged without the words of consent and a "
        "method that the provider knows as the member's; those begin stopped, and the member is told. Running it again "
        "is harmless. Exit code 1 where anything was refused. Columns and rules: docs/imports.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The command's options."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a CSV file")
        parser.add_argument("--format", required=True, choices=("csv",))
        parser.add_argument("--source", default="autopay", help="the system that they come from (default: autopay)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import each file, and say what came of it."""
        failed = False
        for path in options["paths"]:
            with tqdm(total=None, unit=" rows", disable=None, desc=path.name[:30]) as bar:

                def show(read: int, bar: "tqdm[Any]" = bar) -> None:
                    bar.update(read - bar.n)

                try:
                    batch = importing.run(path, source=options["source"], progress=show)
                except FileRefused as refusal:
                    raise CommandError(refusal.reason) from refusal
            self._tell(batch)
            failed = failed or batch.status != ImportBatch.Status.FINISHED or batch.refused > 0
        if failed:
            raise CommandError("Something was refused: see above, and the list of rejects in the admin.")

    def _tell(self, batch: ImportBatch) -> None:
        if batch.status == ImportBatch.Status.REFUSED:
            self.stderr.write(f"{batch.file_name}: refused. {batch.message}")
        self.stdout.write(
            f"{batch.file_name}: {batch.read} rows: {batch.new} new, {batch.changed} changed, {batch.same} same, "
            f"{batch.refused} refused. {batch.message}"
        )
        for reject in batch.rejects.order_by("line", "pk")[:SHOWN_REJECTS]:
            where = f"line {reject.line}" + (f", {reject.field}" if reject.field else "")
            self.stderr.write(f"  {where}: {reject.reason} [{reject.rule}]")
        if batch.refused > SHOWN_REJECTS:
            self.stderr.write(f"  … and {batch.refused - SHOWN_REJECTS} more.")
