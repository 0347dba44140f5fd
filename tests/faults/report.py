"""The reliability report: what was run, what came of it, and what was not measured (FAULTS.md, its last section)."""

import platform
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from tests.faults.oracle import Verdict

ROOT = Path(__file__).resolve().parents[2]
INVARIANTS = tuple(f"M{number}" for number in range(1, 18))
NOT_MEASURED = (
    "M13 to M15 (access rows, canaries): tests/access and tests/payments hold them",
    "P12 (import): tests/bills/test_import_running.py",
    "wrong-member postings: the oracle judges each household by its own charges alone",
    "serialization failures retried: the book is asked only for deadlocks that Postgres counted",
)


@dataclass
class Figures:
    """What a run has gathered."""

    seeds: range
    arguments: str
    verdict: Verdict = field(default_factory=Verdict)
    injected: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    kinds: int = 0
    missing: list[str] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)
    traces: set[str] = field(default_factory=set)
    seeds_run: int = 0
    replays: int = 0
    unequal: list[int] = field(default_factory=list)
    settle_seconds: list[float] = field(default_factory=list)
    simulated_seconds: int = 0
    seconds: float = 0.0
    tasks_lost: int = 0
    workers_ended: int = 0
    webhooks: dict[str, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    deadlocks: int = 0
    mails: int = 0

    @property
    def holds(self) -> bool:
        """Whether the run may end well: not one cent, no invariant, no seed, no replay amiss."""
        return self.verdict.is_clean and not self.failed and not self.unequal


def show(figures: Figures) -> str:
    """The report."""
    verdict = figures.verdict
    lines = [
        "", "Reliability report", f"  commit {_commit()}, seeds {figures.seeds.start} to {figures.seeds.stop - 1}",
        f"  {_versions()}", f'  again: make faults ARGS="{figures.arguments}"', "", "Money",
        f"  {verdict.charges} charges, {verdict.refunds} refunds, {verdict.disputes} returns and disputes,"
        f" {verdict.moved:,} cents moved",
        f"  cents lost {verdict.lost}, created {verdict.created}, double-charged {verdict.doubled},"
        f" unreconciled {verdict.unreconciled}",
        f"  provider to ledger: {verdict.matched} charges matched by id and cent",
        *_invariants(verdict), "", "Faults", *_faults(figures), "", "Proof",
        f"  {figures.seeds_run} seeds, {len(figures.traces)} distinct state traces,"
        f" replays equal {figures.replays - len(figures.unequal)} of {figures.replays}",
        "  planted bugs and how many are caught: make bite", "", "Not measured here",
        *(f"  {line}" for line in NOT_MEASURED),
    ]  # fmt: skip
    if figures.missing:
        lines.append(f"  the portal does not do it yet: {', '.join(figures.missing)}")
    lines += [f"  seed {seed}: {words}" for seed, words in figures.failed.items()]
    lines += [f"  {problem}" for problem in verdict.problems[:40]]
    lines += [f"  seed {seed}: its replay went another way" for seed in figures.unequal]
    lines.append("held" if figures.holds else "FAILED")
    return "\n".join(lines)


def _invariants(verdict: Verdict) -> list[str]:
    return [
        f"  {name}: looked at {verdict.evaluated[name]} times, failed {verdict.failed[name]}"
        for name in INVARIANTS
        if verdict.evaluated[name]
    ]


def _faults(figures: Figures) -> list[str]:
    kills = {name: times for name, times in figures.injected.items() if name.startswith("killed: ")}
    others = {name: times for name, times in figures.injected.items() if name not in kills}
    slow = sorted(figures.settle_seconds) or [0.0]
    return [
        f"  kinds of step defined {figures.kinds}, done at least once {len(figures.steps)}",
        "  injected: " + ", ".join(f"{name} {times}" for name, times in sorted(others.items())),
        "  kill -9 at crash points: "
        + ", ".join(f"{n.removeprefix('killed: ')} {t}" for n, t in sorted(kills.items())),
        f"  wall {figures.seconds:.0f} s, simulated {figures.simulated_seconds / 86400:.1f} days,"
        f" speed-up {figures.simulated_seconds / max(1.0, figures.seconds):.0f}",
        f"  time to truth: p50 {_at(slow, 0.5):.2f} s, p95 {_at(slow, 0.95):.2f} s, p99 {_at(slow, 0.99):.2f} s,"
        f" max {slow[-1]:.2f} s",
        f"  webhooks: {figures.webhooks}; events here: {figures.events}",
        f"  mails that the server took: {figures.mails}",
        f"  tasks lost with Valkey or a worker and sent again: {figures.tasks_lost}",
        f"  workers that ended by themselves and were started again: {figures.workers_ended}",
        f"  deadlocks that Postgres broke: {figures.deadlocks}",
    ]


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def _versions() -> str:
    packages = ("Django", "celery", "kombu", "stripe", "psycopg2-binary", "gunicorn")
    named = [f"{package} {version(package)}" for package in packages]
    return ", ".join([f"Python {platform.python_version()}", *named, f"{platform.machine()}"])
