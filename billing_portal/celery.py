"""The Celery application: tasks live in each app's tasks.py, the schedule in billing_portal/schedule.py."""

import gc
import os

from celery import Celery
from celery.signals import worker_init
from django.urls import reverse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_portal.settings")

app = Celery("billing_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def be_ready(**_signal: object) -> None:
    """Read the table of addresses, and with it the views, before the first task, and once for all children.

    The first address that a process makes up otherwise takes a second and more of an autopay run, or of a sender. What
    is loaded stays: looking through it for garbage held up all threads of a run for a quarter of a second.
    """
    reverse("overview")
    gc.collect()
    gc.freeze()
