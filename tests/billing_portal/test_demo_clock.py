"""The demo's clock: goes forward day by day, takes every process along, and exists in the demo alone."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from billing_portal import days
from billing_portal.demo import clock, move_clock
from billing_portal.schedule import SCHEDULE

ROOT = Path(__file__).resolve().parent.parent.parent
MONDAY, TUESDAY = dt.date(2026, 12, 14), dt.date(2026, 12, 15)
WATCHED = """
import datetime, os, time
before = datetime.date.today()
open("ready", "w").close()
while not os.path.exists("moved"):
    time.sleep(0.05)
time.sleep(1)
child = os.fork()
open("child" if child == 0 else "parent", "w").write(str((datetime.date.today() - before).days))
if child:
    os.waitpid(child, 0)
"""


def test_a_day_runs_what_the_schedule_has_for_it_in_its_order() -> None:
    daily = days.moments(TUESDAY)
    assert daily == sorted(daily)
    assert {timezone.localdate(moment) for moment, _task in daily} == {TUESDAY}
    assert "notifications.tasks.send_digests" not in {task for _moment, task in daily}
    tasks = {task for _moment, task in days.moments(MONDAY)} | set(days.frequent())
    assert "notifications.tasks.send_digests" in tasks
    assert tasks == {str(entry["task"]) for entry in SCHEDULE.values()}


def test_a_day_of_a_changed_clock_has_each_task_as_often_as_any_other() -> None:
    """FAULTS E21, E22: in the night that lacks an hour, and in the one that has it twice."""
    for day in (dt.date(2027, 3, 14), dt.date(2027, 11, 7)):
        tasks = [task for _moment, task in days.moments(day)]
        assert sorted(tasks) == sorted(task for _moment, task in days.moments(TUESDAY))


def test_a_running_process_and_its_children_follow_the_clock(tmp_path: Path) -> None:
    (tmp_path / "watched.py").write_text(WATCHED)
    environment = os.environ | {
        "VAR_DIR": str(tmp_path), "PORTAL_ENVIRONMENT": "demo", "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "billing_portal.demo.clock", "watched"], cwd=tmp_path, env=environment
    )
    while not (tmp_path / "ready").exists():
        assert process.poll() is None
    clock.write(tmp_path, shift_seconds=40 * 86_400.0, goal="")
    (tmp_path / "moved").touch()
    assert process.wait(30) == 0
    assert (tmp_path / "parent").read_text() == (tmp_path / "child").read_text() == "40"


@pytest.mark.parametrize("days_on", [0, -1, move_clock.MOST_DAYS + 1])
def test_the_clock_goes_forward_only_and_not_too_far(tmp_path: Path, days_on: int) -> None:
    with pytest.raises(ValueError, match="goes forward"):
        move_clock.move_to(timezone.localdate() + dt.timedelta(days=days_on), tmp_path)


def test_nothing_but_the_demo_has_the_clock(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert client.get("/demo/clock/").status_code == 404
    assert (clock.main(["json.tool"]), move_clock.main(["2030-01-01"])) == (1, 1)
    assert capsys.readouterr().err.count("Only the demo's clock can be moved") == 2
