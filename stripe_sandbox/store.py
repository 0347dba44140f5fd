"""The objects, in memory, and the append-only journal that lets the next start find them again.

One process and one thread of asyncio touch this, so there are no locks. `facts` holds what Stripe knows but
does not show (how a test card behaves, which payout took a transaction), by object id.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import orjson

from stripe_sandbox.forms import Obj


class Store:
    """Tables of objects by kind and id, in the order they were made."""

    def __init__(self, directory: Path | None = None) -> None:
        self.tables: dict[str, dict[str, Obj]] = {}
        self.facts: dict[str, Obj] = {}
        self._changed: dict[tuple[str, str], None] = {}
        self._journal: IO[bytes] | None = None
        self.path = directory / "objects.jsonl" if directory else None
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._reload(self.path)
            self._journal = self.path.open("ab")

    def table(self, kind: str) -> dict[str, Obj]:
        """All objects of a kind, oldest first."""
        return self.tables.setdefault(kind, {})

    def save(self, obj: Obj, *, kind: str | None = None) -> Obj:
        """Keeps an object, new or changed; it is journaled by the next `commit`."""
        kind = kind or obj["object"]
        self.table(kind)[obj["id"]] = obj
        if self._journal:
            self._changed[(kind, obj["id"])] = None
        return obj

    def remove(self, kind: str, object_id: str) -> None:
        """Forgets an object."""
        if self.table(kind).pop(object_id, None) is not None and self._journal:
            self._changed[(kind, object_id)] = None

    def find(self, kind: str, object_id: str) -> Obj | None:
        """The object, or None."""
        return self.table(kind).get(object_id)

    def note(self, object_id: str, **facts: object) -> None:
        """Adds facts that are not shown."""
        self.facts.setdefault(object_id, {}).update(facts)
        if self._journal:
            self._changed[("", object_id)] = None

    def fact(self, object_id: str, name: str) -> object:
        """One such fact, or None."""
        return self.facts.get(object_id, {}).get(name)

    def newest_first(self, kind: str) -> Iterator[Obj]:
        """Stripe's order of every list."""
        return reversed(self.table(kind).values())

    def commit(self) -> None:
        """Writes what changed since the last call to the journal, one line an object."""
        if not self._changed or not self._journal:
            return
        lines = []
        for kind, object_id in self._changed:
            value = self.table(kind).get(object_id) if kind else self.facts.get(object_id)
            lines.append(orjson.dumps([kind, object_id, value]))
        self._changed.clear()
        self._journal.write(b"\n".join(lines) + b"\n")
        self._journal.flush()

    def clear(self) -> None:
        """Forgets everything, in the journal too."""
        self.tables.clear()
        self.facts.clear()
        self._changed.clear()
        if self._journal:
            self._journal.truncate(0)

    def _reload(self, path: Path) -> None:
        if not path.exists():
            return
        whole = 0
        with path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                kind, object_id, value = orjson.loads(line)
                if not kind:
                    self.facts[object_id] = value
                elif value is None:
                    self.table(kind).pop(object_id, None)
                else:
                    self.table(kind)[object_id] = value
        os.truncate(path, whole)
