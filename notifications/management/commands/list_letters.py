"""The notices that must go by letter, as CSV, or with PDFs in a folder; with --printed they are marked as done."""

import csv
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from notifications import letters
from notifications.management.folders import empty_folder


class Command(BaseCommand):
    """`list_letters > letters.csv` or `list_letters --to DIRECTORY`; after printing `list_letters --printed 17 18`"""

    help = "List required notices that no mail reaches, for print. The file holds names and addresses: keep it safe."

    def add_arguments(self, parser: CommandParser) -> None:
        """What was printed, and where to."""
        parser.add_argument("--printed", nargs="+", type=int, metavar="NOTICE", help="mark these as printed")
        parser.add_argument("--to", metavar="DIRECTORY", help="write list.csv and a PDF of each notice")

    def handle(self, *args: Any, **options: Any) -> None:
        """List, write, or mark."""
        if options["printed"]:
            self.stdout.write(f"{letters.mark_printed(options['printed'], actor='command')} letters marked as printed")
            return
        if options["to"] is None:
            writer = csv.writer(self.stdout)
            writer.writerow(letters.HEADER)
            writer.writerows(letters.rows())
            return
        folder, count = empty_folder(options["to"]), 0
        with (folder / "list.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow((*letters.HEADER, "file"))
            for row, made in letters.printed():
                name = f"letter-{row[0]}.pdf"
                (folder / name).write_bytes(made)
                count += 1
                writer.writerow((*row, name))
        self.stdout.write(f"{count} letters to print")
