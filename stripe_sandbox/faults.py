"""Faults on command. A fault matches calls and changes what becomes of them, a counted number of times.

"before" means nothing was done, "after" means it was done and the reply was lost or spoiled.
"""

import re
from dataclasses import dataclass, field

from stripe_sandbox import ids
from stripe_sandbox.errors import ApiError
from stripe_sandbox.forms import Obj

EFFECTS = (
    "timeout_before", "timeout_after", "drop_connection_before", "drop_after", "status_500_before",
    "status_500_after", "status_429", "status_409", "status_401", "status_403", "parameter_invalid",
    "latency_ms", "unknown_status", "decline",
)  # fmt: skip
SYNONYMS = {"drop_before": "drop_connection_before", "drop_connection_after": "drop_after"}


@dataclass(slots=True)
class Fault:
    """One planned fault: `nth` (from 1) skips earlier matches, `times` limits the effect (None: until
    deleted)."""

    id: str
    effect: str
    method: str | None = None
    path: re.Pattern[str] | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    nth: int = 1
    times: int | None = 1
    value: str | int | None = None
    seen: int = 0
    fired: int = 0
    spec: Obj = field(default_factory=dict)

    def matches(self, method: str, path: str, params: Obj) -> bool:
        """Whether the fault speaks of this call."""
        if self.times is not None and self.fired >= self.times:
            return False
        if self.method and self.method != method:
            return False
        if self.path and not self.path.match(path):
            return False
        sent = params.get("metadata")
        return not self.metadata or (
            isinstance(sent, dict) and all(sent.get(key) == value for key, value in self.metadata.items())
        )

    def shown(self) -> Obj:
        """The fault as its plan, with its counts."""
        return {"id": self.id, **self.spec, "seen": self.seen, "fired": self.fired}


class Faults:
    """The plan, in the order it was given; the first that matches takes the call."""

    def __init__(self) -> None:
        self.plan: dict[str, Fault] = {}

    def add(self, spec: Obj) -> Fault:
        """Adds a fault from its JSON; raises ValueError for one that makes no sense."""
        effect, value = spec.get("effect"), spec.get("value")
        if isinstance(effect, dict) and len(effect) == 1:
            effect, value = next(iter(effect.items()))
        effect = SYNONYMS.get(str(effect), str(effect))
        if effect not in EFFECTS:
            raise ValueError(f"effect must be one of {', '.join(EFFECTS)}")
        if effect in ("latency_ms", "decline") and value is None:
            raise ValueError(f"{effect} needs a value")
        match = spec.get("match") or {}
        path = match.get("path")
        pattern = re.compile(path) if path else None
        fault = Fault(
            id=ids.new("fault"), effect=effect, method=match.get("method"), path=pattern,
            metadata=match.get("metadata") or {}, nth=int(match.get("nth") or 1), times=spec.get("times", 1),
            value=value, spec=spec,
        )  # fmt: skip
        self.plan[fault.id] = fault
        return fault

    def take(self, method: str, path: str, params: Obj) -> Fault | None:
        """The fault for a call, counted as fired; None when none applies."""
        for fault in self.plan.values():
            if fault.matches(method, path, params):
                fault.seen += 1
                if fault.seen >= fault.nth:
                    fault.fired += 1
                    return fault
        return None

    def clear(self) -> None:
        """Forgets the plan."""
        self.plan.clear()


def refusal(fault: Fault) -> ApiError | None:
    """The error answered before anything is executed, for the effects that are one."""
    if fault.effect == "status_500_before":
        return server_error()
    if fault.effect == "status_429":
        return too_many(lock=fault.value == "lock_timeout")
    if fault.effect == "status_409":
        message = "There is currently another in-progress request using this Idempotent Key. Please try again later."
        error = {"type": "idempotency_error", "code": "idempotency_key_in_use", "message": message}
        return ApiError(409, error)
    if fault.effect == "status_401":
        return ApiError(401, {"type": "invalid_request_error", "message": "Expired API Key provided: sk_test_***"})
    if fault.effect == "status_403":
        message = "The provided key does not have the required permissions for this endpoint."
        return ApiError(403, {"type": "invalid_request_error", "message": message})
    if fault.effect == "parameter_invalid":
        code = "parameter_unknown" if fault.value == "parameter_unknown" else "parameter_invalid_empty"
        name = "amount" if code == "parameter_invalid_empty" else "confirmation_token"
        message = f"Received unknown parameter: {name}" if code == "parameter_unknown" else f"Invalid {name}"
        return ApiError(400, {"type": "invalid_request_error", "code": code, "param": name, "message": message})
    return None


def server_error() -> ApiError:
    """Stripe's 500; an idempotency key keeps it."""
    message = "An unknown error occurred. We have been notified of the problem."
    return ApiError(500, {"type": "api_error", "message": message}, executed=True)


def too_many(*, lock: bool) -> ApiError:
    """Stripe's 429 (docs.stripe.com/rate-limits): the limiter, or an object locked by another call."""
    if lock:
        code = "lock_timeout"
        message = (
            "This object cannot be accessed right now because another API request or Stripe process is "
            "currently "
            "accessing it."
        )
    else:
        code = "rate_limit"
        message = "Request rate limit exceeded. Learn more about rate limits at https://stripe.com/docs/rate-limits."
    return ApiError(429, {"type": "invalid_request_error", "code": code, "message": message})
