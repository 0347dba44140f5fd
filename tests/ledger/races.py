"""Many at once: threads with a connection each, begun together, and what became of each."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence

from django.db import connection


def together(jobs: Sequence[Callable[[], object]]) -> Counter[str]:
    """Run every job in a thread of its own, all begun at one moment; count the outcomes: `ok`, or an error's name."""
    gate = threading.Barrier(len(jobs))
    outcomes: list[str] = []

    def run(job: Callable[[], object]) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET synchronous_commit = on")  # as in production: locks are held until the disk has it
            gate.wait(30)
            job()
            outcomes.append("ok")
        except Exception as error:  # noqa: BLE001  # every outcome is counted, and the test says which it wants
            outcomes.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(outcomes) == len(jobs), "a thread hangs"
    return Counter(outcomes)
