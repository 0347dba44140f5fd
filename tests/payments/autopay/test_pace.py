"""One pace for all workers: when a call may go, and what becomes of a turn that was slept through."""

import threading

import pytest
from pytest_django import Settings

from payments import gateway
from payments.autopay import pace
from payments.provider import Unknown
from tests.payments.test_races import at_once
from tests.stripe_sandbox.conftest import Server


class Slow(threading.Event):
    """What a thread waits on, on a machine so busy that it wakes late."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait((timeout or 0) + 2 * pace.LATE_SECONDS)


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[float]:
    """The turns that were taken, each as the seconds until it."""
    settings.AUTOPAY_PER_SECOND = 50
    taken: list[float] = []
    turn = pace._turn

    def noted(gap_seconds: float) -> float:
        taken.append(turn(gap_seconds))
        return taken[-1]

    monkeypatch.setattr(pace, "_turn", noted)
    return taken


def test_all_workers_keep_one_pace() -> None:
    """Threads of a process here; the moment is Valkey's for every process."""
    stop = threading.Event()
    turns = sorted(at_once([lambda: [pace._turn(0.05) for _call in range(5)]] * 4), key=min)
    flat = sorted(turn for each in turns for turn in each)
    assert flat[-1] >= 19 * 0.05 * 0.9
    pace.wait(stop)


def test_a_turn_that_was_slept_through_is_given_up_for_another(turns: list[float]) -> None:
    """Else those that a busy machine wakes late together would go together, more than the limit at once."""
    pace.wait(threading.Event())
    assert len(turns) == 1
    pace.wait(Slow())
    assert len(turns) == 1 + pace.MOST_TURNS  # and where each is late, the call goes all the same


def test_a_request_goes_when_its_turn_has_come(provider: Server, turns: list[float]) -> None:
    """Each request of a call waits for itself; those beside it, of somebody who pays by hand, wait for none."""
    assert pace.in_turn(gateway.is_reachable, stop=threading.Event()) and len(turns) == 1
    assert gateway.is_reachable() and len(turns) == 1


def test_nothing_goes_once_the_run_has_stopped(provider: Server, turns: list[float]) -> None:
    stop = threading.Event()
    stop.set()
    asked = len(provider.get("log")["data"])
    with pytest.raises(Unknown):
        pace.in_turn(gateway.is_reachable, stop=stop)
    assert len(provider.get("log")["data"]) == asked


def test_who_is_told_to_stop_waits_for_no_turn(turns: list[float]) -> None:
    stop = Slow()
    stop.set()
    pace.wait(stop)
    assert len(turns) == 1
