"""Events (docs.stripe.com/api/events): a snapshot of an object at a moment, kept 30 days."""

from __future__ import annotations

import orjson

from stripe_sandbox import API_VERSION, ids
from stripe_sandbox.clock import Clock
from stripe_sandbox.forms import Obj
from stripe_sandbox.store import Store
from stripe_sandbox.webhooks import Webhooks

RETENTION_SECONDS = 30 * 86400


class Events:
    """What happened, newest last. The rendered text is kept, since a webhook sends the very same bytes."""

    def __init__(self, store: Store, clock: Clock, webhooks: Webhooks) -> None:
        self.store = store
        self.clock = clock
        self.webhooks = webhooks
        self.keep_all = False
        self.request_id: str | None = None
        self.idempotency_key: str | None = None

    def emit(self, kind: str, obj: Obj, *, previous: Obj | None = None) -> Obj:
        """Records the event and queues it for the endpoint."""
        snapshot = orjson.loads(orjson.dumps(obj))
        data: Obj = {"object": snapshot}
        if previous is not None:
            data["previous_attributes"] = previous
        event: Obj = {
            "id": ids.new("evt"), "object": "event", "api_version": API_VERSION,
            "created": self.clock.seconds(),
            "data": data, "livemode": False, "pending_webhooks": 1 if self.webhooks.wanted() else 0,
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key}, "type": kind,
        }  # fmt: skip
        self.store.save(event)
        self.webhooks.enqueue(event)
        return event

    def visible(self, event: Obj) -> bool:
        """Whether the API still shows an event: 30 days."""
        return self.keep_all or bool(event["created"] > self.clock.seconds() - RETENTION_SECONDS)

    def reset(self) -> None:
        """The 30-day limit holds again."""
        self.keep_all = False
