"""Celery's way in: looks in Postgres for what is to be told, and may run twice."""

from celery import shared_task
from django.utils import timezone

from notifications import bill_notices, digest, notices, sending


@shared_task(name="notifications.tasks.work_off")
def work_off() -> None:
    """Make notices of what happened, then send what is due."""
    notices.make()
    sending.send_waiting()


@shared_task(name="notifications.tasks.send_reminders")
def send_reminders() -> None:
    """Remind of the bills that are due soon, today, or past due."""
    bill_notices.remind_daily(timezone.localdate())


@shared_task(name="notifications.tasks.send_digests")
def send_digests() -> None:
    """Make this week's digests."""
    digest.make(timezone.localdate())
