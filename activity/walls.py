"""What the database refuses about the record of what happened (FAULTS N02)."""

import pgtrigger

from billing_portal.triggers import Trigger

_REFUSE = "RAISE EXCEPTION 'the record of what happened is append-only' USING ERRCODE = 'restrict_violation';"

_KEPT = Trigger(
    name="kept",
    level=pgtrigger.Statement,
    when=pgtrigger.Before,
    operation=pgtrigger.Delete | pgtrigger.Truncate,
    func=_REFUSE,
)

EVENT_WALLS = [
    _KEPT,
    Trigger(
        name="only_processed_once",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition(
            "OLD.processed_at IS NOT NULL OR (to_jsonb(NEW) - 'processed_at') IS DISTINCT FROM"
            " (to_jsonb(OLD) - 'processed_at')"
        ),
        func=_REFUSE,
    ),
]

ACCESS_WALLS = [
    _KEPT,
    Trigger(
        name="unchanged",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        func=_REFUSE,
    ),
]
