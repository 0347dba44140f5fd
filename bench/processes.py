"""Work done by several processes at once, each with a connection of its own, begun together."""

import multiprocessing
import time
from collections.abc import Callable

from django.db import connection, connections

CONTEXT = multiprocessing.get_context("fork")
TIMEOUT_SECONDS = 600


def together(count: int, work: Callable[[int], object]) -> float:
    """Run `work(number)` in so many processes; the seconds from the first beginning to the last end."""
    connections.close_all()
    gate, ends = CONTEXT.Barrier(count), CONTEXT.Queue()

    def run(number: int) -> None:
        connection.ensure_connection()
        gate.wait(TIMEOUT_SECONDS)
        began = time.monotonic()
        try:
            work(number)
            ends.put((began, time.monotonic(), ""))
        except Exception as error:  # told to the parent, which fails
            ends.put((began, time.monotonic(), repr(error)))
        connections.close_all()

    workers = [CONTEXT.Process(target=run, args=[number]) for number in range(count)]
    for worker in workers:
        worker.start()
    outcomes = [ends.get(timeout=TIMEOUT_SECONDS) for _ in workers]
    for worker in workers:
        worker.join()
    faults = [fault for *_times, fault in outcomes if fault]
    if faults:
        raise RuntimeError(faults[0])
    return max(end for _began, end, _fault in outcomes) - min(began for began, _end, _fault in outcomes)
