"""Charge interest and late fees for the month before a day; any number of times, each bill once a month."""

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from payments import finance_charges


class Command(BaseCommand):
    """`assess_finance_charges [--date 2026-12-01]`"""

    help = (
        "Charge what the terms of the states call for on bills that were past due all of the month before the date."
        " Where no terms are set, which is how it is at first, nothing is charged."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The date."""
        parser.add_argument("--date", metavar="YYYY-MM-DD", help="the day of the charges (today)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Parse the date, run, and print what came of it."""
        try:
            on = dt.date.fromisoformat(options["date"]) if options["date"] else timezone.localdate()
        except ValueError as error:
            raise CommandError(
                f"--date {options['date']}: write a day as YYYY-MM-DD, for example 2026-12-01"
            ) from error
        if on > timezone.localdate():
            raise CommandError(f"--date {on}: charges are not made ahead of their day")
        self.stdout.write(f"{on}: {finance_charges.assess(on)} charges made")
