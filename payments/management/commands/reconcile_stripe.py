"""`manage.py reconcile_stripe`: Stripe's book against ours."""

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from ledger.money import format_usd
from payments import reconciling
from payments.models import Finding, ReconciliationRun
from payments.provider import GatewayError


class Command(BaseCommand):
    """Take Stripe's balance transactions in, and hold them against the book, both ways."""

    help = (
        "Compare charges, refunds, disputes, fees and payouts at Stripe with the book, to the cent, both ways. What is "
        "ours and was not heard of is taken in; what is not ours goes to suspense and the staff's queue. May be run at "
        "any time, and again after it was broken off. Exit code 1 where it could not finish, or found a difference."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The command's options."""
        parser.add_argument(
            "--since", type=dt.date.fromisoformat, metavar="YYYY-MM-DD",
            help="from this day on; without it from where the last run came to, the first time from the beginning",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Reconcile, and say what was found."""
        since = options["since"] and timezone.make_aware(dt.datetime.combine(options["since"], dt.time()))
        try:
            with tqdm(unit=" lines", disable=None, leave=False) as bar:
                done = reconciling.run(since=since, on_step=lambda run: bar.update(run.lines - bar.n))
        except reconciling.AlreadyRunning as error:
            raise CommandError(str(error)) from error
        except GatewayError as error:
            raise CommandError(f"Stripe could not be asked ({type(error).__name__}); run it again.") from error
        self._tell(done)
        if found := Finding.objects.filter(run=done, closed_at__isnull=True).count():
            raise CommandError(f"{found} new findings wait for staff: /admin/payments/finding/")

    def _tell(self, done: ReconciliationRun) -> None:
        for words, count, cents in (
            ("agree", done.matched, done.matched_cents),
            ("only at Stripe", done.only_there, done.only_there_cents),
            ("only here", done.only_here, done.only_here_cents),
            ("differ", done.differing, done.differing_cents),
        ):
            self.stdout.write(f"{count:>9,} {words:<15} {format_usd(cents):>16}")
        self.stdout.write(
            f"{done.lines:,} new lines; {done.adopted} of what agrees was not heard of before; {done.waiting} wait for"
            f" Stripe. Fees {format_usd(done.fees_cents)}, paid out {format_usd(done.payouts_cents)}."
        )
