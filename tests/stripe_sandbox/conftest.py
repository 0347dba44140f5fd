"""A sandbox process of its own for these tests, and small tools to talk to it. Nothing here needs the
portal."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stripe

ROOT = Path(__file__).parents[2]
SECRET = "whsec_of_the_tests"
KEY = "sk_test_sandbox_tests"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A running sandbox and its control endpoints."""

    url: str
    process: subprocess.Popen[bytes]

    def control(self, method: str, name: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}/_sandbox/{name}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def post(self, name: str, **body: Any) -> dict[str, Any]:
        return self.control("POST", name, body)

    def get(self, name: str) -> dict[str, Any]:
        return self.control("GET", name)

    def client(self, *, key: str = KEY, retries: int = 0, timeout: float = 10) -> stripe.StripeClient:
        http_client = stripe.RequestsClient(timeout=timeout)
        return stripe.StripeClient(
            key, base_addresses={"api": self.url}, max_network_retries=retries, http_client=http_client
        )


def start(*options: str) -> Server:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "stripe_sandbox",
        "--port",
        str(port),
        "--webhook-secret",
        SECRET,
        *options,
    ]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    server = Server(f"http://127.0.0.1:{port}", process)
    for _ in range(200):
        try:
            server.get("health")
            return server
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    raise RuntimeError("the sandbox did not start")


def stop(server: Server) -> None:
    server.process.terminate()
    server.process.wait(timeout=10)


@pytest.fixture(scope="session")
def running() -> Iterator[Server]:
    server = start()
    yield server
    stop(server)


DEFAULTS = {
    "latency_ms": 0, "rate_limit_per_second": 0, "hang_seconds": 90.0, "bank_debit_delay_seconds": 4.0,
    "refund_delay_seconds": 3.0, "dispute_delay_seconds": 1.0, "signature_time": "real",
    "webhook_concurrency": 16,
}  # fmt: skip


@pytest.fixture
def sandbox(running: Server) -> Server:
    running.post("reset")
    running.post("settings", **DEFAULTS)
    running.post("webhooks", url="", secret=SECRET)
    return running


@pytest.fixture
def client(sandbox: Server) -> stripe.StripeClient:
    return sandbox.client()


@dataclass
class Endpoint:
    """A webhook endpoint that keeps what it receives; `status` is what it answers."""

    url: str = ""
    status: int = 200
    received: list[tuple[bytes, str]] = field(default_factory=list)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in self.received]

    def wait_for(self, count: int, *, seconds: float = 10) -> list[dict[str, Any]]:
        end = time.monotonic() + seconds
        while len(self.received) < count and time.monotonic() < end:
            time.sleep(0.01)
        return self.events()


@pytest.fixture
def endpoint(sandbox: Server) -> Iterator[Endpoint]:
    kept = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.received.append((body, self.headers["Stripe-Signature"]))
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_port}/hook"
    sandbox.post("webhooks", url=kept.url)
    yield kept
    sandbox.post("webhooks", url="")
    server.shutdown()
    server.server_close()


def pay(client: stripe.StripeClient, method: str = "pm_card_visa", *, amount: int = 10_000, **more: Any) -> Any:
    """A confirmed payment."""
    kind = "us_bank_account" if "usBankAccount" in method else "card"
    params: dict[str, Any] = {
        "amount": amount, "currency": "usd", "payment_method": method, "confirm": True,
        "payment_method_types": [kind],
    }  # fmt: skip
    if kind == "us_bank_account":
        params["mandate_data"] = ACCEPTANCE
    options = more.pop("options", {})
    return client.v1.payment_intents.create({**params, **more}, options)


ACCEPTANCE = {
    "customer_acceptance": {
        "type": "online",
        "online": {"ip_address": "192.0.2.1", "user_agent": "test browser"},
    }
}
