"""Idempotency keys (docs.stripe.com/api/idempotent_requests): the first outcome is kept for 24 hours, a 500
too; nothing is kept when validation refused the call or another call with the key was running."""

import hashlib
from dataclasses import dataclass

from stripe_sandbox import errors
from stripe_sandbox.clock import Clock
from stripe_sandbox.errors import ApiError
from stripe_sandbox.forms import Obj
from stripe_sandbox.store import Store

KEPT_SECONDS = 24 * 3600
LONGEST_KEY = 255
KIND = "idempotency_key"


@dataclass(slots=True)
class Kept:
    """What a key stands for; `body` is None while the first call runs."""

    fingerprint: str
    since: float
    status: int = 0
    body: bytes | None = None
    request_id: str = ""


class IdempotencyKeys:
    """Keys by value, on the sandbox's clock; a finished call's key is journaled, so a restart keeps it."""

    def __init__(self, clock: Clock, store: Store) -> None:
        self.clock = clock
        self.store = store
        self._kept: dict[str, Kept] = {}
        for row in store.table(KIND).values():
            body = row["body"].encode()
            self._kept[row["id"]] = Kept(row["fingerprint"], row["since"], row["status"], body, row["request_id"])

    def begin(self, key: str, fingerprint: str, request_id: str) -> Kept | None:
        """The kept outcome to replay, or None when the call shall run; raises for a misused key.

        Keys belong to an API key: `key` is `<api key>:<idempotency key>`.
        """
        if len(_bare(key)) > LONGEST_KEY:
            raise errors.invalid("The Idempotency-Key must be at most 255 characters.", param="idempotency_key")
        fingerprint = hashlib.sha256(fingerprint.encode()).hexdigest()
        kept = self._kept.get(key)
        if kept is None or kept.since < self.clock.now() - KEPT_SECONDS:
            self._kept[key] = Kept(fingerprint, self.clock.now(), request_id=request_id)
            return None
        if kept.fingerprint != fingerprint:
            raise _other_parameters(_bare(key))
        if kept.body is None:
            raise _still_running(_bare(key))
        return kept

    def finish(self, key: str, status: int, body: bytes) -> None:
        """Keeps the outcome."""
        kept = self._kept.get(key)
        if kept:
            kept.status, kept.body = status, body
            if self.store.path:
                self.store.save(_row(key, kept), kind=KIND)

    def release(self, key: str) -> None:
        """Forgets a key whose call never began to execute."""
        self._kept.pop(key, None)

    def clear(self) -> None:
        """Forgets all keys."""
        self._kept.clear()


def _row(key: str, kept: Kept) -> Obj:
    return {
        "id": key,
        "fingerprint": kept.fingerprint,
        "since": kept.since,
        "status": kept.status,
        "body": (kept.body or b"").decode(),
        "request_id": kept.request_id,
    }


def _bare(key: str) -> str:
    return key.partition(":")[2]


def _other_parameters(key: str) -> ApiError:
    message = (
        "Keys for idempotent requests can only be used with the same parameters they were first used with. "
        f"Try using a key other than '{key}' if you meant to execute a different request."
    )
    return ApiError(400, {"type": "idempotency_error", "message": message})


def _still_running(key: str) -> ApiError:
    message = (
        f"There is currently another in-progress request using this Idempotent Key ({key}). Please try again later."
    )
    code = "idempotency_key_in_use"
    error = {"type": "idempotency_error", "code": code, "message": message, "doc_url": errors.doc_url(code)}
    return ApiError(409, error)
