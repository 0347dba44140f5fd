"""One start at a time, however many processes find a server missing at the same moment."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def one_at_a_time(data_dir: Path) -> Iterator[None]:
    """Hold the lock beside `data_dir` while its server is looked for and started."""
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    with (data_dir.parent / f".{data_dir.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
