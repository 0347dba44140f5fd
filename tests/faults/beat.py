"""The portal's beat with a tick a second instead of a quarter of an hour: what autopay and its mails hang on."""

import os

from billing_portal.celery import app

TICK_SECONDS = 1.0

app.conf.beat_schedule = {
    "run autopay": {
        "task": "payments.tasks.run_autopay", "schedule": TICK_SECONDS,
        "options": {"task_id": os.environ["FAULTS_BEAT"]},  # by which the plan knows that this beat's task has ended
    },
    "send notifications": {"task": "notifications.tasks.work_off", "schedule": TICK_SECONDS},
}  # fmt: skip

__all__ = ["app"]
