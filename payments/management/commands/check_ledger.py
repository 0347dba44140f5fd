"""`manage.py check_ledger`: whether the book holds."""

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from payments import checks, clearing, gateway
from payments.provider import GatewayError


class Command(BaseCommand):
    """Hold every rule of the book against the live database, and the clearing account against Stripe."""

    help = (
        "Check that every balance is the sum of its transfers, that bills, payments and refunds are posted once and "
        "for their amounts, and that the clearing account agrees with Stripe. Changes nothing. Exit code 1, with every "
        "broken rule and its rows, where something does not hold."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The command's options."""
        parser.add_argument(
            "--since",
            type=dt.date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="only what was touched from this day on",
        )
        parser.add_argument("--deep", action="store_true", help="look at every transfer one by one as well")
        parser.add_argument("--without-stripe", action="store_true", help="do not ask Stripe")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, and name what is broken."""
        since = options["since"] and timezone.make_aware(dt.datetime.combine(options["since"], dt.time()))
        source = None if options["without_stripe"] else gateway.balance_rows
        count = len(checks.ALL) + (len(clearing.rules(until=timezone.now())) if source else 0)
        with tqdm(total=count, unit=" rules", disable=None, leave=False) as bar:

            def checked(name: str) -> None:
                bar.set_postfix_str(name)
                bar.update()

            try:
                broken = checks.run(since=since, deep=options["deep"], balance_rows=source, on_rule=checked)
            except GatewayError:
                source, bar.total = None, len(checks.ALL)
                broken = checks.run(since=since, deep=options["deep"], on_rule=checked)
        if source is None:
            self.stdout.write("Skipped: the clearing account was not compared with Stripe, which was not asked.")
        for rule in broken:
            self.stderr.write(f"BROKEN  {rule.rule}: {rule.sentence}")
            for row in rule.rows:
                self.stderr.write(f"        {row}")
        if broken:
            raise CommandError(f"The book does not hold: {len(broken)} of {count} rules are broken.")
        self.stdout.write(f"The book holds: {bar.total} rules checked.")
