"""`manage.py import_bills`: bills and claims from FHIR and CSV files."""

import argparse
import datetime as dt
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from bills.imports import running
from bills.imports.problems import FileRefused
from bills.models import ImportBatch
from ledger.money import InvalidAmount, parse_usd

SHOWN_REJECTS = 20


def _dollars(written: str) -> int:
    try:
        return parse_usd(written)
    except InvalidAmount as error:
        raise argparse.ArgumentTypeError(str(error)) from error


class Command(BaseCommand):
    """Import bills and claims; whatever was imported before is compared and passed over."""

    help = (
        "Import bills and claims from FHIR R4 (.json, .ndjson) or CSV files or folders. Running it again is harmless. "
        "Exit code 1 where anything was refused. Columns and rules: docs/imports.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The command's options."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file or a folder")
        parser.add_argument("--format", required=True, choices=running.FORMATS)
        parser.add_argument(
            "--source", default="", help="the sending system, where there are several (default: the format)"
        )
        parser.add_argument(
            "--issued-on", type=dt.date.fromisoformat, help="date of the bills, YYYY-MM-DD (default: today)"
        )
        parser.add_argument("--expect-rows", type=int, help="CSV: refuse the file unless it has so many rows")
        parser.add_argument("--expect-total", type=_dollars, help="CSV: refuse the file unless its amounts sum to this")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import each path, and say what came of it."""
        chosen = running.Options(
            source=options["source"],
            issued_on=options["issued_on"],
            expect_rows=options["expect_rows"],
            expect_cents=options["expect_total"],
        )
        failed = False
        for path in options["paths"]:
            try:
                batch = running.start(path, format=options["format"])
            except FileRefused as refusal:
                raise CommandError(refusal.reason) from refusal
            with tqdm(total=None, unit=" records", disable=None, desc=batch.file_name[:30]) as bar:

                def show(read: int, total: int | None, bar: "tqdm[Any]" = bar) -> None:
                    bar.total = max(read, total or 0)
                    bar.update(read - bar.n)

                batch = running.run(batch.pk, path, progress=show, options=chosen)
            self._tell(batch)
            failed = failed or batch.status != ImportBatch.Status.FINISHED or batch.refused > 0
        if failed:
            raise CommandError("Something was refused: see above, and the list of rejects in the admin.")

    def _tell(self, batch: ImportBatch) -> None:
        if batch.status == ImportBatch.Status.REFUSED:
            self.stderr.write(f"{batch.file_name}: refused whole. {batch.message}")
            return
        skipped = batch.read - batch.new - batch.changed - batch.same - batch.in_review - batch.refused
        self.stdout.write(
            f"{batch.file_name}: {batch.read} records: {batch.new} new, {batch.changed} changed, {batch.same} same, "
            f"{batch.in_review} in review, {batch.refused} refused, {skipped} skipped."
        )
        if batch.message:
            self.stdout.write(batch.message)
        rejects = batch.rejects.filter(outcome="refused").order_by("line", "pk")
        for reject in rejects[:SHOWN_REJECTS]:
            where = f"line {reject.line}" + (f", {reject.field}" if reject.field else "")
            self.stderr.write(f"  {where}: {reject.reason} [{reject.rule}]")
        if batch.refused > SHOWN_REJECTS:
            self.stderr.write(f"  … and {batch.refused - SHOWN_REJECTS} more.")
