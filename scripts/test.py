"""`make test` and `make check`: everything that must hold, quick things first, and a summary that counts the skips.

Usage: test.py all | checks | stripe
"""

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
sys.path.insert(0, str(ROOT))
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each of the hundred processes compiles all it imports anew

from billing_portal.embedded import postgres, valkey  # noqa: E402  # the path is set above
from billing_portal.embedded.stop import stop as stop_embedded  # noqa: E402
from tests.production import process_environment  # noqa: E402

VAR_DIR = Path(os.environ.get("VAR_DIR") or ROOT / "var" / "test").resolve()
RESULTS = VAR_DIR / "results"
TEST_ENVIRONMENT = os.environ | {"PORTAL_ENVIRONMENT": "test", "VAR_DIR": str(VAR_DIR), "PYTHONUNBUFFERED": "1"}

WORKERS = "2"
CHECKS: dict[str, tuple[list[str], dict[str, str]]] = {  # the longest first: two at a time end soonest so
    "types": ([str(BIN / "mypy"), "."], TEST_ENVIRONMENT),
    "tidy": ([sys.executable, "-m", "pytest", "-q", "tests/test_tidy.py"], TEST_ENVIRONMENT),
    "lint": ([str(BIN / "ruff"), "check", "."], TEST_ENVIRONMENT),
    "format": ([str(BIN / "ruff"), "format", "--check", "."], TEST_ENVIRONMENT),
    "import contracts": ([str(BIN / "lint-imports"), "--no-cache"], TEST_ENVIRONMENT),
    "migrations": ([sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"], TEST_ENVIRONMENT),
    "deployment": (
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        process_environment(),
    ),
}
DATABASES = {"databases": ([sys.executable, "-m", "tests.databases", WORKERS], TEST_ENVIRONMENT)}  # for the suites
SUITES: dict[str, list[str]] = {
    "quick tests": ["-m", "not slow", "-n", WORKERS, "--ignore=tests/browser", "--ignore=tests/test_tidy.py"],
    "slow tests": ["-m", "slow", "-n", WORKERS, "--ignore=tests/browser"],
    "fault plan": [],
    "browser tests": ["tests/browser", "-n", WORKERS],
}
FAULT_SEEDS = ["--seeds", "16", "--start", "0", "--replay-every", "8"]  # a share with fixed seeds; all: make faults
LONG_SUITES = ("slow tests", "fault plan", "browser tests")
NO_TESTS_RAN = 5  # pytest's exit code


@dataclass
class Outcome:
    """What one check or suite came to."""

    name: str
    ok: bool
    seconds: float
    passed: int = 0
    failed: int = 0
    skips: list[str] = field(default_factory=list)


def main(what: str) -> int:
    """Run `what`; the exit code is 0 where all held."""
    os.chdir(ROOT)
    RESULTS.mkdir(parents=True, exist_ok=True)
    started_here = not (postgres.is_running(VAR_DIR / "postgres") or valkey.is_running(VAR_DIR / "valkey"))
    try:
        outcomes = {"all": run_all, "checks": run_checks, "stripe": run_against_stripe}[what]()
    finally:
        if started_here:
            stop_embedded(VAR_DIR)
    return summarize(outcomes)


def run_all() -> list[Outcome]:
    """The checks, then the suites; the long ones are left out once something quick has failed."""
    outcomes = run_checks(DATABASES | CHECKS)  # as long as the types, so it starts beside them
    for name, arguments in SUITES.items():
        if name in LONG_SUITES and not all(outcome.ok for outcome in outcomes):
            print(f"\n{name}: left out, since something quicker failed", flush=True)
            continue
        outcomes.append(run_faults(name) if name == "fault plan" else run_suite(name, arguments))
    return outcomes


def run_checks(checks: dict[str, tuple[list[str], dict[str, str]]] = CHECKS) -> list[Outcome]:
    """Types, tidiness, lint, format, import contracts, migrations, deployment settings: two at a time."""
    postgres.ensure_running(VAR_DIR / "postgres")
    valkey.ensure_running(VAR_DIR / "valkey")
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run_check, checks, checks.values()))


def run_check(name: str, check: tuple[list[str], dict[str, str]]) -> Outcome:
    """Run one check; what it says is shown where it fails."""
    command, environment = check
    started = time.monotonic()
    result = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - started
    ok = result.returncode == 0
    print(f"{name}: {'ok' if ok else 'FAILED'} ({seconds:.0f} s)", flush=True)
    if not ok:
        print(result.stdout + result.stderr, flush=True)
    return Outcome(name, ok, seconds)


def run_suite(name: str, arguments: list[str], environment: dict[str, str] | None = None) -> Outcome:
    """Run one part of the tests by pytest; its output is shown as it comes."""
    print(f"\n{name}", flush=True)
    report = RESULTS / f"{name.replace(' ', '-')}.xml"
    report.unlink(missing_ok=True)
    started = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        f"--junit-xml={report}",
        "--durations=8",
        *arguments,
    ]
    code = subprocess.run(
        command, env=environment or TEST_ENVIRONMENT, stdin=subprocess.DEVNULL, check=False
    ).returncode
    outcome = Outcome(name, code in (0, NO_TESTS_RAN), time.monotonic() - started)
    if report.exists():
        for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314  # pytest wrote it just now
            count_case(case, outcome)
    return outcome


def run_faults(name: str) -> Outcome:
    """Run a share of the fault plan, on servers of its own; its report is shown as it comes."""
    print(f"\n{name}", flush=True)
    started = time.monotonic()
    command = [sys.executable, "-m", "tests.faults", *FAULT_SEEDS]
    environment = os.environ | {"FAULTS_DIR": str(VAR_DIR / "faults")}
    code = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
    return Outcome(name, code == 0, time.monotonic() - started)


def count_case(case: ElementTree.Element, outcome: Outcome) -> None:
    """Add one test case of pytest's report to the outcome."""
    skipped = case.find("skipped")
    if skipped is not None:
        outcome.skips.append(skipped.get("message") or "no reason given")
    elif case.find("failure") is not None or case.find("error") is not None:
        outcome.failed += 1
    else:
        outcome.passed += 1


def run_against_stripe() -> list[Outcome]:
    """The payment tests against Stripe's own test mode."""
    key = os.environ.get("STRIPE_SECRET_KEY", "")
    if not key.startswith(("sk_test_", "rk_test_")) or key.startswith("sk_test_sandbox"):
        print("Set STRIPE_SECRET_KEY to the secret key of a Stripe test account (sk_test_…).", file=sys.stderr)
        return [Outcome("tests against Stripe", ok=False, seconds=0)]
    environment = TEST_ENVIRONMENT | {"STRIPE_API_BASE": "https://api.stripe.com"}
    return [run_suite("tests against Stripe", ["--create-db", "-m", "stripe", "tests/payments"], environment)]


def summarize(outcomes: list[Outcome]) -> int:
    """Print the summary, its last line the plain count; return the exit code."""
    print("\nSummary")
    for outcome in outcomes:
        counts = f"{outcome.passed} passed, {outcome.failed} failed, {len(outcome.skips)} skipped"
        counts = counts if outcome.passed or outcome.failed or outcome.skips else ""
        print(f"  {'ok    ' if outcome.ok else 'FAILED'} {outcome.name:22} {outcome.seconds:5.0f} s  {counts}")
    skips = Counter(reason for outcome in outcomes for reason in outcome.skips)
    for reason, count in skips.most_common():
        print(f"  skipped {count}: {reason}")
    failed = sum(outcome.failed or (not outcome.ok) for outcome in outcomes)
    passed = sum(outcome.passed or (outcome.ok and not outcome.skips) for outcome in outcomes)
    print(f"{passed} passed, {failed} failed, {skips.total()} skipped", flush=True)
    return 0 if all(outcome.ok for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))
