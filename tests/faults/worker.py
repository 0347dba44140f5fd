"""The portal's Celery application with crash points, and word of every task that ended."""

import os
from pathlib import Path
from typing import Any

import django
from celery.signals import task_postrun, worker_init

from billing_portal.celery import app

django.setup()  # the crash points stand in modules of models

from tests.faults import crashing  # noqa: E402

DONE = Path(os.environ["FAULTS_DONE_DIR"])


@worker_init.connect
def _install(**_about: Any) -> None:
    crashing.install("worker")


@task_postrun.connect
def _tell(task_id: str, **_about: Any) -> None:
    (DONE / task_id).touch()
    crashing.die_at("P7", "worker")


__all__ = ["app"]
