"""Whether the portal lives, and whether it can serve: what a balancer, a container engine and the demo ask."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from threading import Lock

import redis
import requests
from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from accounts.policies import Policy, allow
from billing_portal.celery import app as celery_app

WORKER_TIMEOUT_SECONDS = 1.0
PROVIDER_TIMEOUT_SECONDS = 3.0
BROKER_TIMEOUT_SECONDS = 2.0
# Anybody may ask, and a balancer asks every second: what costs others something is asked this often at most.
KEEP_SECONDS = {"migrations": 10.0, "worker": 3.0, "payment_provider": 10.0}


@dataclass(frozen=True)
class Part:
    """The answer of one part: whether it serves, and if not, the kind of fault (never an address or a secret)."""

    ok: bool
    fault: str | None = None


class Kept:
    """The last answer of a part, for as long as it may be used. A fault is kept for a moment only."""

    def __init__(self, ask: Callable[[], Part], seconds: float) -> None:
        self._ask, self._seconds = ask, seconds
        self._lock = Lock()
        self._until = 0.0
        self._part = Part(ok=False)

    def forget(self) -> None:
        """Ask again next time."""
        self._until = 0.0

    def __call__(self) -> Part:
        with self._lock:
            if time.monotonic() >= self._until:
                self._part = self._ask()
                self._until = time.monotonic() + (self._seconds if self._part.ok else min(self._seconds, 0.3))
            return self._part


@allow(Policy.PUBLIC)
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as this process serves requests; asks nothing of anybody else."""
    return JsonResponse({"status": "live"})


@allow(Policy.PUBLIC)
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when every part serves, else 503; either way name each part."""
    parts = {"web": Part(ok=True)} | {name: ask() for name, ask in PARTS.items()}
    is_ready = all(part.ok for part in parts.values())
    answers = {name: asdict(part) for name, part in parts.items()}
    status = "ready" if is_ready else "not ready"
    return JsonResponse({"status": status, "parts": answers}, status=200 if is_ready else 503)


def database() -> Part:
    """Whether a connection can be had and answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseFault:
        return Part(ok=False, fault="does not answer")
    return Part(ok=True)


def _migrations() -> Part:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseFault:
        return Part(ok=False, fault="the database does not answer")
    return Part(ok=not waiting, fault=f"{len(waiting)} not applied" if waiting else None)


def _broker() -> Part:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=BROKER_TIMEOUT_SECONDS, socket_connect_timeout=BROKER_TIMEOUT_SECONDS
        ) as client:
            client.ping()
    except redis.RedisError:
        return Part(ok=False, fault="does not answer")
    return Part(ok=True)


def _worker() -> Part:
    """One live worker is enough; it is asked, not looked up."""
    if not _broker().ok:  # Celery would go on trying to connect
        return Part(ok=False, fault="the broker does not answer")
    try:
        answers = celery_app.control.broadcast("ping", reply=True, limit=1, timeout=WORKER_TIMEOUT_SECONDS)
    except (OSError, redis.RedisError, OperationalError):
        return Part(ok=False, fault="the broker does not answer")
    return Part(ok=bool(answers), fault=None if answers else "none answers")


def _payment_provider() -> Part:
    """Without a key: any answer that is not a server's fault says that Stripe can be reached."""
    try:
        answer = requests.get(
            f"{settings.STRIPE_API_BASE}/v1/charges", timeout=PROVIDER_TIMEOUT_SECONDS, allow_redirects=False
        )
    except requests.RequestException:
        return Part(ok=False, fault="does not answer")
    return Part(ok=answer.status_code < 500, fault=None if answer.status_code < 500 else "answers with an error")


PARTS: dict[str, Callable[[], Part]] = {
    "database": database,
    "migrations": Kept(_migrations, KEEP_SECONDS["migrations"]),
    "broker": _broker,
    "worker": Kept(_worker, KEEP_SECONDS["worker"]),
    "payment_provider": Kept(_payment_provider, KEEP_SECONDS["payment_provider"]),
}
