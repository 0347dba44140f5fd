"""Take in good-faith estimates."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from bills import estimates


class Command(BaseCommand):
    """`import_estimates estimates.csv`"""

    help = "Take in good-faith estimates as CSV, each file whole or not at all; a repeat takes nothing twice."

    def add_arguments(self, parser: CommandParser) -> None:
        """The files, and whose they are."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=f"CSV: {', '.join(estimates.COLUMNS)}")
        parser.add_argument("--source", default="csv", help="the sending system, whose ids these are")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take each file, and say how many estimates are new."""
        for path in tqdm(options["paths"], unit=" files", desc="Estimates", disable=not sys.stderr.isatty()):
            try:
                count = estimates.take_file(path, source=options["source"])
            except estimates.EstimateRefused as refusal:
                raise CommandError(f"{path.name}: refused whole. {refusal}") from refusal
            self.stdout.write(f"{path.name}: {count} new estimates.")
