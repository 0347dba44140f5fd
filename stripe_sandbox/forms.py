"""Form bodies with nested brackets, as Stripe's clients send them, and their typed reading.

`a[b][0]=x` becomes `{"a": {"b": ["x"]}}`; an empty string unsets (docs.stripe.com/api/metadata).
"""

from typing import Any
from urllib.parse import parse_qsl

from stripe_sandbox import errors

Obj = dict[str, Any]

MAX_FIELDS = 2000
MAX_DEPTH = 8


def parse(body: str) -> Obj:
    """The nested dictionary of a form body or query string."""
    root: Obj = {}
    pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    for name, value in pairs:
        if "[" not in name:
            root[name] = value
            continue
        head, *rest = name.split("[")
        keys = [head, *(part.rstrip("]") for part in rest)]
        if len(keys) > MAX_DEPTH:
            raise errors.invalid(f"Too deeply nested: {head}", param=head)
        _place(root, keys, value)
    return {name: _lists(value) for name, value in root.items()}


def _place(node: Obj, keys: list[str], value: str) -> None:
    for key in keys[:-1]:
        child = node.get(key)
        if not isinstance(child, dict):
            child = node[key] = {}
        node = child
    last = keys[-1] or str(len(node))
    node[last] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(item) for key, item in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def integer(params: Obj, name: str, *, default: int | None = None) -> int | None:
    """An integer parameter, or the default; `parameter_invalid_integer` for anything else."""
    if name not in params:
        return default
    value = params[name]
    digits = value[1:] if isinstance(value, str) and value.startswith("-") else value
    if not isinstance(value, str) or not digits.isascii() or not digits.isdigit() or len(digits) > 15:
        raise errors.bad_integer(name, value)
    return int(value)


def flag(params: Obj, name: str, *, default: bool = False) -> bool:
    """A boolean parameter: the words `true` and `false`."""
    value = params.get(name)
    if value is None:
        return default
    if value not in ("true", "false"):
        raise errors.invalid(f"Invalid boolean: {value}", param=name)
    return bool(value == "true")


def text(params: Obj, name: str, *, longest: int = 5000) -> str | None:
    """A string parameter; an empty one means unset."""
    value = params.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise errors.invalid(f"Invalid string: {value}", param=name)
    if len(value) > longest:
        raise errors.invalid(
            f"Invalid string: must be at most {longest} characters",
            code="parameter_invalid_string_maximum",
            param=name,
        )
    return value


def required_text(params: Obj, name: str) -> str:
    """A string parameter that must be there."""
    if name not in params:
        raise errors.parameter_missing(name)
    value = text(params, name)
    if value is None:
        raise errors.invalid(f"You passed an empty string for '{name}'.", code="parameter_invalid_empty", param=name)
    return value


def choice(params: Obj, name: str, allowed: tuple[str, ...], *, default: str | None = None) -> str | None:
    """One of the named words."""
    value = text(params, name)
    if value is None:
        return default
    if value not in allowed:
        wanted = ", ".join(allowed[:-1]) + (" or " if len(allowed) > 1 else "") + allowed[-1]
        raise errors.invalid(f"Invalid {name}: must be one of {wanted}", param=name)
    return value


def hash_of(params: Obj, name: str) -> Obj:
    """A nested parameter, or an empty dictionary."""
    value = params.get(name)
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise errors.invalid(f"Invalid object: {name}", param=name)
    return value


def words(params: Obj, name: str) -> list[str] | None:
    """A list of strings, or None."""
    value = params.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise errors.invalid("Invalid array", code="parameter_invalid", param=name)
    return value


def merged_metadata(old: Obj, params: Obj) -> Obj:
    """Metadata after an update: keys are merged, an empty value deletes; 50 keys of 40, values of 500
    characters."""
    if params.get("metadata") == "":
        return {}
    merged = dict(old)
    for key, value in hash_of(params, "metadata").items():
        if not isinstance(value, str) or len(value) > 500 or len(key) > 40:
            raise errors.invalid(f"Metadata values must be strings of at most 500 characters: {key}", param="metadata")
        if value == "":
            merged.pop(key, None)
        else:
            merged[key] = value
    if len(merged) > 50:
        raise errors.invalid("Metadata can have up to 50 keys", param="metadata")
    return merged
