"""`expand[]` (docs.stripe.com/api/expanding_objects): ids become objects in the answer, not in the store."""

from typing import Any

from stripe_sandbox import balance, errors
from stripe_sandbox.forms import Obj
from stripe_sandbox.sandbox import Sandbox

DEEPEST = 4
_KINDS = {
    "pi": "payment_intent", "seti": "setup_intent", "ch": "charge", "py": "charge", "re": "refund",
    "pyr": "refund",
    "txn": "balance_transaction", "cus": "customer", "pm": "payment_method", "mandate": "mandate",
    "setatt": "setup_attempt", "dp": "dispute", "pdp": "dispute", "po": "payout",
}  # fmt: skip


def expand(sandbox: Sandbox, obj: Obj, paths: list[str]) -> Obj:
    """A copy of the answer with the named paths expanded."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEEPEST:
            raise errors.invalid("You cannot expand more than 4 levels of a property", param="expand")
        obj = _expand(sandbox, obj, steps, path)
    return obj


def _expand(sandbox: Sandbox, value: Any, steps: list[str], path: str) -> Any:
    if not steps or value is None:
        return value
    if isinstance(value, list):
        return [_expand(sandbox, item, steps, path) for item in value]
    name = steps[0]
    if not isinstance(value, dict) or name not in value:
        if isinstance(value, dict) and value.get("object") == "list":
            return value
        raise errors.invalid(f"This property cannot be expanded ({path}).", param="expand")
    child = value[name]
    if isinstance(child, str):
        child = _object_of(sandbox, child, path)
    return {**value, name: _expand(sandbox, child, steps[1:], path)}


def _object_of(sandbox: Sandbox, object_id: str, path: str) -> Any:
    kind = _KINDS.get(object_id.split("_")[0])
    if kind is None:
        if object_id.startswith("ba_"):
            return object_id
        raise errors.invalid(f"This property cannot be expanded ({path}).", param="expand")
    found = sandbox.store.find(kind, object_id)
    if found and kind == "balance_transaction":
        balance.refresh(sandbox, found)
    return found or object_id
