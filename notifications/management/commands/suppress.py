"""Write to an address no more, or again: for providers whose reports come on paper or by their own pages."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications import suppressing
from notifications.models import Suppression


class Command(BaseCommand):
    """`suppress alice@example.com --cause bounced`; `suppress alice@example.com --lift`"""

    help = "Write to an email address no more (bounced, complained, staff), or take it up again with --lift."

    def add_arguments(self, parser: CommandParser) -> None:
        """The address, and why."""
        parser.add_argument("address")
        parser.add_argument("--cause", choices=Suppression.Cause.values, default="staff")
        parser.add_argument("--lift", action="store_true", help="write to it again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Stop or lift."""
        if "@" not in options["address"]:
            raise CommandError(f"{options['address']} is no email address")
        if options["lift"]:
            done = suppressing.lift(options["address"], actor="command")
        else:
            done = suppressing.add(options["address"], options["cause"], actor="command")
        self.stdout.write("done" if done else "nothing to change")
