"""The place where files lie: a folder outside everything that is served, under names drawn at random (FAULTS K15).

Two files for one that is held: what will be served, and what the member sent (`.sent`), which is scanned too and then
dropped. The folder is one for all machines of an installation: a shared volume.
"""

import os
import secrets
from pathlib import Path

from django.conf import settings

PRIVATE = 0o600


def draw_name() -> str:
    """A name that nobody can guess."""
    return secrets.token_hex(32)


def path_of(name: str, *, sent: bool = False) -> Path:
    """Where a file lies."""
    return Path(settings.UPLOADS_DIR) / name[:2] / f"{name}{'.sent' if sent else ''}"


def write(name: str, content: bytes, *, sent: bool = False) -> None:
    """Write a new file, readable by the portal alone; never over another."""
    path = path_of(name, sent=sent)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def drop(name: str) -> None:
    """Delete a file in both its forms; one that is gone is fine."""
    drop_sent(name)
    path_of(name).unlink(missing_ok=True)


def drop_sent(name: str) -> None:
    """Delete what the member sent, once it was scanned."""
    path_of(name, sent=True).unlink(missing_ok=True)
