"""The paper list: statements of a month for those who want paper, as PDFs and a CSV of where they go."""

import csv
import datetime as dt
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from payments import paper_statements


class Command(BaseCommand):
    """`print_statements --month 2026-11 --to DIRECTORY`"""

    help = (
        "Write a PDF of each statement of a month whose household has not chosen paperless ones, and list.csv with"
        " the addresses. The folder holds names and addresses: keep it safe."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The month, and where to."""
        parser.add_argument("--month", required=True, metavar="YYYY-MM", help="the month that the statements are of")
        parser.add_argument("--to", required=True, metavar="DIRECTORY", help="an empty directory, made where missing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Parse, write, and print what came of it."""
        try:
            month = dt.date.fromisoformat(f"{options['month']}-01")
        except ValueError as error:
            raise CommandError(f"--month {options['month']}: write a month as YYYY-MM, for example 2026-11") from error
        folder = Path(options["to"])
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CommandError(f"--to {folder}: is not empty")
        with (folder / "list.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(paper_statements.HEADER)
            count = 0
            for paper in paper_statements.of_month(month):
                (folder / paper.file_name).write_bytes(paper.pdf)
                writer.writerow(paper.row)
                count += 1
        self.stdout.write(f"{month:%B %Y}: {count} statements to print")
