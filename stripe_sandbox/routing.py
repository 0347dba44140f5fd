"""Which function answers which call. Handlers are plain functions: they run to their end in one step of the
event loop, so an effect happens whole, even when the client has hung up."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stripe_sandbox import errors
from stripe_sandbox.forms import Obj

if TYPE_CHECKING:
    from stripe_sandbox.sandbox import Sandbox

Handler = Callable[["Sandbox", "Call"], Obj]

ALWAYS = frozenset({"expand", "key", "_stripe_account"})


@dataclass(slots=True)
class Call:
    """One API call: what the client sent, and what a fault asks of it."""

    method: str
    path: str
    params: Obj
    sent: Obj = field(default_factory=dict)
    public: bool = False
    idempotency_key: str | None = None
    request_id: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    forced_decline: str | None = None
    forced_status: str | None = None
    path_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """A handler with the top-level parameters it knows; others are refused, as Stripe refuses them."""

    handler: Handler
    accepts: frozenset[str]
    public: bool
    pattern: re.Pattern[str]

    def check(self, params: Obj) -> None:
        """Raises `parameter_unknown` for a name the endpoint does not have."""
        for name in params:
            if name not in self.accepts and name not in ALWAYS:
                raise errors.parameter_unknown(name)


_exact: dict[tuple[str, str], Route] = {}
_patterns: dict[tuple[str, int], list[Route]] = {}


def route(method: str, path: str, accepts: str = "", *, public: bool = False) -> Callable[[Handler], Handler]:
    """Registers a handler; `{}` in the path takes an id; `public` lets a publishable key with a client
    secret in."""

    def register(handler: Handler) -> Handler:
        pattern = re.compile("^" + path.replace("{}", "([^/]+)") + "$")
        entry = Route(handler, frozenset(accepts.split()), public, pattern)
        if "{}" in path:
            _patterns.setdefault((method, path.count("/")), []).append(entry)
        else:
            _exact[(method, path)] = entry
        return handler

    return register


def resolve(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """The route of a call and the ids in its path."""
    exact = _exact.get((method, path))
    if exact:
        return exact, ()
    for entry in _patterns.get((method, path.count("/")), ()):
        match = entry.pattern.match(path)
        if match:
            return entry, match.groups()
    return None
