"""The portal under gunicorn, as it is deployed, with yardsticks beside it; and keep-alive clients that load it."""

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from bench.frame import percentile

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_SECONDS = 60
ANSWER_TIMEOUT_SECONDS = 60
SECRET = "whsec_benchmarks"  # noqa: S105  # signs events of the benchmarks' own
REDIS_DATABASE = 7


@dataclass(slots=True)
class Answers:
    """What a load brought: its length in seconds, each answer's time, and what was no 200."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def at(self, share: float) -> float:
        """The time in milliseconds within which this share was answered."""
        return 1000 * percentile(self.latencies, share)


@contextmanager
def gunicorn() -> Iterator[int]:
    """Gunicorn by the portal's own configuration, on the present database; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    database = connection.settings_dict
    connection.close()
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://{quote(database['USER'])}:{quote(database['PASSWORD'])}@/{database['NAME']}"
        f"?host={quote(str(database['HOST']), safe='')}" + (f"&port={database['PORT']}" if database["PORT"] else ""),
        "REDIS_URL": redis_url(),
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "DJANGO_SETTINGS_MODULE": "bench.serving_settings",
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen([*command, "bench.bare:application"], cwd=ROOT, env=environment)
    try:
        _wait(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=60)


def redis_url() -> str:
    """A database of the broker's that nobody else uses."""
    return f"{settings.REDIS_URL.rsplit('/', 1)[0]}/{REDIS_DATABASE}"


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """One HTTP/1.1 request, as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def load(port: int, requests: Sequence[bytes], *, clients: int, per_second: float = 0.0) -> Answers:
    """Send them all from so many keep-alive clients, each as soon as its last is answered, or at a given rate.

    One thread with epoll, so that the clients cost little of the machine that they share with the server.
    """
    waiting = list(reversed(requests))
    poll, answers = select.epoll(), Answers()
    busy: dict[int, _Client] = {}
    idle = [_Client(port) for _ in range(clients)]
    for client in idle:
        poll.register(client.socket, select.EPOLLIN)
    began = time.perf_counter()
    sent = 0
    while waiting or busy:
        now = time.perf_counter()
        while waiting and idle and (not per_second or sent < (now - began) * per_second):
            client = idle.pop()
            client.send(waiting.pop(), now)
            busy[client.socket.fileno()] = client
            sent += 1
        events = poll.poll(0.002 if per_second and idle and waiting else ANSWER_TIMEOUT_SECONDS)
        if not events and busy and not (per_second and waiting):
            raise TimeoutError(f"no answer within {ANSWER_TIMEOUT_SECONDS} s")
        for number, _event in events:
            client = busy.get(number)
            if client is None:
                continue
            if client.receive():
                poll.register(client.socket, select.EPOLLIN)
                del busy[number]
                busy[client.socket.fileno()] = client
            elif client.status:
                answers.latencies.append(time.perf_counter() - client.since)
                if client.status != "200":
                    answers.errors.append(client.status)
                del busy[number]
                idle.append(client)
    answers.seconds = time.perf_counter() - began
    for client in idle:
        client.socket.close()
    return answers


class _Client:
    """One keep-alive connection."""

    def __init__(self, port: int) -> None:
        self.port, self.since, self.status = port, 0.0, ""
        self.pending = self.buffer = b""
        self.socket = socket.create_connection(("127.0.0.1", port))

    def send(self, data: bytes, now: float) -> None:
        self.pending, self.buffer, self.since, self.status = data, b"", now, ""
        self.socket.sendall(data)

    def receive(self) -> bool:
        """Take what has come; `status` is set once the answer is whole. True where a new connection was needed.

        A server may close an idle connection at any time: as browsers do, the request is sent again on a new one.
        """
        try:
            part = self.socket.recv(1 << 18)
        except ConnectionError:
            part = b""
        if not part:
            if self.buffer:
                raise ConnectionError("the server closed the connection within an answer")
            self.socket.close()
            self.socket = socket.create_connection(("127.0.0.1", self.port))
            self.socket.sendall(self.pending)
            return True
        self.buffer += part
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if found:
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            if len(body) >= int(length.split(b":")[1]):
                self.status = head.split(b" ", 2)[1].decode()
        return False


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until every worker has answered."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            load(port, [request("GET", "/bare/empty/")] * 32, clients=16)
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("gunicorn did not start")
