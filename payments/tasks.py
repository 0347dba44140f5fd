"""Celery's way in: each task calls one function, looks in Postgres for the truth, and may run twice."""

import logging

from celery import shared_task
from django.utils import timezone

from activity.doorbell import ring
from payments import (
    adding,
    checks,
    departing,
    expiry,
    figures,
    finance_charges,
    grace,
    guests,
    monthly_statements,
    parting,
    reconciling,
    refunds,
    sending_due,
    sharing,
    sweeping,
    verification,
    webhooks,
)
from payments.autopay import announcing, health, running, taking_over
from payments.plans import respreading, watching
from payments.provider import GatewayError

logger = logging.getLogger(__name__)

RUN_SECONDS = 50.0  # of one task of the autopay run: a worker that is told to stop is not waited for longer

MAX_ROUNDS = 50  # of one task: with a provider that does not answer, more is always waiting by the end of a round


@shared_task(name="payments.tasks.sweep")
def sweep() -> None:
    """Ask about payments and refunds that are undecided."""
    for _round in range(MAX_ROUNDS):
        if sweeping.run() < sweeping.BATCH:
            break
    refunds.sweep()
    adding.sweep()


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


@shared_task(name="payments.tasks.reconcile")
def reconcile() -> None:
    """Hold Stripe's book against ours; where it cannot be done now, the next run goes on from there."""
    try:
        reconciling.run()
    except (reconciling.AlreadyRunning, GatewayError) as error:
        logger.warning("the reconciliation did not run (%s)", type(error).__name__)


@shared_task(name="payments.tasks.send_scheduled")
def send_scheduled() -> None:
    """Send the payments that were scheduled for today."""
    for _round in range(MAX_ROUNDS):
        if sending_due.send_due() < sending_due.BATCH:
            break


@shared_task(name="payments.tasks.remind_of_scheduled")
def remind_of_scheduled() -> None:
    """Tell members of the payments that they scheduled for tomorrow."""
    sending_due.remind()


@shared_task(name="payments.tasks.announce_autopay")
def announce_autopay() -> None:
    """Tell members what autopay will charge, and of what changed."""
    announcing.run()


@shared_task(name="payments.tasks.run_autopay")
def run_autopay() -> None:
    """Queue what autopay charges today, and charge for RUN_SECONDS; another worker, or this one again, goes on."""
    report = running.run(seconds=RUN_SECONDS)
    if report.stopped == running.TIME_IS_UP:
        ring("payments.tasks.run_autopay")


@shared_task(name="payments.tasks.watch_autopay")
def watch_autopay() -> None:
    """Look ahead of the run for what would make a charge fail, tell its member, and list it for staff."""
    taking_over.take_waiting()
    health.look()


@shared_task(name="payments.tasks.watch_methods")
def watch_methods() -> None:
    """Tell of cards that expire, give up accounts that were not verified in time, end shares that no longer hold."""
    expiry.tell(timezone.localdate())
    verification.expire()
    sharing.end_broken()


@shared_task(name="payments.tasks.clear_guest_drafts")
def clear_guest_drafts() -> None:
    """Delete what guests began a day ago and never sent."""
    guests.clear()


@shared_task(name="payments.tasks.watch_grace")
def watch_grace() -> None:
    """Begin, warn of, cure and end the grace periods of coverages whose premium is late."""
    summary = grace.run(timezone.localdate())
    logger.info("grace: %s", summary)


@shared_task(name="payments.tasks.keep_figures")
def keep_figures() -> None:
    """Keep the month's figures for the staff's page of them."""
    figures.keep()


@shared_task(name="payments.tasks.assess_finance_charges")
def assess_finance_charges() -> None:
    """Charge what the terms of the states call for; where none are set, nothing."""
    finance_charges.assess(timezone.localdate())


@shared_task(name="payments.tasks.issue_statements")
def issue_statements() -> None:
    """Issue the statements of the month before, where they are not issued yet."""
    monthly_statements.issue_daily(timezone.localdate())


@shared_task
def settle_departures() -> int:
    """End what was planned with people who left, came of age or died, from the midnight of their day on."""
    return departing.run()


@shared_task
def part_ways() -> int:
    """Call off what is scheduled for bills that its payer may no longer pay; end what they shared of methods."""
    sharing.end_broken()
    return parting.part_ways()


@shared_task(name="payments.tasks.fit_plans")
def fit_plans() -> None:
    """Fit the instalments of payment plans to what became of their bills."""
    respreading.run()


@shared_task(name="payments.tasks.watch_plans")
def watch_plans() -> None:
    """Move payment plans on to today, then announce what autopay will charge of them."""
    watching.run()
    announcing.run()
