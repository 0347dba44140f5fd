"""`python -m stripe_sandbox --port 12111 --data DIR --webhook-url URL --webhook-secret whsec_…`"""

import argparse
import gc
from pathlib import Path

import uvicorn

from stripe_sandbox.app import build
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.settings import Settings


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="stripe_sandbox", description="A stand-in for Stripe's HTTP API.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--data", type=Path, help="keep objects and the request log in this directory")
    parser.add_argument("--public-url", default="", help="the address browsers use, when it is another")
    parser.add_argument("--webhook-url", default="")
    parser.add_argument("--webhook-secret", default="whsec_sandbox")
    parser.add_argument("--latency-ms", type=int, default=0)
    parser.add_argument("--bank-debit-delay-seconds", type=float, default=4.0)
    parser.add_argument("--rate-limit-per-second", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Runs until it is told to stop."""
    settings = Settings(**vars(_arguments()))
    gc.set_threshold(5_000, 1_000, 1_000)  # what is kept is seldom looked through: calls would wait for it
    uvicorn.run(
        build(Sandbox(settings)), host=settings.host, port=settings.port, http="httptools", ws="none",
        lifespan="on", log_level="warning", access_log=False, proxy_headers=False, server_header=False,
        timeout_keep_alive=75, backlog=4096, timeout_graceful_shutdown=2,
    )  # fmt: skip


if __name__ == "__main__":
    main()
