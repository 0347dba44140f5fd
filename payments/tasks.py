"""Celery's way in: each task calls one function, looks in Postgres for the truth, and may run twice."""

import logging

from celery import shared_task

from payments import checks, refunds, sweeping, webhooks
from payments.provider import GatewayError

logger = logging.getLogger(__name__)

MAX_ROUNDS = 50  # of one task: with a provider that does not answer, more is always waiting by the end of a round


@shared_task(name="payments.tasks.sweep")
def sweep() -> None:
    """Ask about payments and refunds that are undecided."""
    for _round in range(MAX_ROUNDS):
        if sweeping.run() < sweeping.BATCH:
            break
    refunds.sweep()


@shared_task(name="payments.tasks.work_off_inbox")
def work_off_inbox() -> None:
    """Work off the webhooks that wait."""
    for _round in range(MAX_ROUNDS):
        if webhooks.work_off() < webhooks.BATCH:
            break


@shared_task(name="payments.tasks.catch_up")
def catch_up() -> None:
    """Take in webhooks that never came."""
    try:
        webhooks.catch_up()
    except GatewayError as error:
        logger.warning("the provider's events could not be listed (%s); the next run does it", type(error).__name__)


@shared_task(name="payments.tasks.check_ledger")
def check_ledger() -> None:
    """Hold the book against its rules; what is broken becomes work for staff, once a rule and day."""
    for broken in checks.watch():
        logger.error("the book does not hold: %s", broken.rule)
