"""`/_sandbox/`: what a test, a demo or a person at the dashboard would do. JSON in, JSON out, no key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stripe_sandbox import API_VERSION, dashboard, delivery_control, ids
from stripe_sandbox.errors import ApiError
from stripe_sandbox.forms import Obj
from stripe_sandbox.sandbox import Sandbox

Command = Callable[[Sandbox, Obj], Any]


class JsonResponse(Response):
    """JSON by orjson."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes."""
        return orjson.dumps(content)


def health(sandbox: Sandbox, body: Obj) -> Obj:
    """That the sandbox is up, and what it holds."""
    counts = {
        kind: len(rows)
        for kind, rows in sandbox.store.tables.items()
        if kind not in ("clock", "timer", "idempotency_key")
    }
    return {"status": "ok", "api_version": API_VERSION, "now": sandbox.clock.now(), "objects": counts}


def settings_read(sandbox: Sandbox, body: Obj) -> Obj:
    """The settings."""
    return sandbox.settings.shown()


def settings_change(sandbox: Sandbox, body: Obj) -> Obj:
    """Changes settings by name."""
    sandbox.settings.change(body)
    return sandbox.settings.shown()


def log_read(sandbox: Sandbox, body: Obj) -> Obj:
    """Calls, oldest first; `since` is a time, `path` a beginning, `limit` keeps the last so many."""
    since, path, limit = float(body.get("since", 0)), body.get("path", ""), int(body.get("limit", 10_000))
    rows = [row for row in sandbox.log.entries if row["time"] >= since and row["path"].startswith(path)]
    return {"data": rows[-limit:] if limit else [], "total": len(rows)}


def log_clear(sandbox: Sandbox, body: Obj) -> Obj:
    """Forgets the calls."""
    sandbox.log.clear()
    return {"cleared": True}


def faults_read(sandbox: Sandbox, body: Obj) -> Obj:
    """The plan."""
    return {"data": [fault.shown() for fault in sandbox.faults.plan.values()]}


def faults_add(sandbox: Sandbox, body: Obj) -> Obj:
    """Plans a fault."""
    return sandbox.faults.add(body).shown()


def faults_clear(sandbox: Sandbox, body: Obj) -> Obj:
    """Forgets the plan, or one fault of it by `id`."""
    if body.get("id"):
        return {"deleted": sandbox.faults.plan.pop(body["id"], None) is not None}
    sandbox.faults.clear()
    return {"deleted": True}


def clock_read(sandbox: Sandbox, body: Obj) -> Obj:
    """The time."""
    return {
        "now": sandbox.clock.now(),
        "offset": sandbox.clock.offset,
        "frozen": sandbox.clock.frozen_at is not None,
    }


def clock_advance(sandbox: Sandbox, body: Obj) -> Obj:
    """Moves time forward by `seconds` and runs all that falls due."""
    seconds = float(body["seconds"])
    if seconds < 0:
        raise ValueError("seconds must not be negative")
    return {"fired": sandbox.clock.advance(seconds), **clock_read(sandbox, {})}


def clock_freeze(sandbox: Sandbox, body: Obj) -> Obj:
    """Stops time `at` a moment (now when not said); `{"at": null}` lets it run on."""
    sandbox.clock.freeze(body.get("at", sandbox.clock.now()))
    return clock_read(sandbox, {})


def reset(sandbox: Sandbox, body: Obj) -> Obj:
    """Forgets everything but the settings; `seed` makes the ids that follow repeatable."""
    sandbox.reset()
    if "seed" in body:
        ids.seed(int(body["seed"]))
    return {"reset": True}


COMMANDS: dict[tuple[str, str], Command] = {
    ("GET", "health"): health,
    ("GET", "settings"): settings_read,
    ("POST", "settings"): settings_change,
    ("GET", "log"): log_read,
    ("DELETE", "log"): log_clear,
    ("GET", "faults"): faults_read,
    ("POST", "faults"): faults_add,
    ("DELETE", "faults"): faults_clear,
    ("GET", "clock"): clock_read,
    ("POST", "clock/advance"): clock_advance,
    ("POST", "clock/freeze"): clock_freeze,
    ("POST", "reset"): reset,
    **dashboard.COMMANDS,
    **delivery_control.COMMANDS,
}


def control_app(sandbox: Sandbox) -> Starlette:
    """The control endpoints of a sandbox."""

    async def run(request: Request) -> Response:
        name = request.path_params["name"]
        command = COMMANDS.get((request.method, name))
        body: Obj = dict(request.query_params)
        if command is None:
            name, _, subject = name.rpartition("/")
            command = COMMANDS.get((request.method, name))
            body["id"] = subject
        if command is None:
            return JsonResponse({"error": "no such command", "commands": _listed()}, status_code=404)
        raw = await request.body()
        try:
            body |= orjson.loads(raw) if raw else {}
            result = command(sandbox, body)
            return JsonResponse(await result if isinstance(result, Awaitable) else result)
        except ApiError as error:
            return JsonResponse(error.body(), status_code=error.status)
        except (ValueError, TypeError, KeyError) as error:
            return JsonResponse({"error": f"{type(error).__name__}: {error}"}, status_code=400)

    methods = ["GET", "POST", "DELETE"]
    return Starlette(routes=[Route("/_sandbox/{name:path}", run, methods=methods)])


def _listed() -> list[str]:
    return [f"{method} /_sandbox/{name}" for method, name in COMMANDS]
