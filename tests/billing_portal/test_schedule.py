"""What runs by itself: the schedule names tasks that there are, and each leads to something that may be repeated."""

from datetime import timedelta

from celery.schedules import crontab, schedule

from billing_portal.celery import app
from billing_portal.schedule import SCHEDULE


def test_every_scheduled_task_exists() -> None:
    """A misspelt task would be sent to the worker for ever, and refused there."""
    app.loader.import_default_modules()
    assert {entry["task"] for entry in SCHEDULE.values()} <= set(app.tasks)


# What must also run by day: a bill that is issued, a try that is due, or a person who parts, after the night's run.
BY_DAY = {
    f"payments.tasks.{name}" for name in ("announce_autopay", "run_autopay", "part_ways", "settle_departures")
}  # fmt: skip


def test_what_is_due_at_an_hour_is_due_at_night() -> None:
    """The portal's hours, not UTC's, and not while members pay."""
    hours = {
        hour
        for entry in SCHEDULE.values()
        if isinstance(entry["schedule"], crontab) and entry["task"] not in BY_DAY
        for hour in entry["schedule"].hour
    }
    assert hours
    assert hours <= set(range(1, 6))
    assert str(app.conf.timezone) == "America/Los_Angeles"


def test_nothing_undecided_waits_longer_than_a_minute() -> None:
    """Webhooks and undecided payments are looked at even where Redis lost the hint."""
    for task in ("payments.tasks.sweep", "payments.tasks.work_off_inbox", "notifications.tasks.work_off"):
        (entry,) = (entry for entry in SCHEDULE.values() if entry["task"] == task)
        seconds = entry["schedule"]
        assert not isinstance(seconds, crontab | schedule)
        assert timedelta(seconds=float(seconds)) <= timedelta(minutes=1)  # type: ignore[arg-type]
