"""The notices that must go by letter, as CSV; with --printed they are marked as done."""

import csv
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from notifications import letters


class Command(BaseCommand):
    """`list_letters > letters.csv`, and after printing `list_letters --printed 17 18 21`"""

    help = "List required notices that no mail reaches, for print. The file holds names and addresses: keep it safe."

    def add_arguments(self, parser: CommandParser) -> None:
        """What was printed."""
        parser.add_argument("--printed", nargs="+", type=int, metavar="NOTICE", help="mark these as printed")

    def handle(self, *args: Any, **options: Any) -> None:
        """List, or mark."""
        if options["printed"]:
            self.stdout.write(f"{letters.mark_printed(options['printed'], actor='command')} letters marked as printed")
            return
        writer = csv.writer(self.stdout)
        writer.writerow(letters.HEADER)
        writer.writerows(letters.rows())
