"""`web`: keep-alive clients on the overview page, against a bare view of the same queries and bytes, same gunicorn."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bench import databases
from bench.frame import Run, benchmark, percentile
from bills import issuing
from bills.models import Bill
from tests.conftest import Cast, make_cast

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = 64
BILLS = 40
SECONDS = 4.0
START_TIMEOUT_SECONDS = 60


def household() -> Cast:
    """Alice's household, with bills to show."""
    cast, today = make_cast(), timezone.localdate()
    for number in range(BILLS):
        issuing.issue(
            member=cast.maya, kind=Bill.Kind.MEDICAL, amount_cents=12_345, title="Visit", issued_on=today,
            due_on=today, source="bench", source_id=str(number),
        )  # fmt: skip
    return cast


def signed_in(cast: Cast) -> Client:
    """A client with Alice's session."""
    client = Client()
    client.force_login(cast.alice.user, backend="accounts.backends.AuthenticationBackend")
    return client


@contextmanager
def gunicorn(application: str, environment: dict[str, str]) -> Iterator[int]:
    """Serve an application; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "--bind", f"127.0.0.1:{port}",
         "--log-level", "error", application],
        cwd=ROOT, env=os.environ | {"LOG_LEVEL": "ERROR"} | environment,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not _answers(port):
            if time.monotonic() > deadline or server.poll() is not None:
                raise RuntimeError(f"gunicorn did not start {application}")
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def _ask(
    port: int, request: bytes, begin: float, until: float, pause: float, taken: list[float], faults: list[str]
) -> None:
    """One client that keeps its connection, asks until the time is over, and notes how long each answer took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(max(begin - time.monotonic(), 0))
    while time.monotonic() < until:
        began = time.monotonic()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        if "content-length:" in head:
            await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
        else:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        taken.append(time.monotonic() - began)
        if " 200 " not in head.splitlines()[0]:
            faults.append(head.splitlines()[0])
        if "connection: close" in head:
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(pause)
    writer.close()


def load(port: int, path: str, cookie: str, *, clients: int = CLIENTS, pause: float = 0.0) -> list[float]:
    """The seconds of every answer that so many clients had in SECONDS. Raises where one was not 200.

    Clients that pause begin one after the other, spread over a pause: a rate, and not a crowd that comes back in step.
    """
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode()
    taken: list[float] = []
    faults: list[str] = []

    async def all_of_them() -> None:
        now = time.monotonic()
        until = now + (SECONDS if not pause else max(SECONDS, 3 * pause))
        begins = [now + pause * number / clients for number in range(clients)]
        await asyncio.gather(*(_ask(port, request, begin, until, pause, taken, faults) for begin in begins))

    asyncio.run(all_of_them())
    if faults:
        raise RuntimeError(f"{len(faults)} answers were not 200, the first {faults[0]}")
    return taken


@benchmark("web", size=CLIENTS, full=CLIENTS)
def web(run: Run) -> None:
    """64 keep-alive clients on the overview page, against a bare view of the same queries and bytes."""
    databases.fresh()
    client, path = signed_in(household()), reverse("overview")
    client.get(path)
    with CaptureQueriesContext(connection) as asked:
        page = client.get(path)
    assert page.status_code == 200, page.status_code
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    settings = connection.settings_dict
    database = {"host": settings["HOST"], "dbname": settings["NAME"], "user": settings["USER"] or "postgres"}
    url = f"postgresql://{database['user']}@/{database['dbname']}?host={database['host']}"
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "plan.json"
        queries = [query["sql"] for query in asked.captured_queries]
        plan.write_text(json.dumps({"queries": queries, "bytes": len(page.content), "database": database}))
        bare = gunicorn("bench.bare_app:application", {"BENCH_PLAN": str(plan)})
        ours = gunicorn("billing_portal.wsgi:application", {"DATABASE_URL": url})
        with bare as bare_port, ours as port:
            load(port, path, cookie, clients=8)
            load(bare_port, path, "", clients=8)
            run.compare(
                f"{run.size} clients, {len(queries)} queries, {len(page.content):,} bytes",
                lambda: SECONDS / len(load(port, path, cookie, clients=run.size)),
                lambda: SECONDS / len(load(bare_port, path, "", clients=run.size)),
                work=1, at_least=0.5,
            )  # fmt: skip
            busy = run.rows[-1].ours
            half = load(port, path, cookie, clients=run.size, pause=max(2 * run.size / busy - 0.01, 0))
            run.figure("half load: p50", 1000 * percentile(half, 0.5), "ms")
            run.figure("half load: p99 to p50", percentile(half, 0.99) / percentile(half, 0.5), "", at_most=3)
