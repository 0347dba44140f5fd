"""Celery's way in: each task calls one function, looks in Postgres for the truth, and may run twice."""

from celery import shared_task

from payments import refunds, sweeping, webhooks


@shared_task(name="payments.tasks.sweep")
def sweep() -> None:
    """Ask about payments and refunds that are undecided."""
    while sweeping.run() == sweeping.BATCH:
        pass
    refunds.sweep()


@shared_task(name="payments.tasks.work_off_inbox")
def work_off_inbox() -> None:
    """Work off the webhooks that wait."""
    while webhooks.work_off() == webhooks.BATCH:
        pass
