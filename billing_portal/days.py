"""One day as the schedule has it, task by task: for the demo's clock, and for tests that let months pass."""

import datetime as dt
from collections.abc import Callable, Container
from typing import Any

from celery.schedules import crontab
from django.utils import timezone

from billing_portal.celery import app
from billing_portal.schedule import SCHEDULE


def moments(day: dt.date) -> list[tuple[dt.datetime, str]]:
    """When each daily task runs on a day, in the portal's time zone, the earliest first; with the task's name.

    Of a task that runs several times in a day, the first time and the last.
    """
    found: set[tuple[dt.datetime, str]] = set()
    for entry in SCHEDULE.values():
        when = entry["schedule"]
        if not isinstance(when, crontab) or not _falls_on(when, day):
            continue
        times = _times(when, day)
        found |= {(times[0], str(entry["task"])), (times[-1], str(entry["task"]))}
    return sorted(found)


def frequent() -> list[str]:
    """The tasks that run every few seconds or minutes."""
    return [str(entry["task"]) for entry in SCHEDULE.values() if not isinstance(entry["schedule"], crontab)]


def live(day: dt.date, *, set_clock: Callable[[dt.datetime], None], only: Container[str] | None = None) -> None:
    """Run what a day runs, each task at its time, and after each of them what runs around the clock.

    `only`: no tasks but these, and what runs around the clock at both ends of the day alone.
    """
    app.loader.import_default_modules()
    around = [name for name in frequent() if only is None or name in only]
    set_clock(_at(day, 0, 1))
    _run_all(around)
    for moment, task in moments(day):
        if only is None or task in only:
            set_clock(moment)
            _run_all([task, *around] if only is None else [task])
    set_clock(_at(day, 23, 0))
    _run_all(around)


def _run_all(names: list[str]) -> None:
    for name in names:
        app.tasks[name]()


def _falls_on(when: Any, day: dt.date) -> bool:
    # Celery counts the days of the week from Sunday, 0.
    return day.isoweekday() % 7 in when.day_of_week and day.day in when.day_of_month and day.month in when.month_of_year


def _times(when: Any, day: dt.date) -> list[dt.datetime]:  # celery's types lack a crontab's sets
    return sorted(_at(day, hour, minute) for hour in when.hour for minute in when.minute)


def _at(day: dt.date, hour: int, minute: int) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time(hour, minute)))
