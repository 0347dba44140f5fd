"""The provider's stand-in for the benchmarks: a process of its own, and its commands."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Provider:
    """A running sandbox."""

    url: str

    def post(self, name: str, **body: Any) -> dict[str, Any]:
        """A command."""
        request = urllib.request.Request(f"{self.url}/_sandbox/{name}", data=json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def get(self, name: str) -> dict[str, Any]:
        """A question."""
        with urllib.request.urlopen(f"{self.url}/_sandbox/{name}", timeout=60) as answer:
            return json.load(answer)


@contextmanager
def sandbox() -> Iterator[Provider]:
    """A sandbox that the portal speaks to meanwhile."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen([sys.executable, "-m", "stripe_sandbox", "--port", str(port)], cwd=ROOT)
    provider = Provider(f"http://127.0.0.1:{port}")
    settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY = provider.url, "sk_test_sandbox_benchmarks"
    settings.STRIPE_TIMEOUT_SECONDS = 60.0
    try:
        _wait(provider, process)
        yield provider
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(provider: Provider, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            provider.get("health")
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the sandbox did not start")
