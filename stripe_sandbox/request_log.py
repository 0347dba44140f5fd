"""Every API call, for an oracle to read: what was asked, what was answered, and whether it was heard."""

from collections import deque
from pathlib import Path
from typing import IO

import orjson

from stripe_sandbox.forms import Obj

KEPT = 200_000
HIDDEN = frozenset({"number", "cvc", "account_number"})


def without_digits(params: Obj) -> Obj:
    """The parameters with card and account numbers taken out, for they are nobody's business, even here."""
    shown: Obj = {}
    for name, value in params.items():
        if name in HIDDEN:
            shown[name] = "[hidden]"
        else:
            shown[name] = without_digits(value) if isinstance(value, dict) else value
    return shown


class RequestLog:
    """The last calls in memory, all of them in `requests.jsonl` when there is a directory."""

    def __init__(self, directory: Path | None) -> None:
        self.entries: deque[Obj] = deque(maxlen=KEPT)
        self._file: IO[bytes] | None = None
        if directory:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = (directory / "requests.jsonl").open("ab")

    def add(self, entry: Obj) -> None:
        """Keeps one call."""
        self.entries.append(entry)
        if self._file:
            self._file.write(orjson.dumps(entry) + b"\n")
            self._file.flush()

    def clear(self) -> None:
        """Forgets the calls in memory and in the file."""
        self.entries.clear()
        if self._file:
            self._file.truncate(0)
