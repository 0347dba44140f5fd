"""Commands for the webhooks: pause, hold, reorder, lose, send again, forge."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson

from stripe_sandbox import API_VERSION, ids
from stripe_sandbox.forms import Obj
from stripe_sandbox.sandbox import Sandbox


def state(sandbox: Sandbox, body: Obj) -> Obj:
    """Where deliveries stand."""
    return sandbox.webhooks.state()


def change(sandbox: Sandbox, body: Obj) -> Obj:
    """Sets how deliveries go; `url` and `secret` set the endpoint."""
    changes = dict(body)
    if "url" in changes:
        sandbox.settings.webhook_url = changes.pop("url")
    if "secret" in changes:
        sandbox.settings.webhook_secret = changes.pop("secret")
    sandbox.webhooks.set_road(changes)
    return sandbox.webhooks.state()


def pause(sandbox: Sandbox, body: Obj) -> Obj:
    """Holds all events from now on."""
    sandbox.webhooks.paused = True
    return sandbox.webhooks.state()


async def resume(sandbox: Sandbox, body: Obj) -> Obj:
    """Lets held events go and holds no more."""
    sandbox.webhooks.paused = False
    return await flush(sandbox, body)


async def flush(sandbox: Sandbox, body: Obj) -> Obj:
    """Lets held events go, in `order` reversed, random (`seed`) or kept, and waits for their delivery."""
    released = sandbox.webhooks.release(order=body.get("order"), seed=body.get("seed"))
    done = await sandbox.webhooks.drain(timeout=float(body.get("timeout_seconds", 30)))
    return {"released": released, "drained": done, **sandbox.webhooks.state()}


def resend(sandbox: Sandbox, body: Obj) -> Obj:
    """Sends one event again, `copies` times."""
    copies = int(body.get("copies", 1))
    if not all(sandbox.webhooks.resend(body["id"]) for _ in range(copies)):
        raise ValueError(f"no such event: {body['id']}")
    return sandbox.webhooks.state()


def attempts(sandbox: Sandbox, body: Obj) -> Obj:
    """Every delivery tried, oldest first; of one `event` when given."""
    rows = [row for row in sandbox.webhooks.attempts if not body.get("event") or row["event"] == body["event"]]
    return {"data": rows}


async def forge(sandbox: Sandbox, body: Obj) -> Obj:
    """A body and its headers, signed with any `secret`, `age_seconds` old (negative: in the future), by any
    `scheme`; with `send` it is posted to the endpoint, and the status told."""
    default = {
        "id": ids.new("evt"), "object": "event", "api_version": API_VERSION, "created": sandbox.now(),
        "data": {"object": body.get("object") or {}}, "livemode": bool(body.get("livemode")),
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None}, "type": body.get("type",
        "payment_intent.succeeded"),
    }  # fmt: skip
    raw = orjson.dumps(body.get("event") or default)
    at = int(time.time()) - int(body.get("age_seconds", 0))
    secret = body.get("secret", sandbox.settings.webhook_secret)
    headers = sandbox.webhooks.forge(raw, secret=secret, at=at, scheme=body.get("scheme", "v1"))
    result: Obj = {"body": raw.decode(), "headers": headers, "status": None}
    if body.get("send"):
        result["status"] = await sandbox.webhooks.post_raw(raw, headers)
    return result


COMMANDS: dict[tuple[str, str], Callable[[Sandbox, Obj], Any]] = {
    ("GET", "webhooks"): state,
    ("POST", "webhooks"): change,
    ("GET", "webhooks/attempts"): attempts,
    ("POST", "webhooks/pause"): pause,
    ("POST", "webhooks/resume"): resume,
    ("POST", "webhooks/flush"): flush,
    ("POST", "webhooks/resend"): resend,
    ("POST", "webhooks/forge"): forge,
}
