"""`make demo`: start everything, say where it is, and stop everything at Ctrl-C."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import requests

from billing_portal.demo import ports
from billing_portal.demo.supervisor import Ended, Supervisor
from billing_portal.embedded import postgres, valkey
from billing_portal.embedded.stop import stop as stop_embedded
from billing_portal.environment import BASE_DIR, DEMO_FILE, DEMO_PASSWORD

NEEDED_BYTES = 500 * 1024 * 1024
READY_TIMEOUT_SECONDS = 120
SIGN_INS = (
    "alice@example.com", "bob@example.com", "leo@example.com (soon 18)", "charlie@example.com",
    "elena@example.com (may pay for Alice)",
    "dana@example.com (staff: /admin/)",
)  # fmt: skip
TIMED = ("-m", "billing_portal.demo.clock")  # runs a module under the demo's clock
CELERY = (*TIMED, "celery", "-A", "billing_portal")
SANDBOX_KEYS = {
    "STRIPE_SECRET_KEY": "sk_test_sandbox_demo",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_sandbox_demo",
    "STRIPE_WEBHOOK_SECRET": "whsec_sandbox_demo",
}


class Stop(Exception):  # noqa: N818
    """Somebody said stop."""


class Refused(Exception):  # noqa: N818
    """The demo cannot go on; the message is the one line that says why."""


def main() -> int:
    """Run the demo; the exit code is 0 where a person stopped it, 1 where it could not go on."""
    var_dir = Path(os.environ.get("VAR_DIR") or BASE_DIR / "var" / "demo").resolve()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _raise_stop)
    started = time.monotonic()
    try:
        port = _port()
        with _only_one(var_dir):
            _run(port, var_dir, started)
    except Stop:
        pass
    except (Refused, OSError, RuntimeError, subprocess.SubprocessError) as error:
        print(f"The demo stopped: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def _port() -> int:
    given = os.environ.get("PORT") or "8000"
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= 65535:
        raise Refused(f"PORT must be a number from 1 to 65535, not {given!r}.")
    return int(given)


@contextmanager
def _only_one(var_dir: Path) -> Iterator[None]:
    """Hold the demo's folder: made, writable, with space left, and used by no other demo."""
    try:
        var_dir.mkdir(parents=True, exist_ok=True)
        lock = (var_dir / ".lock").open("w")
    except OSError as error:
        raise Refused(f"{var_dir} cannot be written to ({error.strerror}).") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused(f"another demo already runs on {var_dir}; stop that one first.") from error
        free = shutil.disk_usage(var_dir).free
        if free < NEEDED_BYTES:
            raise Refused(f"the disk of {var_dir} is full: {free // 2**20} MB free, {NEEDED_BYTES // 2**20} MB needed.")
        yield


def _run(port: int, var_dir: Path, started: float) -> None:
    if not ports.is_free(port):
        raise Refused(f"port {port} is taken; stop what uses it, or choose another: make demo PORT={port + 1}")
    if os.environ.get("FRESH") == "1":
        _empty(var_dir)
    environment = _choose_environment(port, var_dir)
    supervisor = Supervisor(log_dir=var_dir / "log", environment=environment)
    try:
        _start_embedded(var_dir)
        _start_others(supervisor, var_dir)
        _prepare(environment)
        _start_portal(supervisor, port, var_dir)
        _say_ready(port, environment, started)
        _move_clock(supervisor)
        _watch(supervisor)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # stopping is not interrupted half-way
        print("stopping …", flush=True)
        supervisor.stop("beat", "worker", "web")  # first those who lean on the others
        supervisor.stop()
        stop_embedded(var_dir)
        print("stopped.", flush=True)


def _empty(var_dir: Path) -> None:
    print("  starting anew: the demo's data is removed", flush=True)
    stop_embedded(var_dir)
    for entry in var_dir.iterdir():
        if entry.name == ".lock":
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _choose_environment(port: int, var_dir: Path) -> dict[str, str]:
    """What the demo's processes get; also kept in a file, so that `manage.py` in another terminal sees the same."""
    ports_file = var_dir / "ports.json"
    before: dict[str, int] = json.loads(ports_file.read_text()) if ports_file.exists() else {}
    taken = {port}
    chosen: dict[str, int] = {}
    for name in ("sandbox", "smtp", "mail"):
        chosen[name] = ports.choose(before.get(name), taken=taken)
        taken.add(chosen[name])
    ports_file.write_text(json.dumps(chosen))
    settings = {
        "PORTAL_URL": f"http://127.0.0.1:{port}",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(chosen["smtp"]),
        "EMAIL_USE_TLS": "false",
        "DEFAULT_FROM_EMAIL": "billing@meridian.example",
    }
    if not os.environ.get("STRIPE_SECRET_KEY"):
        sandbox_url = f"http://127.0.0.1:{chosen['sandbox']}"
        settings |= SANDBOX_KEYS | {"STRIPE_API_BASE": sandbox_url, "STRIPE_JS_URL": f"{sandbox_url}/v3/"}
    (var_dir / DEMO_FILE).write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return os.environ | settings | {"PORTAL_ENVIRONMENT": "demo", "VAR_DIR": str(var_dir), "PYTHONUNBUFFERED": "1"}


def _start_embedded(var_dir: Path) -> None:
    servers: list[tuple[str, str, Callable[[Path], str], str]] = [
        ("PostgreSQL 18", "DATABASE_URL", postgres.ensure_running, "postgres"),
        ("Valkey 9", "REDIS_URL", valkey.ensure_running, "valkey"),
    ]
    for name, variable, ensure_running, folder in servers:
        if os.environ.get(variable):
            print(f"  {name}: the one of {variable}", flush=True)
            continue
        started = time.monotonic()
        print(f"  {name} …", flush=True)
        ensure_running(var_dir / folder)
        print(f"  {name}: ready ({time.monotonic() - started:.1f} s)", flush=True)


def _start_others(supervisor: Supervisor, var_dir: Path) -> None:
    chosen = json.loads((var_dir / "ports.json").read_text())
    mail = ["--smtp-port", str(chosen["smtp"]), "--http-port", str(chosen["mail"]), "--folder", str(var_dir / "mail")]
    supervisor.start("mail", *TIMED, "billing_portal.demo.mail", *mail)
    if not os.environ.get("STRIPE_SECRET_KEY"):
        sandbox = ["--port", str(chosen["sandbox"]), "--data", str(var_dir / "sandbox")]
        webhooks = ["--webhook-url", f"http://127.0.0.1:{_port()}/webhooks/stripe/"]
        secret = ["--webhook-secret", SANDBOX_KEYS["STRIPE_WEBHOOK_SECRET"]]
        supervisor.start("sandbox", *TIMED, "stripe_sandbox", *sandbox, *webhooks, *secret)


def _prepare(environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "billing_portal.demo.prepare"], env=environment, start_new_session=True
    )
    try:
        if process.wait() != 0:
            raise Refused("the demo's database could not be prepared; the reason stands above.")
    except Stop:
        process.terminate()
        process.wait()
        raise


def _start_portal(supervisor: Supervisor, port: int, var_dir: Path) -> None:
    """Start the worker, which takes longest, and web; beat when both are there, so that they have the cores."""
    worker = ["--concurrency", "2", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    supervisor.start("worker", *CELERY, "worker", *worker)
    gunicorn = ["--config", str(BASE_DIR / "gunicorn.conf.py"), "--bind", f"127.0.0.1:{port}"]
    supervisor.start("web", *TIMED, "gunicorn", *gunicorn)
    _await_ready(supervisor, port)
    beat = ["--schedule", str(var_dir / "beat-schedule"), "--pidfile=", "--loglevel", "INFO"]
    supervisor.start("beat", *CELERY, "beat", *beat)


def _await_ready(supervisor: Supervisor, port: int) -> None:
    """Wait until /health/ready says yes, telling what is still missing. Raises Refused when it takes too long."""
    print("  web, worker, beat …", flush=True)
    deadline = time.monotonic() + READY_TIMEOUT_SECONDS
    missing = "web"
    while time.monotonic() < deadline:
        _refuse_ended(supervisor.ended())
        try:
            answer = requests.get(f"http://127.0.0.1:{port}/health/ready", timeout=10)
            if answer.status_code == 200:
                return
            missing = ", ".join(name for name, part in answer.json()["parts"].items() if not part["ok"])
        except (requests.RequestException, ValueError, KeyError):
            pass
        time.sleep(0.3)
    raise Refused(f"not ready after {READY_TIMEOUT_SECONDS} s; what does not answer: {missing}")


def _say_ready(port: int, environment: dict[str, str], started: float) -> None:
    chosen = json.loads((Path(environment["VAR_DIR"]) / "ports.json").read_text())
    print(f"  started in {time.monotonic() - started:.0f} s", flush=True)
    print(f"ready: http://127.0.0.1:{port}", flush=True)
    print(f"sign in with the password {DEMO_PASSWORD} as:")
    for sign_in in SIGN_INS:
        print(f"  {sign_in}")
    print(f"mail: http://127.0.0.1:{chosen['mail']}/")
    print("Ctrl-C stops all of it; the data stays. FRESH=1 starts anew.", flush=True)


def _move_clock(supervisor: Supervisor) -> None:
    """Live on until DEMO_NOW, where that is set and still ahead."""
    if day := os.environ.get("DEMO_NOW"):
        print(f"the clock moves to {day}: http://127.0.0.1:{_port()}/demo/clock/ shows how far it is", flush=True)
        supervisor.run("clock", "-m", "billing_portal.demo.move_clock", day)


def _watch(supervisor: Supervisor) -> None:
    while True:
        _refuse_ended(supervisor.ended())
        time.sleep(0.5)


def _refuse_ended(ended: Ended | None) -> None:
    if ended is not None:
        raise Refused(f"the {ended.name} process ended (exit code {ended.exit_code}): {ended.last_words} [{ended.log}]")


def _raise_stop(number: int, frame: FrameType | None) -> None:
    raise Stop


if __name__ == "__main__":
    sys.exit(main())
