"""Bills, explanations and letters of some days for those who want them on paper, as PDFs and a CSV of where they go."""

import csv
import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications import paper
from notifications.management.folders import empty_folder


class Command(BaseCommand):
    """`print_papers --document bills --since 2026-11-01 --until 2026-11-30 --to DIRECTORY`"""

    help = (
        "Write a PDF of each document of some days whose household has not chosen it paperless, and list.csv with the"
        " addresses. The folder holds names and addresses: keep it safe. Statements: print_statements."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which, of when, and where to."""
        parser.add_argument("--document", required=True, choices=sorted(paper.SOURCES))
        parser.add_argument("--since", required=True, metavar="YYYY-MM-DD", help="the first day that they are of")
        parser.add_argument("--until", required=True, metavar="YYYY-MM-DD", help="the last one")
        parser.add_argument("--to", required=True, metavar="DIRECTORY", help="an empty directory, made where missing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Parse, write, and print what came of it."""
        try:
            since, until = (dt.date.fromisoformat(options[name]) for name in ("since", "until"))
        except ValueError as error:
            raise CommandError("--since, --until: write a day as YYYY-MM-DD, for example 2026-11-30") from error
        folder, count = empty_folder(options["to"]), 0
        with (folder / "list.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(paper.HEADER)
            for each in paper.wanted(options["document"], since, until):
                (folder / each.file_name).write_bytes(each.pdf)
                writer.writerow(each.row)
                count += 1
        self.stdout.write(f"{since} to {until}: {count} {options['document']} to print")
