"""The HTTP side: one ASGI application that authenticates, applies faults and idempotency, runs the handler
in one step, and answers as Stripe does."""

from __future__ import annotations

import asyncio
import base64
import time
from contextlib import suppress
from typing import Any

import orjson
from starlette.types import Message, Receive, Scope, Send

from stripe_sandbox import (
    API_VERSION,
    errors,
    event_queries,
    expansion,
    faults,
    forms,
    ids,
    microdeposits,
    payment_intents,
    payouts,
    routing,
    setup_intents,
)
from stripe_sandbox.control import control_app
from stripe_sandbox.errors import ApiError
from stripe_sandbox.faults import Fault
from stripe_sandbox.pages import page_app
from stripe_sandbox.request_log import without_digits
from stripe_sandbox.routing import Call, Route
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.timers import register_timers

ENDPOINTS = (event_queries, microdeposits, payment_intents, payouts, setup_intents)
"""The modules whose import registers their routes; the others are imported by these."""

LARGEST_BODY = 1 << 20
CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, HEAD, POST, DELETE, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, stripe-version, idempotency-key"),
    (b"access-control-expose-headers", b"Request-Id, Stripe-Should-Retry"),
    (b"access-control-max-age", b"300"),
]
LOST = frozenset({"timeout_before", "timeout_after", "drop_connection_before", "drop_after"})


class Answer:
    """What is sent back, and whether it is sent at all."""

    __slots__ = ("body", "extra", "outcome", "status")

    def __init__(self, status: int, body: bytes, *, outcome: str = "answered", **extra: str) -> None:
        self.status, self.body, self.outcome = status, body, outcome
        self.extra = [(name.replace("_", "-").encode(), value.encode()) for name, value in extra.items()]


class Application:
    """`/v1/` is the API, `/v3/` the script and its frames, `/_sandbox/` the controls."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.control = control_app(sandbox)
        self.pages = page_app(sandbox)
        self._ticker: asyncio.Task[None] | None = None
        register_timers(sandbox)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["path"].startswith("/v1/"):
            await self._api(scope, receive, send)
        elif scope["path"].startswith("/_sandbox/"):
            await self.control(scope, receive, send)
            self.after_step()
        else:
            await self.pages(scope, receive, send)
            self.after_step()

    def after_step(self) -> None:
        """Fires what is due, journals what changed, sends what is queued."""
        self.sandbox.clock.fire_due()
        self.sandbox.store.commit()
        self.sandbox.webhooks.pump()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._ticker = asyncio.create_task(self._tick())
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if self._ticker:
                    self._ticker.cancel()
                self.sandbox.store.commit()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            self.after_step()

    async def _api(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.time()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["method"] == "OPTIONS":
            await _send(send, Answer(204, b""), [])
            return
        body = await _read(receive)
        call = Call(scope["method"], scope["path"], {}, headers=headers, request_id=ids.new("req"))
        call.idempotency_key = headers.get("idempotency-key")
        fault: Fault | None = None
        try:
            if body is None:
                raise ApiError(413, {"type": "invalid_request_error", "message": "Request too large."})
            query = scope["query_string"].decode("latin-1")
            text = body.decode() if body else ""
            call.sent = call.params = forms.parse(f"{query}&{text}" if query and text else query or text)
            route = self._authorised_route(call)
            fault = self.sandbox.faults.take(call.method, call.path, call.params)
            answer = await self._answer(call, route, fault, text)
        except ApiError as error:
            answer = _error_answer(error)
        except (UnicodeDecodeError, ValueError):
            answer = _error_answer(errors.invalid("Invalid request: the body is not a form."))
        if fault and fault.effect in LOST:
            answer.outcome = fault.effect
        self._log(call, answer, started, fault)
        if answer.outcome in LOST:
            await self._lose(answer.outcome, receive, send)
            return
        common = [
            (b"request-id", call.request_id.encode()), (b"stripe-version", API_VERSION.encode()), *CORS[:2],
            CORS[3],
        ]  # fmt: skip
        if call.idempotency_key:
            common.append((b"idempotency-key", call.idempotency_key.encode("latin-1", "replace")))
        await _send(send, answer, common)

    def _authorised_route(self, call: Call) -> Route:
        key = _api_key(call)
        settings = self.sandbox.settings
        if not key:
            message = (
                "You did not provide an API key. You need to provide your API key in the Authorization "
                "header, using "
                "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
            )
            raise ApiError(401, {"type": "invalid_request_error", "message": message})
        call.public = key.startswith(settings.publishable_key_prefix)
        if not call.public and not key.startswith(settings.secret_key_prefix):
            message = f"Invalid API Key provided: {key[:8]}{'*' * 8}{key[-4:]}"
            raise ApiError(401, {"type": "invalid_request_error", "message": message})
        found = routing.resolve(call.method, call.path)
        if found is None:
            message = f"Unrecognized request URL ({call.method}: {call.path})."
            raise ApiError(404, {"type": "invalid_request_error", "message": message})
        route, call.path_ids = found
        if call.public and not route.public:
            message = "This API call cannot be made with a publishable API key. Please use a secret API key."
            code = "secret_key_required"
            raise ApiError(401, {"type": "invalid_request_error", "code": code, "message": message})
        if self.sandbox.rate_limit.exceeded(call.method, call.path):
            raise faults.too_many(lock=False)
        return route

    async def _answer(self, call: Call, route: Route, fault: Fault | None, text: str) -> Answer:
        refusal = faults.refusal(fault) if fault else None
        if fault and fault.effect in ("timeout_before", "drop_connection_before"):
            return Answer(0, b"", outcome=fault.effect)
        key = call.idempotency_key if call.method == "POST" else None
        scoped = f"{_api_key(call)}:{key}"
        if key:
            if refusal and not refusal.executed:
                raise refusal
            kept = self.sandbox.idempotency.begin(scoped, f"{call.path}?{text}", call.request_id)
            if kept:
                return Answer(
                    kept.status, kept.body or b"", outcome="replayed", idempotent_replayed="true",
                    original_request=kept.request_id, stripe_should_retry="false",
                )  # fmt: skip
        try:
            await self._wait(fault)
            if refusal:
                raise refusal
            answer = self._execute(call, route, fault)
        except ApiError as error:
            answer = _error_answer(error)
            if key and not error.executed:
                self.sandbox.idempotency.release(scoped)
                return answer
        if fault and fault.effect == "status_500_after":
            answer = _error_answer(faults.server_error())
        if key:
            self.sandbox.idempotency.finish(scoped, answer.status, answer.body)
        return answer

    async def _wait(self, fault: Fault | None) -> None:
        milliseconds = self.sandbox.settings.latency_ms
        if fault and fault.effect == "latency_ms":
            milliseconds += int(fault.value or 0)
        if milliseconds:
            await asyncio.sleep(milliseconds / 1000)

    def _execute(self, call: Call, route: Route, fault: Fault | None) -> Answer:
        route.check(call.params)
        if fault and fault.effect == "decline":
            call.forced_decline = str(fault.value)
        events = self.sandbox.events
        events.request_id, events.idempotency_key = call.request_id, call.idempotency_key
        try:
            result = route.handler(self.sandbox, call)
            paths = forms.words(call.params, "expand")
            if paths:
                result = expansion.expand(self.sandbox, result, paths)
            if fault and fault.effect == "unknown_status":
                result = {
                    **result,
                    "status": fault.value or "requires_something_new",
                    "sandbox_new_field": {"a": 1},
                }
            return Answer(200, orjson.dumps(result))
        finally:
            events.request_id = events.idempotency_key = None
            self.after_step()

    def _log(self, call: Call, answer: Answer, started: float, fault: Fault | None) -> None:
        self.sandbox.log.add({
            "time": started, "sandbox_time": self.sandbox.clock.now(), "method": call.method,
            "path": call.path,
            "params": without_digits(call.sent), "idempotency_key": call.idempotency_key,
            "request_id": call.request_id,
            "outcome": answer.outcome, "status": answer.status, "fault": fault.effect if fault else None,
            "object": _object_id(answer.body), "public": call.public,
            "seconds": round(time.time() - started, 6),
        })  # fmt: skip

    async def _lose(self, effect: str, receive: Receive, send: Send) -> None:
        if effect.startswith("timeout"):
            with suppress(TimeoutError):
                async with asyncio.timeout(self.sandbox.settings.hang_seconds):
                    while (await receive())["type"] != "http.disconnect":
                        pass
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                while (await receive())["type"] != "http.disconnect":
                    pass


def _object_id(body: bytes) -> str | None:
    start = body.find(b'"id":"', 0, 40)
    return body[start + 6 : body.index(b'"', start + 6)].decode() if start >= 0 else None


def _error_answer(error: ApiError) -> Answer:
    extra: dict[str, str] = {}
    if error.status == 429:
        locked = error.error["code"] == "lock_timeout"
        extra = {"stripe_should_retry": "true"} if locked else {"stripe_rate_limited_reason": "endpoint-rate"}
    if error.status >= 500:
        extra = {"stripe_should_retry": "false"}
    return Answer(error.status, orjson.dumps(error.body()), **extra)


def _api_key(call: Call) -> str:
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        with suppress(ValueError):
            return base64.b64decode(value).decode("latin-1").partition(":")[0]
    key = call.params.get("key")
    return key if isinstance(key, str) and key.startswith("pk_") else ""


async def _read(receive: Receive) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        part: Any = message.get("body", b"")
        size += len(part)
        if size > LARGEST_BODY:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def _send(send: Send, answer: Answer, common: list[tuple[bytes, bytes]]) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer.body)).encode())]
    headers += [(b"cache-control", b"no-cache, no-store"), *common, *answer.extra]
    if answer.status == 204:
        headers = [*CORS]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def build(sandbox: Sandbox) -> Application:
    """The application for a sandbox."""
    return Application(sandbox)
