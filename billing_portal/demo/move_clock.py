"""`python -m billing_portal.demo.move_clock 2026-12-15`: live through every day until then, as the schedule has it.

What is announced, charged and told on each of the days is: nothing is passed over.
"""

import contextlib
import datetime as dt
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import django
from django.utils import timezone

from billing_portal import days
from billing_portal.demo import clock

SETTLE_SECONDS = 0.2  # until every process has looked
MOST_DAYS = 800  # of one move


def move_to(day: dt.date, var_dir: Path) -> None:
    """Live through every day until the evening of `day`. Raises ValueError for a day that is past or too far."""

    def set_clock(moment: dt.datetime) -> None:
        if moment > timezone.now():
            clock.write(var_dir, shift_seconds=moment.timestamp() - clock.real_now(), goal=day.isoformat())
            clock.look(var_dir)
            time.sleep(SETTLE_SECONDS)

    with _alone(var_dir):
        try:
            clock.look(var_dir)
            today = timezone.localdate()
            if not 0 < (day - today).days <= MOST_DAYS:
                raise ValueError(f"The clock stands at {today} and goes forward, at most {MOST_DAYS} days at once.")
            for number in range(1, (day - today).days + 1):
                days.live(today + dt.timedelta(days=number), set_clock=set_clock)
        finally:
            clock.write(var_dir, shift_seconds=float(clock.state(var_dir)["shift_seconds"]), goal="")


@contextlib.contextmanager
def _alone(var_dir: Path) -> Iterator[None]:
    with (var_dir / ".clock.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError("The clock is being moved already; wait until it has arrived.") from error
        yield


def main(arguments: list[str]) -> int:
    """Move the demo's clock; 1 with one line where that cannot be done."""
    if os.environ.get("PORTAL_ENVIRONMENT") != "demo":
        print("Only the demo's clock can be moved: PORTAL_ENVIRONMENT=demo.", file=sys.stderr)
        return 1
    django.setup()
    try:
        move_to(dt.date.fromisoformat(arguments[0]), Path(os.environ["VAR_DIR"]))
    except (ValueError, IndexError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_portal.settings")
    sys.exit(main(sys.argv[1:]))
