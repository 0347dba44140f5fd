"""The line to the provider: one session of connections for all threads of a process, and what a thread waits for."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Any

import requests

CONNECTIONS = 64  # as many as a worker's threads (DESIGN section 9: charges wait in threads)
# What this thread waits for before a request of its own goes, and what it does once the answer is there
# (payments.autopay.pace). What it raises is Unknown to who calls the gateway.
around_sending: ContextVar[Callable[[], AbstractContextManager[object]]] = ContextVar(
    "around_sending", default=nullcontext
)


class _Adapter(requests.adapters.HTTPAdapter):
    """Waits when a request stands ready, so that it goes the moment that its turn has come."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        with around_sending.get()():
            return super().send(request, *args, **options)


def session(base: str) -> requests.Session:
    """A session to an address. What the environment says of proxies is read once, and not at each call."""
    made = requests.Session()
    made.trust_env, made.proxies = False, requests.utils.get_environ_proxies(base)
    for scheme in ("http://", "https://"):
        made.mount(scheme, _Adapter(pool_maxsize=CONNECTIONS))
    return made
