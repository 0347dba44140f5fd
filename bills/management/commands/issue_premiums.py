"""Issue a month's premiums; any number of times, each bill once."""

import datetime as dt
import re
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from accounts.models import Coverage
from bills import premiums

MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)


class Command(BaseCommand):
    """`issue_premiums --month 2026-12`"""

    help = (
        "Issue the premium bill of every coverage in force in a month, where it has none yet, and bring the month's"
        " earlier bills in line with coverages that changed since."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The month."""
        parser.add_argument("--month", required=True, metavar="YYYY-MM", help="the month that the premiums are for")

    def handle(self, *args: Any, **options: Any) -> None:
        """Parse the month, run, and print what came of it."""
        match = MONTH.fullmatch(options["month"])
        if match is None:
            raise CommandError(f"--month {options['month']}: write a month as YYYY-MM, for example 2026-12")
        period = dt.date(int(match[1]), int(match[2]), 1)
        in_force = Coverage.objects.in_force(period, premiums.month_after(period) - dt.timedelta(days=1)).count()
        with tqdm(total=in_force, unit="bill", desc="Premiums", disable=not sys.stderr.isatty()) as bar:
            try:
                summary = premiums.run(period, progress=bar.update)
            except premiums.MonthOutOfRange as error:
                raise CommandError(f"--month {error}") from error
        self.stdout.write(
            f"{period:%B %Y}: {summary.issued} premiums issued, {summary.changed} corrected,"
            f" {in_force} coverages in force"
        )
