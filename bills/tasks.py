"""What the workers do for bills."""

import logging

from celery import shared_task
from django.utils import timezone

from bills import premiums, rechecking
from bills.imports import running, uploads

log = logging.getLogger(__name__)


@shared_task
def import_bills(batch_id: int) -> None:
    """Take in an uploaded import; harmless to run again after a worker was killed."""
    running.run(batch_id)


@shared_task
def issue_premiums() -> None:
    """Issue the premiums that are out by now: this month's, and from the tenth on the next month's."""
    summary = premiums.run_daily(timezone.localdate())
    log.info("premiums: %s issued, %s corrected", summary.issued, summary.changed)


@shared_task
def import_uploads() -> None:
    """Take in what staff uploaded."""
    uploads.work_off()


@shared_task
def check_bills() -> None:
    """Keep what the bill check rests on in line: holds of open claims, links to estimates. Harmless again."""
    done = rechecking.run(timezone.localdate())
    log.info("bill check: %s holds began or ended, %s estimates found their bill", done.holds, done.links)
