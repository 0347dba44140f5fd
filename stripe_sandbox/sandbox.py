"""The one object that holds the sandbox's state."""

from __future__ import annotations

from stripe_sandbox.clock import Clock
from stripe_sandbox.events import Events
from stripe_sandbox.faults import Faults
from stripe_sandbox.forms import Obj
from stripe_sandbox.idempotency import IdempotencyKeys
from stripe_sandbox.rate_limit import RateLimit
from stripe_sandbox.request_log import RequestLog
from stripe_sandbox.settings import Settings
from stripe_sandbox.store import Store
from stripe_sandbox.webhooks import Webhooks


class Sandbox:
    """An account at the stand-in: its objects, its clock, its events and the faults planned for it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.data)
        self.clock = Clock(self.store)
        self.webhooks = Webhooks(settings, self.clock, self.store)
        self.events = Events(self.store, self.clock, self.webhooks)
        self.faults = Faults()
        self.idempotency = IdempotencyKeys(self.clock, self.store)
        self.rate_limit = RateLimit(settings)
        self.log = RequestLog(settings.data)

    def emit(self, kind: str, obj: Obj, *, previous: Obj | None = None) -> Obj:
        """Records an event with a snapshot of the object and hands it to the webhooks."""
        return self.events.emit(kind, obj, previous=previous)

    def now(self) -> int:
        """Unix seconds of the sandbox's clock."""
        return self.clock.seconds()

    def reset(self) -> None:
        """Forgets all objects, faults, keys, logs and timers; settings stay."""
        self.store.clear()
        self.clock.reset()
        self.webhooks.reset()
        self.events.reset()
        self.faults.clear()
        self.idempotency.clear()
        self.log.clear()
