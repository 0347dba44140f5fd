"""Telling a worker to look: after commit, by the task's name. Postgres holds what there is to do.

Redis only says "look". A bell that cannot be rung is no failure: the beat schedule rings it again (FAULTS E05, E06).
"""

import functools
import logging
import time

from celery import current_app
from django.db import transaction
from kombu.exceptions import KombuError

logger = logging.getLogger(__name__)

SILENT_SECONDS = 10.0  # after a broker that did not answer, no request waits for it again for so long
_silent_until = 0.0


def ring(task_name: str) -> None:
    """Ask for a task to run once the present transaction has committed."""
    transaction.on_commit(functools.partial(_send, task_name))


def _send(task_name: str) -> None:
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        current_app.send_task(task_name, retry=False, ignore_result=True)
    except (KombuError, OSError) as error:
        _silent_until = time.monotonic() + SILENT_SECONDS
        logger.warning("the broker did not answer (%s); %s waits for the schedule", type(error).__name__, task_name)
