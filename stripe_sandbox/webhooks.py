"""Sending events to the endpoint (docs.stripe.com/webhooks): signed, again with backoff until a 2xx, for
three days; and the faults of that road: twice, late, out of order, not at all."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from dataclasses import asdict, dataclass, field

import orjson

from stripe_sandbox import signing
from stripe_sandbox.clock import Clock
from stripe_sandbox.forms import Obj
from stripe_sandbox.poster import Poster
from stripe_sandbox.settings import Settings
from stripe_sandbox.store import Store

FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 2, 3600


@dataclass(slots=True)
class Road:
    """How deliveries go wrong. `copies` is how often each event is sent, `drop_next` how many are lost for
    good, `hold` collects so many events before they are let go in the order of `order` (reversed, random
    or kept)."""

    copies: int = 1
    delay_seconds: float = 0.0
    hold: int = 0
    order: str = "kept"
    seed: int = 0
    drop_next: int = 0
    drop_types: list[str] = field(default_factory=list)
    down: bool = False


class Webhooks:
    """The queue to the one endpoint. Retries are due on the sandbox's clock, signatures carry real time
    unless the setting `signature_time` is `sandbox`."""

    def __init__(self, settings: Settings, clock: Clock, store: Store) -> None:
        self.settings, self.clock, self.store = settings, clock, store
        self.road = Road()
        self.paused = False
        self.held: list[str] = []
        self.attempts: deque[Obj] = deque(maxlen=100_000)
        self.counts = {"sent": 0, "accepted": 0, "refused": 0, "dropped": 0, "abandoned": 0}
        self._queue: deque[str] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._poster = Poster()
        self._random = random.Random(0)
        clock.actions["deliver_event"] = self._queue_again

    def wanted(self) -> bool:
        """Whether there is an endpoint."""
        return bool(self.settings.webhook_url)

    def enqueue(self, event: Obj) -> None:
        """Takes a new event on its road."""
        if not self.wanted():
            return
        if self.road.drop_next > 0 or event["type"] in self.road.drop_types:
            self.road.drop_next = max(0, self.road.drop_next - 1)
            self.counts["dropped"] += 1
            return
        if self.paused or self.road.hold > 0:
            self.held.append(event["id"])
            if not self.paused and len(self.held) >= self.road.hold:
                self.release()
            return
        self._start(event["id"])

    def release(self, *, order: str | None = None, seed: int | None = None) -> int:
        """Lets all held events go; returns how many."""
        going, self.held = self.held, []
        order = order or self.road.order
        if order == "reversed":
            going.reverse()
        elif order == "random":
            random.Random(self.road.seed if seed is None else seed).shuffle(going)
        for event_id in going:
            self._start(event_id)
        return len(going)

    def resend(self, event_id: str) -> bool:
        """Sends an event once more, as the dashboard's button does."""
        if self.store.find("event", event_id) is None:
            return False
        self._queue.append(event_id)
        self.pump()
        return True

    def forge(self, body: bytes, *, secret: str, at: int, scheme: str = "v1") -> dict[str, str]:
        """Headers for a body of the caller's own making."""
        return {
            "Content-Type": "application/json",
            "Stripe-Signature": signing.header(body, secret, at, scheme=scheme),
        }

    def set_road(self, changes: Obj) -> Obj:
        """Changes how deliveries go; raises ValueError for an unknown name."""
        known = asdict(self.road)
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"No such webhook setting: {name}")
            setattr(self.road, name, value)
        return asdict(self.road)

    def state(self) -> Obj:
        """Counts, for reading back."""
        return {
            "url": self.settings.webhook_url, "paused": self.paused, "held": len(self.held),
            "road": asdict(self.road),
            "queued": len(self._queue), "in_flight": len(self._running), **self.counts,
        }  # fmt: skip

    def reset(self) -> None:
        """Forgets what is queued and how deliveries go wrong."""
        self.road, self.paused, self.held = Road(), False, []
        self._queue.clear()
        self.attempts.clear()
        self.counts = dict.fromkeys(self.counts, 0)

    def _start(self, event_id: str) -> None:
        for _ in range(max(1, self.road.copies)):
            if self.road.delay_seconds:
                self.clock.after(self.road.delay_seconds, "deliver_event", event_id)
            else:
                self._queue.append(event_id)

    def _queue_again(self, event_id: str) -> None:
        if self.store.find("event", event_id):
            self._queue.append(event_id)

    def pump(self) -> None:
        """Starts deliveries up to the concurrency that is set."""
        while self._queue and len(self._running) < self.settings.webhook_concurrency:
            task = asyncio.create_task(self._deliver(self._queue.popleft()))
            self._running.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self.pump()

    async def drain(self, *, timeout: float = 30.0) -> bool:
        """Waits until nothing is queued or under way; false when that took too long."""
        end = time.monotonic() + timeout
        while self._queue or self._running:
            self.pump()
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.005)
        return True

    async def _deliver(self, event_id: str) -> None:
        event = self.store.find("event", event_id)
        if event is None or not self.wanted():
            return
        status, problem = 0, "endpoint down"
        if not self.road.down:
            status, problem = await self._post(event)
        accepted = 200 <= status < 300
        self.counts["sent"] += 1
        self.counts["accepted" if accepted else "refused"] += 1
        entry = {
            "event": event_id,
            "type": event["type"],
            "at": self.clock.now(),
            "status": status,
            "problem": problem,
        }
        self.attempts.append(entry)
        if accepted:
            if event["pending_webhooks"]:
                event["pending_webhooks"] = 0
                self.store.save(event)
            return
        self._retry_later(event)

    async def _post(self, event: Obj) -> tuple[int, str]:
        body = orjson.dumps(event, option=orjson.OPT_INDENT_2)
        at = int(time.time()) if self.settings.signature_time == "real" else self.clock.seconds()
        headers = self.forge(body, secret=self.settings.webhook_secret, at=at)
        headers |= {"User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)", "Accept": "*/*"}
        timeout = self.settings.webhook_timeout_seconds
        try:
            return await self._poster.post(self.settings.webhook_url, body, headers, timeout=timeout), ""
        except (OSError, TimeoutError, ValueError, EOFError) as error:
            return 0, type(error).__name__

    async def post_raw(self, body: bytes, headers: dict[str, str]) -> int:
        """Posts bytes of the caller's own making; 0 when nobody answered."""
        try:
            timeout = self.settings.webhook_timeout_seconds
            return await self._poster.post(self.settings.webhook_url, body, headers, timeout=timeout)
        except (OSError, TimeoutError, ValueError, EOFError):
            return 0

    def _retry_later(self, event: Obj) -> None:
        tries = int(str(self.store.fact(event["id"], "tries") or 0))
        wait = min(FIRST_RETRY_SECONDS * 2**tries, LONGEST_RETRY_SECONDS)
        if self.clock.now() + wait > event["created"] + self.settings.webhook_give_up_seconds:
            self.counts["abandoned"] += 1
            return
        self.store.note(event["id"], tries=tries + 1)
        self.clock.after(wait, "deliver_event", event["id"])
