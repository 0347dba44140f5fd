"""Celery's way in: each task calls one function, looks in Postgres for the truth, and may run twice."""

from celery import shared_task
from django.core.management import call_command

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


@shared_task(name="payments.tasks.check_ledger")
def check_ledger() -> None:
    """Hold the book against its rules. Where one is broken the task fails, and the worker's log names the rules."""
    call_command("check_ledger")
