"""One pace for all workers together: each call to the provider takes the next free moment from Valkey, and waits.

A limiter that only says yes or no would be asked again and again by every thread that waits; this one says when.
Threads that a busy machine wakes late would go together: when its moment has come, a call goes only if the last
WINDOW_SECONDS hold no more calls than the pace allows (docs/decisions/2242). Where Valkey does not answer, each process
keeps a pace of its own, a SHARE-th of the whole: slower, never faster.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from django.conf import settings
from django.db import connection
from redis import Redis
from redis.exceptions import RedisError

from payments import line
from payments.provider import Busy, Unknown

logger = logging.getLogger(__name__)

T = TypeVar("T")
SHARE = 4  # as if so many worker processes were at it
SILENT_SECONDS = 10.0  # after a Valkey that did not answer, it is not asked for so long
TIMEOUT_SECONDS = 1.0
LONGEST_HOLD_SECONDS = 15.0
MOST_BUSY_TRIES = 6  # of one call
WINDOW_SECONDS = 1.03  # the second that providers count by, and what may hold a call up on its way
MICRO = 1_000_000
KEYS = ("next", "went")  # after what stands in braces, by which a cluster keeps them together

# The next moment is Valkey's own clock's: the clocks of the workers need not agree (FAULTS E25).
TAKE = """
local now = redis.call('TIME')
local moment = now[1] * 1000000 + now[2]
local slot = math.max(moment, tonumber(redis.call('GET', KEYS[1]) or '0'))
redis.call('SET', KEYS[1], string.format('%.0f', slot + ARGV[1]), 'PX', 120000)
return slot - moment
"""
# KEYS[2] holds when the last calls went, the latest first. Microseconds to wait, or 0: then this call is among them.
GO = """
local now = redis.call('TIME')
local moment = now[1] * 1000000 + now[2]
local first = redis.call('LINDEX', KEYS[2], ARGV[1] - 1)
if first and first + ARGV[2] > moment then
    return first + ARGV[2] - moment
end
redis.call('LPUSH', KEYS[2], string.format('%.0f', moment))
redis.call('LTRIM', KEYS[2], 0, ARGV[1] - 1)
redis.call('PEXPIRE', KEYS[2], 120000)
return 0
"""
HOLD = """
local now = redis.call('TIME')
local moment = now[1] * 1000000 + now[2] + ARGV[1]
if moment > tonumber(redis.call('GET', KEYS[1]) or '0') then
    redis.call('SET', KEYS[1], string.format('%.0f', moment), 'PX', 120000)
end
return 0
"""


@dataclass(slots=True)
class _Own:
    """The pace of a process whose Valkey is silent."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    next_at: float = 0.0
    silent_until: float = 0.0


_own = _Own()
_desk = threading.Lock()  # of this process


def in_turn(call: Callable[[], T], *, stop: threading.Event) -> T:
    """Make calls to the provider, each in its turn; raises what they raise, and Unknown once `stop` is set.

    Too many calls, or a customer that another call holds, are waited for, since nothing was done (FAULTS B08, B09): up
    to MOST_BUSY_TRIES, then Busy is raised.
    """
    turn = _Turn(stop)
    waiting = line.around_sending.set(turn.sending)
    try:
        for tries in range(1, MOST_BUSY_TRIES):
            try:
                return turn.make(call)
            except Busy:
                hold_back(tries)
        return turn.make(call)
    finally:
        line.around_sending.reset(waiting)


@dataclass(slots=True)
class _Turn:
    """The turns of one thread's calls. Nothing is held while it waits, for its turn or for an answer.

    One thread of a process at a time builds a request or reads an answer, at its desk: where all did at once, a call
    whose turn has come would wait behind them, and many would go together (docs/decisions/2242).
    """

    stop: threading.Event
    is_taken: bool = False

    def make(self, call: Callable[[], T]) -> T:
        """Make a call once its turn has come. Raises what it raises."""
        self._wait()
        with _desk:
            return call()

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Let a request go, and leave the desk to others until its answer is there."""
        _desk.release()
        try:
            self._go()
            yield
        finally:
            _desk.acquire()

    def _wait(self) -> None:
        """Wait for the next turn, or until the run stops."""
        asked = time.monotonic()
        seconds = _turn(1 / settings.AUTOPAY_PER_SECOND)
        answered = time.monotonic()
        moment = (asked + answered) / 2 + seconds  # Valkey reckoned it from a moment between the two
        self.stop.wait(max(0.0, moment - answered))
        self.is_taken = True

    def _go(self) -> None:
        """Wait until the window has room for a request; a second one of a call waits for a turn of its own."""
        if not self.is_taken:
            self._wait()
        self.is_taken = False
        while not self.stop.is_set() and (seconds := _too_soon()) > 0:
            self.stop.wait(seconds)
        if self.stop.is_set():
            raise Unknown("the run has stopped")


def hold_back(tries: int) -> None:
    """Let all workers wait: the provider said that there were too many calls. Longer with each try, and by chance."""
    seconds = min(LONGEST_HOLD_SECONDS, 0.5 * 2**tries) * random.uniform(0.5, 1.0)  # noqa: S311  # a pause
    with _own.lock:
        _own.next_at = max(_own.next_at, time.monotonic() + seconds)
    _ask(HOLD, int(seconds * MICRO))


def _turn(gap_seconds: float) -> float:
    """The seconds until this call's turn."""
    answer = _ask(TAKE, int(gap_seconds * MICRO))
    if answer is not None:
        return answer / MICRO
    with _own.lock:
        now = time.monotonic()
        slot = max(now, _own.next_at)
        _own.next_at = slot + gap_seconds * SHARE
        return slot - now


def _too_soon() -> float:
    """The seconds until the last WINDOW_SECONDS have room for a call; 0 where it may go, and is counted."""
    calls = max(1, round(settings.AUTOPAY_PER_SECOND * WINDOW_SECONDS))
    return (_ask(GO, calls, int(calls / settings.AUTOPAY_PER_SECOND * MICRO)) or 0) / MICRO


def _ask(script: str, *arguments: int) -> int | None:
    """What Valkey answers; None where it does not."""
    if time.monotonic() < _own.silent_until:
        return None
    try:
        return int(_script(script)(keys=[f"autopay:{{{_database()}}}:{name}" for name in KEYS], args=arguments))
    except RedisError as error:
        _own.silent_until = time.monotonic() + SILENT_SECONDS
        logger.error("Valkey did not answer (%s); this process keeps its own pace", type(error).__name__)
        return None


@cache
def _database() -> str:
    """Portals that share a Valkey (a demo, test runs) keep apart paces: by their database."""
    return str(connection.settings_dict["NAME"])


@cache
def _script(script: str):  # type: ignore[no-untyped-def]  # redis-py's scripts are not typed
    valkey = Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, max_connections=128
    )
    return valkey.register_script(script)
