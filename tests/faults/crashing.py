"""The crash points of FAULTS.md, P1 to P11: `kill -9` of oneself, where the plan has armed it.

Loaded by `tests.faults.web` and `tests.faults.worker` alone; the product knows nothing of it. A point is armed by a
file that is named for it; who removes the file dies, so each armed point kills once.
"""

import functools
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ledger
from activity import doorbell
from notifications import line
from payments import checkout, gateway, moving, refunds, settlement, settlement_batches, sweeping, webhooks

FOLDER = Path(os.environ["FAULTS_CRASH_DIR"])
CALL_SECONDS = 0.15  # how long after its start a call to the provider is cut by P3 and P4
_handling = threading.local()


def die_at(point: str, role: str) -> None:
    """End this process by SIGKILL where the point is armed for it."""
    if _take(point, role):
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)  # the signal is on its way


def _take(point: str, role: str) -> bool:
    try:
        (FOLDER / f"{role}-{point}").unlink()
    except FileNotFoundError:
        return False
    with (FOLDER / "log").open("a") as log:
        log.write(f"{role} {point}\n")
    return True


def install(role: str) -> None:
    """Put every crash point of a role in its place."""
    die = functools.partial(die_at, role=role)
    for name in ("charge", "refund"):
        _wrap(gateway, name, before=lambda: (die("P2"), _cut_the_call(role)))
    _wrap(settlement, "apply", before=lambda: die("P5"))
    _wrap(settlement_batches, "settle", before=lambda: die("P5"))
    _wrap(refunds, "apply", before=lambda: die("P5"))
    _wrap(doorbell, "_send", before=lambda: die("P6"), after=(lambda: die("P7")) if role == "web" else None)
    _split_of_allocations(die)
    if role == "web":
        _wrap(checkout, "_submit", before=lambda: die("P1"))
        _wrap(gateway, "verify_event", after=lambda: die("P8"))
        _wrap(webhooks, "receive", after=lambda: die("P9"))
    else:
        _wrap(sweeping, "resolve", before=lambda: die("P1"))
        _wrap(webhooks, "handle", before=_now_handling, after=lambda: die("P9"))
        _wrap(line.Line, "send", after=lambda: die("P11"))
        _wrap(moving, "record", after=lambda: getattr(_handling, "yes", False) and die("P8"))


def _wrap(
    module: Any, name: str, *, before: Callable[[], Any] | None = None, after: Callable[[], Any] | None = None
) -> None:
    function = getattr(module, name)

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if before is not None:
            before()
        result = function(*args, **kwargs)
        if after is not None:
            after()
        return result

    setattr(module, name, wrapper)


def _cut_the_call(role: str) -> None:
    """P3: the provider is still at it. P4: it is done, and its reply is lost. Its latency makes the difference."""
    for point in ("P3", "P4"):
        if _take(point, role):
            threading.Timer(CALL_SECONDS, os.kill, [os.getpid(), signal.SIGKILL]).start()


def _now_handling() -> None:
    _handling.yes = True


def _split_of_allocations(die: Callable[[str], None]) -> None:
    """P10: the transfers to the bills of one payment are written and none is committed."""
    post_many = ledger.post_many

    @functools.wraps(post_many)
    def wrapper(postings: Any) -> int:
        posted = post_many(postings)
        if len(postings) > 1 and all(posting.reference.startswith("payment:") for posting in postings):
            die("P10")
        return posted

    ledger.post_many = wrapper
