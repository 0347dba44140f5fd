"""Thousands of calls in flight, each done once."""

import asyncio
import time
import urllib.parse

import pytest

from .conftest import KEY, Server

FORM = urllib.parse.urlencode(
    {"amount": "1234", "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true",
     "payment_method_types[0]": "card"}
)  # fmt: skip


async def one(port: int, number: int) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST /v1/payment_intents HTTP/1.1\r\nHost: s\r\nAuthorization: Bearer {KEY}\r\n"
        f"Idempotency-Key: key-{number}\r\nContent-Length: {len(FORM)}\r\nConnection: close\r\n\r\n"
    )
    writer.write((head + FORM).encode())
    answer = await reader.read()
    writer.close()
    return answer.startswith(b"HTTP/1.1 200")


@pytest.mark.slow
def test_eight_hundred_slow_calls_run_side_by_side(sandbox: Server) -> None:
    """Serves B25 and O07: with one second of latency they take seconds, not minutes."""
    sandbox.post("settings", latency_ms=1000)
    port = urllib.parse.urlsplit(sandbox.url).port or 0

    async def all_of_them() -> list[bool]:
        return await asyncio.gather(*(one(port, number) for number in range(800)))

    started = time.monotonic()
    assert all(asyncio.run(all_of_them()))
    assert time.monotonic() - started < 15
    assert sandbox.get("totals")["charges"] == 800
