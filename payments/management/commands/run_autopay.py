"""`manage.py run_autopay`: announce what falls due, and charge what is due by now."""

import datetime as dt
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from payments.autopay import announcing, planning, running
from payments.autopay.running import Report
from payments.models import AutopayCharge

WHY = {
    "unauthorized": "Stripe refused our key: renew it, and run this again. Nothing was called declined.",
    "refused": "Stripe refused several charges on end: see the work items, then run this again.",
    "unreachable": "Stripe could not be reached: run this again.",
    "told to stop": "Stopped as asked; run it again for the rest.",
}


class Command(BaseCommand):
    """Announce and charge, once each, however often it is run."""

    help = (
        "Announce what autopay will charge, queue what is due by the day (today), and charge it through Stripe at the"
        " common pace of all workers. May be run at any time, twice at once, and again after it was broken off: each"
        " bill is charged once. SIGTERM ends it after the calls that are on their way. Exit code 1 where charges are"
        " left."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The command's options."""
        parser.add_argument(
            "--date", type=dt.date.fromisoformat, metavar="YYYY-MM-DD", help="charge what is due by this day (today)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and say what came of it."""
        today = options["date"] or planning.day()
        if today > timezone.localdate():
            raise CommandError(f"{today} is yet to come: nothing is charged before its day.")
        told = announcing.run()
        stop = threading.Event()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda *_signal: stop.set())
        planned = planning.run(today=today)
        total = AutopayCharge.objects.filter(status=AutopayCharge.Status.QUEUED).count()
        with tqdm(total=total, unit=" charges", disable=None, leave=False) as bar:

            def show(report: Report) -> None:
                bar.update(report.done + report.failed + report.undecided + report.left_out - bar.n)

            report = running.run(today=today, stop=stop, on_step=show)
        self.stdout.write(
            f"{told.announced:,} announced, {told.changed:,} announced anew, {told.closed:,} no longer needed;"
            f" {planned + report.planned:,} queued: {report.done:,} charged, {report.failed:,} failed,"
            f" {report.undecided:,} not known yet, {report.left_out:,} left out"
        )
        for code, count in running.why_left_out(today).items():
            self.stdout.write(f"{count:>9,} {code or 'skipped by the member'}")
        if report.stopped:
            raise CommandError(WHY.get(report.stopped, report.stopped))
