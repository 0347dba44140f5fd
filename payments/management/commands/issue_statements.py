"""Issue the statements of a month; any number of times, each once."""

import datetime as dt
import re
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from accounts.models import Household
from payments import monthly_statements

MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)


class Command(BaseCommand):
    """`issue_statements --month 2026-11`"""

    help = "Issue the statement of every household, and of every confidential member, for a month that is over."

    def add_arguments(self, parser: CommandParser) -> None:
        """The month."""
        parser.add_argument("--month", required=True, metavar="YYYY-MM", help="the month that the statements are of")

    def handle(self, *args: Any, **options: Any) -> None:
        """Parse the month, run, and print what came of it."""
        match = MONTH.fullmatch(options["month"])
        if match is None:
            raise CommandError(f"--month {options['month']}: write a month as YYYY-MM, for example 2026-11")
        month = dt.date(int(match[1]), int(match[2]), 1)
        with tqdm(
            total=Household.objects.count(), unit="household", desc="Statements", disable=not sys.stderr.isatty()
        ) as bar:
            try:
                made = monthly_statements.issue(month, on=timezone.localdate(), progress=bar.update)
            except monthly_statements.MonthNotOver as error:
                raise CommandError(f"--month {error}") from error
        self.stdout.write(f"{month:%B %Y}: {made} statements issued")
