"""One pace for all workers together: each call to the provider takes the next free moment from Valkey, and waits.

A limiter that only says yes or no would be asked again and again by every thread that waits; this one says when. Where
Valkey does not answer, each process keeps a pace of its own, a SHARE-th of the whole: slower, never faster.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
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
LATE_SECONDS = 0.02  # a busy machine wakes its threads late, and many together
MOST_TURNS = 4  # of one call: where all wake late, each goes once it has given up so many
MICRO = 1_000_000

# The next moment is Valkey's own clock's: the clocks of the workers need not agree (FAULTS E25).
TAKE = """
local now = redis.call('TIME')
local moment = now[1] * 1000000 + now[2]
local slot = math.max(moment, tonumber(redis.call('GET', KEYS[1]) or '0'))
redis.call('SET', KEYS[1], string.format('%.0f', slot + ARGV[1]), 'PX', 120000)
return slot - moment
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


def wait(stop: threading.Event) -> None:
    """Wait for this call's turn, or until `stop` is set. Holds nothing meanwhile.

    Who sleeps through a turn gives it up for another: those that wake late together would go together.
    """
    for _turn_taken in range(MOST_TURNS):
        asked = time.monotonic()
        seconds = _turn(1 / settings.AUTOPAY_PER_SECOND)
        answered = time.monotonic()
        moment = (asked + answered) / 2 + seconds  # Valkey reckoned it from a moment between the two
        if stop.wait(max(0.0, moment - answered)) or time.monotonic() - moment <= LATE_SECONDS:
            return


def in_turn(call: Callable[[], T], *, stop: threading.Event) -> T:
    """Make calls to the provider, each in its turn; raises what they raise, and Unknown once `stop` is set.

    Too many calls, or a customer that another call holds, are waited for, since nothing was done (FAULTS B08, B09): up
    to MOST_BUSY_TRIES, then Busy is raised.
    """
    waiting = line.before_sending.set(lambda: _go(stop))
    try:
        for tries in range(1, MOST_BUSY_TRIES):
            try:
                return call()
            except Busy:
                hold_back(tries)
        return call()
    finally:
        line.before_sending.reset(waiting)


def _go(stop: threading.Event) -> None:
    wait(stop)
    if stop.is_set():
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


def _ask(script: str, argument: int) -> int | None:
    """What Valkey answers; None where it does not."""
    if time.monotonic() < _own.silent_until:
        return None
    try:
        return int(_script(script)(keys=[f"autopay:{_database()}:next"], args=[argument]))
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
