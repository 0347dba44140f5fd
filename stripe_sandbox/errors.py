"""Stripe's error objects (docs.stripe.com/api/errors, docs.stripe.com/error-codes)."""

from typing import Any, NoReturn


class ApiError(Exception):
    """An answer other than 2xx. `executed` says whether idempotency keeps it: Stripe stores the outcome once
    execution began, and nothing when validation refused it (docs.stripe.com/api/idempotent_requests)."""

    def __init__(self, status: int, error: dict[str, Any], *, executed: bool = False) -> None:
        super().__init__(error.get("message", ""))
        self.status = status
        self.error = error
        self.executed = executed

    def body(self) -> dict[str, Any]:
        """The JSON answered."""
        return {"error": self.error}


def invalid(message: str, *, code: str | None = None, param: str | None = None, **extra: Any) -> ApiError:
    """A 400 `invalid_request_error`; nothing was executed."""
    return ApiError(400, _error("invalid_request_error", message, code=code, param=param, **extra))


def refused(
    message: str, *, code: str | None = None, param: str | None = None, intent: dict[str, Any] | None = None
) -> ApiError:
    """A 400 raised by the object's own state, an intent's perhaps: execution had begun."""
    error = _error("invalid_request_error", message, code=code, param=param)
    if intent:
        error[intent["object"]] = intent
    return ApiError(400, error, executed=True)


def missing(kind: str, object_id: str, *, param: str = "id", status: int = 404) -> ApiError:
    """`resource_missing`: 404 for the object in the path, 400 for one named in a parameter."""
    error = _error("invalid_request_error", f"No such {kind}: '{object_id}'", code="resource_missing", param=param)
    return ApiError(status, error)


def declined(message: str, *, code: str, **extra: Any) -> ApiError:
    """A 402 `card_error`; used for banks too."""
    return ApiError(402, _error("card_error", message, code=code, **extra), executed=True)


def parameter_missing(name: str) -> ApiError:
    """`parameter_missing`, in Stripe's words."""
    return invalid(f"Missing required param: {name}.", code="parameter_missing", param=name)


def parameter_unknown(name: str) -> ApiError:
    """`parameter_unknown`, in Stripe's words."""
    return invalid(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def bad_integer(name: str, value: Any) -> ApiError:
    """`parameter_invalid_integer`, in Stripe's words."""
    return invalid(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)


def doc_url(code: str) -> str:
    """The page that explains an error code."""
    return f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"


def _error(kind: str, message: str, *, code: str | None, **extra: Any) -> dict[str, Any]:
    error: dict[str, Any] = {"type": kind, "message": message}
    if code:
        error["code"] = code
        error["doc_url"] = doc_url(code)
    error.update({name: value for name, value in extra.items() if value is not None})
    return error


def unsupported(what: str) -> NoReturn:
    """Says plainly that the sandbox, unlike Stripe, does not do this."""
    raise invalid(f"stripe_sandbox does not support {what}.", code="sandbox_unsupported")
