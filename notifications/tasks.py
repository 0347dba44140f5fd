"""Celery's way in: looks in Postgres for what is to be told, and may run twice."""

from celery import shared_task

from notifications import notices, sending


@shared_task(name="notifications.tasks.work_off")
def work_off() -> None:
    """Make notices of what happened, then send what is due."""
    notices.make()
    sending.send_waiting()
