"""`ledger-peers`: bills issued and paid, one posting a commit, against the same through django-hordak."""

import subprocess
import sys
from pathlib import Path

from django.db import connection, connections

import ledger
from bench import book, databases
from bench.frame import Run, benchmark
from ledger import Posting
from ledger.chart import SYSTEM_ACCOUNT_IDS, Code, SystemAccount

HERE = Path(__file__).resolve().parent
PEERS = HERE.parent / "var" / "bench" / "peers"
REQUIREMENTS = HERE.parent / "requirements" / "bench.txt"
PEER_DATABASE = f"{databases.NAME}_hordak"
CLEARING = SYSTEM_ACCOUNT_IDS[SystemAccount.STRIPE_CLEARING]


def install() -> Path:
    """The Python of the peers' own environment, made where it is missing: nothing of theirs is installed in ours."""
    python = PEERS / "bin" / "python"
    if not python.exists():
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "-q", str(PEERS)], check=True)
        subprocess.run([*uv, "pip", "install", "-q", "--python", str(python), "-r", str(REQUIREMENTS)], check=True)
    return python


def hordak(python: Path, bills: int, what: str) -> float:
    """Run django-hordak in its own process; the seconds that it says its postings took."""
    host = connection.settings_dict["HOST"]
    told = subprocess.run(
        [str(python), str(HERE / "peers" / "hordak_run.py"), host, PEER_DATABASE, str(bills), what],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return float(told.stdout.split()[-1]) if what == "run" else 0.0


def issue_and_pay(receivables: list[tuple[int, int]], charges: list[Posting]) -> None:
    """Ours: every bill on a receivable of its own, tracked and limited."""
    for (account, owner), charge in zip(receivables, charges, strict=True):
        ledger.post(charge)
        key, reference = f"payment:{charge.key}", f"payment:{account}"
        ledger.post(Posting(CLEARING, account, 12_345, Code.PAYMENT, key, reference, book.DAY, owner))


@benchmark("ledger-peers", size=400, full=20_000)
def ledger_peers(run: Run) -> None:
    """Bills issued and paid, one posting a commit, against the same through django-hordak on the same server."""
    python = install()
    databases.fresh()
    databases.execute(f"DROP DATABASE IF EXISTS {PEER_DATABASE} WITH (FORCE)")
    databases.execute(f"CREATE DATABASE {PEER_DATABASE}")
    try:
        hordak(python, 0, "prepare")
        receivables = book.open_receivables(run.size)
        charges: list[Posting] = []

        def prepare() -> None:
            charges[:] = book.charges(receivables)

        run.compare(
            "bills issued and paid",
            lambda: issue_and_pay(receivables, charges),
            lambda: hordak(python, run.size, "run"),
            work=run.size, before=prepare, at_least=5,
        )  # fmt: skip
    finally:
        connections.close_all()
        databases.execute(f"DROP DATABASE IF EXISTS {PEER_DATABASE} WITH (FORCE)")
