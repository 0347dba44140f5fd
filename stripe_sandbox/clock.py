"""The sandbox's own time, which can be moved forward, and what is due at a moment of it.

Timers name an action and an object id, so the journal can keep them across a restart.
"""

import heapq
import itertools
import time
from collections.abc import Callable

from stripe_sandbox import ids
from stripe_sandbox.store import Store

Action = Callable[[str], None]


class Clock:
    """Real time plus an offset; timers fire in order of their due time."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.actions: dict[str, Action] = {}
        self.frozen_at: float | None = None
        self._heap: list[tuple[float, int, str]] = []
        self._order = itertools.count()
        saved = store.find("clock", "clock")
        self.offset: float = saved["offset"] if saved else 0.0
        for timer in store.table("timer").values():
            heapq.heappush(self._heap, (timer["due"], next(self._order), timer["id"]))

    def now(self) -> float:
        """Unix seconds, with fraction."""
        return self.frozen_at if self.frozen_at is not None else time.time() + self.offset

    def seconds(self) -> int:
        """Unix seconds, as objects carry them."""
        return int(self.now())

    def after(self, seconds: float, action: str, subject: str) -> None:
        """Runs a registered action on an object after some seconds; at the next tick when that is 0."""
        due, timer_id = self.now() + seconds, ids.new("timer")
        timer = {"id": timer_id, "due": due, "action": action, "subject": subject}
        self.store.save(timer, kind="timer")
        heapq.heappush(self._heap, (due, next(self._order), timer_id))

    def fire_due(self) -> int:
        """Runs what is due; returns how many ran."""
        fired = 0
        while self._heap and self._heap[0][0] <= self.now():
            timer = self.store.find("timer", heapq.heappop(self._heap)[2])
            if timer is None:
                continue
            self.store.remove("timer", timer["id"])
            self.actions[timer["action"]](timer["subject"])
            fired += 1
        return fired

    def advance(self, seconds: float) -> int:
        """Moves time forward step by step, so that each timer sees its own moment; returns how many fired."""
        target = self.now() + seconds
        fired = 0
        while self._heap and self._heap[0][0] <= target:
            self._move_to(max(self._heap[0][0], self.now()))
            fired += self.fire_due()
        self._move_to(target)
        return fired

    def freeze(self, at: float | None) -> None:
        """Stops time at a moment, or lets it run on (None)."""
        if at is None and self.frozen_at is not None:
            self._set_offset(self.frozen_at - time.time())
        self.frozen_at = at

    def reset(self) -> None:
        """Back to real time, with nothing due."""
        self._heap.clear()
        self.frozen_at = None
        self.offset = 0.0

    def _move_to(self, moment: float) -> None:
        if self.frozen_at is not None:
            self.frozen_at = moment
        else:
            self._set_offset(max(self.offset, moment - time.time()))

    def _set_offset(self, offset: float) -> None:
        self.offset = offset
        self.store.save({"id": "clock", "offset": offset}, kind="clock")
