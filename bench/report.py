"""The table on the terminal, and bench/results/latest.json."""

import datetime as dt
import json
import os
import platform
import subprocess
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.databases import execute
from bench.frame import Row, Run

LATEST = Path(__file__).parent / "results" / "latest.json"
PACKAGES = ["Django", "psycopg2-binary", "django-pgtrigger", "celery", "gunicorn"]


def show(run: Run) -> None:
    """Print the rows of one run."""
    for row in run.rows:
        mark, verdict = _mark(row), {True: "reached", False: "MISSED", None: ""}[row.reached]
        ratio = "" if row.ratio is None else f"{row.ratio:6.2f} ({row.spread[0]:.2f} to {row.spread[1]:.2f})"
        yardstick = "" if row.yardstick is None else _number(row.yardstick)
        print(
            f"{run.name:<17} {row.label:<44} {_number(row.ours):>10} {row.unit:<6} {yardstick:>10}  {ratio:<24} "
            f"{mark:<8} {verdict}",
            flush=True,
        )


def heading() -> None:
    """Print the head of the table."""
    print(
        f"{'benchmark':<17} {'':<44} {'ours':>10} {'':<6} {'yardstick':>10}  {'ratio (lowest, highest)':<24} mark",
        flush=True,
    )


def keep(runs: list[Run]) -> Path:
    """Write what was measured into latest.json, beside what earlier runs measured of other benchmarks."""
    kept = json.loads(LATEST.read_text()) if LATEST.exists() else {"benchmarks": {}}
    kept["machine"] = _machine()
    for run in runs:
        kept["benchmarks"][run.name] = {
            "commit": _commit(),
            "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "size": run.size,
            "pairs": run.pairs,
            "rows": [asdict(row) | {"reached": row.reached} for row in run.rows],
        }
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return LATEST


def _mark(row: Row) -> str:
    if row.at_least is not None:
        return f"≥ {row.at_least:g}"
    return "" if row.at_most is None else f"≤ {row.at_most:g}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _commit() -> str:
    """The commit measured, with a plus sign where files differ from it."""
    here = Path(__file__).parent
    told = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=here, capture_output=True, text=True)
    return told.stdout.strip() or "none"


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
        "postgres": execute("SHOW server_version")[0][0],
        "settings": dict(
            execute(
                "SELECT name, setting FROM pg_settings WHERE name IN ('shared_buffers', 'work_mem', 'fsync',"
                " 'synchronous_commit', 'full_page_writes', 'max_wal_size', 'max_parallel_workers_per_gather', 'jit')"
            )
        ),
        **{name: version(name) for name in PACKAGES},
    }
