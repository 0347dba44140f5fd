"""One pace for all workers: when a call may go, and what becomes of those that wake late."""

import threading
import time

import pytest
from pytest_django import Settings

from payments import gateway
from payments.autopay import pace
from payments.provider import Unknown
from tests.payments.test_races import at_once
from tests.stripe_sandbox.conftest import Server


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
    turns = sorted(at_once([lambda: [pace._turn(0.05) for _call in range(5)]] * 4), key=min)
    flat = sorted(turn for each in turns for turn in each)
    assert flat[-1] >= 19 * 0.05 * 0.9


def test_those_that_wake_late_do_not_go_together(
    provider: Server, turns: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """E25: what all slept through in one stall of a machine; no window of a second has more than the pace allows."""
    monkeypatch.setattr(pace, "_turn", lambda _gap: 0.0)
    asked = len(provider.get("log?limit=100000")["data"])
    at_once([lambda: [pace.in_turn(gateway.is_reachable, stop=threading.Event()) for _call in range(8)]] * 10)
    went = sorted(call["time"] for call in provider.get("log?limit=100000")["data"][asked:])
    assert len(went) == 80
    assert min(later - earlier for earlier, later in zip(went, went[52:], strict=False)) >= 0.9  # on its way: some ms


def test_one_thread_works_at_a_time_and_none_waits_for_an_answer(provider: Server, turns: list[float]) -> None:
    """Between turn and answer the desk is another's; what a call works out beside, it works out alone."""
    provider.post("settings", latency_ms=300)
    at_work, most = list[int](), list[int]()

    def call() -> bool:
        at_work.append(1)
        time.sleep(0.03)  # longer than from turn to turn
        most.append(len(at_work))
        at_work.pop()
        return gateway.is_reachable()

    began = time.monotonic()
    assert all(at_once([lambda: pace.in_turn(call, stop=threading.Event())] * 6))
    assert max(most) == 1
    assert time.monotonic() - began < 3 * 0.3


def test_a_request_goes_when_its_turn_has_come(provider: Server, turns: list[float]) -> None:
    """Each request of a call waits for itself; those beside it, of somebody who pays by hand, wait for none."""
    assert pace.in_turn(gateway.is_reachable, stop=threading.Event()) and len(turns) == 1
    assert gateway.is_reachable() and len(turns) == 1
    pace.in_turn(lambda: (gateway.is_reachable(), gateway.is_reachable()), stop=threading.Event())
    assert len(turns) == 3


def test_nothing_goes_once_the_run_has_stopped(
    provider: Server, turns: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it was stopped before its turn, or while the window had no room."""
    stop = threading.Event()
    stop.set()
    asked = len(provider.get("log")["data"])
    with pytest.raises(Unknown):
        pace.in_turn(gateway.is_reachable, stop=stop)
    monkeypatch.setattr(pace, "_too_soon", lambda: 60.0)
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Unknown):
        pace.in_turn(gateway.is_reachable, stop=stop)
    assert len(provider.get("log")["data"]) == asked
