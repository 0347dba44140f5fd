"""The letters with a code to sign in, as CSV; with --printed they are marked as done."""

import csv
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts import enrolment_codes


class Command(BaseCommand):
    """`list_code_letters > letters.csv`, and after printing `list_code_letters --printed 17 18 21`"""

    help = "List letters with codes to sign in, for print. The file holds names, addresses and codes: delete it then."

    def add_arguments(self, parser: CommandParser) -> None:
        """What was printed."""
        parser.add_argument("--printed", nargs="+", type=int, metavar="LETTER", help="mark these as printed")

    def handle(self, *args: Any, **options: Any) -> None:
        """List, or mark."""
        if options["printed"]:
            done = enrolment_codes.mark_printed(options["printed"], actor="command")
            self.stdout.write(f"{done} letters marked as printed")
            return
        writer = csv.writer(self.stdout)
        writer.writerow(enrolment_codes.HEADER)
        writer.writerows(enrolment_codes.letters())
