"""Telling a worker to look: after commit, by the task's name. Postgres holds what there is to do.

Redis only says "look". A bell that cannot be rung is no failure: the beat schedule rings it again (FAULTS E05, E06).
"""

import functools
import logging
import threading
import time

from celery import current_app
from django.db import transaction
from kombu.exceptions import KombuError

logger = logging.getLogger(__name__)

SILENT_SECONDS = 10.0  # after a broker that did not answer, no request waits for it again for so long
_silent_until = 0.0

PAUSE_SECONDS = 0.2  # between the bells of `ring_for_many` for one task, in one process
_lock = threading.Lock()
_rung_at: dict[str, float] = {}
_to_ring: set[str] = set()


def ring(task_name: str) -> None:
    """Ask for a task to run once the present transaction has committed."""
    transaction.on_commit(functools.partial(_send, task_name))


def ring_for_many(task_name: str) -> None:
    """As `ring`, for work that comes in bursts: what follows a bell within PAUSE_SECONDS is one bell at their end.

    A bell that still has to ring tells of all that is committed before it does, so none is lost.
    """
    transaction.on_commit(functools.partial(_send_joined, task_name))


def _send_joined(task_name: str) -> None:
    with _lock:
        if task_name in _to_ring:
            return
        pause = _rung_at.get(task_name, -PAUSE_SECONDS) + PAUSE_SECONDS - time.monotonic()
        if pause > 0:
            _to_ring.add(task_name)
            threading.Timer(pause, _send_late, [task_name]).start()
            return
        _rung_at[task_name] = time.monotonic()
    _send(task_name)


def _send_late(task_name: str) -> None:
    with _lock:
        _to_ring.discard(task_name)
        _rung_at[task_name] = time.monotonic()
    _send(task_name)


def _send(task_name: str) -> None:
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        current_app.send_task(task_name, retry=False, ignore_result=True)
    except (KombuError, OSError) as error:
        _silent_until = time.monotonic() + SILENT_SECONDS
        logger.warning("the broker did not answer (%s); %s waits for the schedule", type(error).__name__, task_name)
