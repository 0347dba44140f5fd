"""Every kind of notice in one table: what it is called, which events make it, whom it is told to, and by which rules.

To add a kind: one row in the module of its topic, and three templates in `templates/mail/<name>/` (subject.txt,
body.txt, body.html). Nothing else: events, preferences, the in-app list, sending and the tests read this table.
"""

from notifications.kinds import (
    assistance,
    autopay,
    bills,
    coverage,
    family,
    household,
    methods,
    payments,
    plans,
    security,
    statements,
    summaries,
    support,
)
from notifications.kinds.kind import Bill, Kind, Topic

__all__ = ["KINDS", "REMINDERS", "Bill", "Kind", "Topic", "by_event"]

MODULES = (
    bills,
    plans,
    coverage,
    payments,
    autopay,
    methods,
    family,
    household,
    assistance,
    security,
    summaries,
    support,
    statements,
)
KINDS: dict[str, Kind] = {kind.name: kind for module in MODULES for kind in module.KINDS}


def by_event() -> dict[str, tuple[Kind, ...]]:
    """Which kinds each event makes."""
    events = sorted({event for kind in KINDS.values() for event in kind.events})
    return {event: tuple(kind for kind in KINDS.values() if event in kind.events) for event in events}


REMINDERS = tuple(kind for kind in KINDS.values() if kind.days is not None)
