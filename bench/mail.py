"""`mail`: notices rendered and sent to a mail server on this machine, against feeding it ready-made messages.

By WORKERS processes at once, on both sides, as in bench/queue.py.
"""

import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from bench import databases, reminders
from bench.databases import execute
from bench.frame import Run, benchmark
from bench.processes import together
from bench.queue import QUEUED, WORKERS
from notifications import claiming, composing, deciding, sending
from notifications.line import MOST_MESSAGES

START_SECONDS = 20


@contextmanager
def sink() -> Iterator[None]:
    """A mail server in a process of its own, which takes every message and keeps none."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Sink"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False
    try:
        _wait(port)
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def counted() -> Iterator[list[int]]:
    """How many connections to a mail server this process opens meanwhile."""
    opened, connect = [0], smtplib.SMTP.connect

    def count(self: smtplib.SMTP, *args: Any, **options: Any) -> Any:
        opened[0] += 1
        return connect(self, *args, **options)

    smtplib.SMTP.connect = count  # type: ignore[assignment,method-assign]
    try:
        yield opened
    finally:
        smtplib.SMTP.connect = connect  # type: ignore[method-assign]


def _wait(port: int) -> None:
    for _ in range(START_SECONDS * 10):
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the mail server did not start")


def ready_made(count: int) -> list[tuple[str, bytes]]:
    """The messages that ours would send, as bytes: address and message."""
    notices = claiming.claimed(claiming.claim(count))
    made = deciding.decide(notices).to_send
    return [(mail.address, composing.message(notice, mail).message().as_bytes(linesep="\r\n")) for notice, mail in made]


@benchmark("mail", size=1_000, full=10_000)
def measure(run: Run) -> None:
    """Mails rendered, checked and sent, one commit each, against feeding the same server ready-made messages."""
    reminders.fill(run.size)
    with sink():

        def queued() -> None:
            reminders.empty()
            execute(QUEUED, run.size)
            databases.vacuum("notifications_notification", "notifications_queued")

        queued()
        messages = ready_made(run.size)
        assert len(messages) == run.size

        share = run.size // WORKERS

        def ours(_worker: int) -> None:
            assert sending.send_waiting(limit=share) == share

        def raw(worker: int) -> None:
            for start in range(worker * share, (worker + 1) * share, MOST_MESSAGES):
                with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT) as server:
                    for address, message in messages[start : start + MOST_MESSAGES]:
                        server.sendmail(settings.DEFAULT_FROM_EMAIL, [address], message)

        row = run.compare(
            "rendered and sent", lambda: together(WORKERS, ours), lambda: together(WORKERS, raw), work=run.size,
            unit="mails/s", before=queued, at_least=0.5,
        )  # fmt: skip
        run.figure("rendered and sent: rate", row.ours, "mails/s")
        queued()
        with counted() as opened:
            assert sending.send_waiting(limit=run.size) == run.size
        run.figure("connections for 100 mails", 100 * opened[0] / run.size, "", at_most=1)
