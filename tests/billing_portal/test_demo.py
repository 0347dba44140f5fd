"""`make demo`: starts everything, says where it is, keeps the data, stops everything, and fails in one clear line."""

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from billing_portal.embedded import postgres, valkey
from billing_portal.embedded.stop import stop as stop_embedded
from tests.environment import VAR_DIR

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 150
STOP_SECONDS = 60


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    """A demo's environment: nothing of the tests' own."""
    names = ("DATABASE_URL", "REDIS_URL", "PORTAL_ENVIRONMENT", "DJANGO_SETTINGS_MODULE", "PGOPTIONS")
    kept = {name: value for name, value in os.environ.items() if name not in names and not name.startswith("STRIPE_")}
    return kept | {"VAR_DIR": str(folder), "PORT": str(port)} | more


class Demo:
    """A running demo and what it has said."""

    def __init__(self, folder: Path, port: int, **more: str) -> None:
        self.folder, self.port, self.lines = folder, port, list[str]()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "billing_portal.demo"], cwd=ROOT, env=environment(folder, port, **more),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def wait_ready(self) -> float:
        """Read until it says what there is to say; return the seconds it took."""
        started = time.monotonic()
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            assert time.monotonic() - started < START_SECONDS, self.lines
            if line.startswith("Ctrl-C"):
                return time.monotonic() - started
        raise AssertionError("\n".join(self.lines))

    def end(self, number: int) -> int:
        """Send a signal, read to the end, return the exit code."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=STOP_SECONDS)
        self.lines += rest.splitlines()
        return self.process.returncode

    def children(self) -> list[psutil.Process]:
        """Every process of the demo but the embedded servers, which are nobody's children."""
        return psutil.Process(self.process.pid).children(recursive=True)


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; one that has ended may wait to be asked for its exit code."""
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for a demo's data; what still runs on it at the end is stopped."""
    path = VAR_DIR / f"demo-{os.getpid()}"
    shutil.rmtree(path, ignore_errors=True)
    yield path
    stop_embedded(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.mark.slow
def test_it_starts_stops_and_starts_again_with_its_data(folder: Path) -> None:
    """Ready line, sign-ins, mail, health; Ctrl-C ends all of it; the second start keeps the data; a crash is told."""
    port = free_port()
    demo = Demo(folder, port)
    demo.wait_ready()
    said = "\n".join(demo.lines)
    assert f"ready: http://127.0.0.1:{port}" in demo.lines
    for name in ("alice", "bob", "charlie", "dana"):
        assert f"{name}@example.com" in said
    assert "meridian-demo" in said
    mail = re.search(r"mail: (http://127\.0\.0\.1:\d+/)", said)
    assert mail is not None
    assert "Mail of the demo" in requests.get(mail[1], timeout=5).text
    assert requests.get(f"http://127.0.0.1:{port}/health/ready", timeout=10).status_code == 200
    assert "demo" in requests.get(f"http://127.0.0.1:{port}/accounts/login/", timeout=10).text
    (folder / "mail" / "kept.eml").write_text("Subject: kept\n\nkept\n")

    children = demo.children()
    assert len(children) >= 5
    assert demo.end(signal.SIGINT) == 0
    assert not [child for child in children if is_alive(child)]
    assert not postgres.is_running(folder / "postgres")
    assert not valkey.is_running(folder / "valkey")

    again = Demo(folder, port)
    seconds = again.wait_ready()
    assert seconds < START_SECONDS / 2
    assert "kept" in requests.get(mail[1], timeout=5).text
    beat = next(child for child in again.children() if "beat" in child.cmdline())
    beat.kill()
    rest, _ = again.process.communicate(timeout=STOP_SECONDS)
    assert again.process.returncode == 1
    assert len(re.findall(r"The demo stopped: the beat process ended", rest)) == 1
    assert not postgres.is_running(folder / "postgres")


def refusal(folder: Path, port: int | str, code: str = "", **more: str) -> list[str]:
    """What a demo that cannot start says."""
    command = ["-c", f"import sys; from billing_portal.demo import __main__ as demo; {code}; sys.exit(demo.main())"]
    env = environment(folder, 0, **more) | {"PORT": str(port)}
    result = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode == 1
    return result.stderr.strip().splitlines()


def test_a_taken_port_gives_one_line(folder: Path) -> None:
    """And says how to choose another; nothing is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        lines = refusal(folder, port, "pass")
    assert lines == [
        f"The demo stopped: port {port} is taken; stop what uses it, or choose another: make demo PORT={port + 1}"
    ]
    assert not postgres.is_running(folder / "postgres")


@pytest.mark.parametrize("port", ["0", "65536", "http", "80 80", "-1"])
def test_a_port_that_is_none_gives_one_line(folder: Path, port: str) -> None:
    """PORT is a number of a port."""
    assert refusal(folder, port, "pass") == [f"The demo stopped: PORT must be a number from 1 to 65535, not {port!r}."]


def test_a_full_disk_gives_one_line(folder: Path) -> None:
    """Before anything is written: here by asking for more than any disk has."""
    lines = refusal(folder, free_port(), "demo.NEEDED_BYTES = 2**70")
    assert len(lines) == 1
    assert "is full" in lines[0]
    assert "MB free" in lines[0]


def test_a_folder_that_cannot_be_written_gives_one_line() -> None:
    """The folder is named."""
    lines = refusal(Path("/dev/null/demo"), free_port(), "pass")
    assert len(lines) == 1
    assert "/dev/null/demo cannot be written to" in lines[0]


def test_two_demos_on_one_folder_give_one_line(folder: Path) -> None:
    """The second leaves the first one's servers alone."""
    folder.mkdir(parents=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lines = refusal(folder, free_port(), "pass")
    assert len(lines) == 1
    assert "another demo already runs" in lines[0]


def test_a_missing_tool_gives_one_line() -> None:
    """`make setup` without a Python that is new enough, or at all."""
    script = ["bash", "scripts/setup.sh"]
    env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHON": "python-that-is-not"}
    result = subprocess.run(script, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.strip().splitlines() == [
        "Set-up stopped: python-that-is-not is missing. Install Python 3.11 or newer, or name one:"
        " make PYTHON=/path/to/python3"
    ]
