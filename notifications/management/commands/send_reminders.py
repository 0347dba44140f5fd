"""Make a day's reminders; any number of times, each reminder once."""

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from notifications import bill_notices


class Command(BaseCommand):
    """`send_reminders --date 2026-12-01`"""

    help = (
        "Remind of the bills that are due in 7, 3 and 1 days, due today, or 1, 7 and 30 days past due on a day"
        " in the portal's time zone. Bills that are paid, on hold, void, or whose payment is on its way are left out."
        " Workers send the notices."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The day."""
        parser.add_argument(
            "--date", metavar="YYYY-MM-DD", help="the day (today, with days that were missed before it)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Parse the day, run, and print what came of it."""
        today = timezone.localdate()
        if options["date"] is None:
            self.stdout.write(f"{today}: {bill_notices.remind_daily(today)} new reminders")
            return
        try:
            day = dt.datetime.strptime(options["date"], "%Y-%m-%d").date()  # noqa: DTZ007  # a day, not a moment
        except ValueError as error:
            raise CommandError(f"--date {options['date']}: write a day as YYYY-MM-DD") from error
        if abs((day - today).days) > bill_notices.MAX_DAYS_BACK:
            raise CommandError(f"--date {day}: at most {bill_notices.MAX_DAYS_BACK} days from today")
        self.stdout.write(f"{day}: {bill_notices.remind(day)} new reminders")
