"""`python -m tests.bite.run [WORD…]`: plant each bug in a copy of the tree, and see its tests fail.

Prints planted and caught; the exit code is 1 where a bug is missed or can no longer be planted. A WORD picks the bugs
whose guard or file holds it.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bite.planted import BUGS, Planted

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "node_modules", "var", "__pycache__", ".*_cache")
TIMEOUT_SECONDS = 240
TESTS_FAILED, TESTS_PASSED = 1, 0


def main(words: list[str]) -> int:
    """Run the bugs, print a line for each, and sum up."""
    chosen = [bug for bug in BUGS if not words or any(word in f"{bug.guard} {bug.file}" for word in words)]
    if not chosen:
        _say(f"no planted bug has any of these words: {', '.join(words)}")
        return 2
    missed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bite-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT, symlinks=True)
        for name in (".venv", "node_modules"):
            (tree / name).symlink_to(ROOT / name)
        tests = sorted({test for bug in chosen for test in bug.tests.split()})
        failing = _failing(tree, tests)
        was_of_database = False
        for bug in chosen:
            if any(name.startswith(test) for name in failing for test in bug.tests.split()):
                _say(f"MISSED  {bug.guard} ({bug.file}): its tests fail without it too")
                missed.append(bug.guard)
                continue
            started = time.monotonic()
            caught = _plant(tree, bug, anew=bug.is_of_database or was_of_database)
            was_of_database = bug.is_of_database
            _say(f"{'caught' if caught else 'MISSED'}  {bug.guard} ({bug.file}) {time.monotonic() - started:.0f} s")
            if not caught:
                missed.append(bug.guard)
    _say(f"planted {len(chosen)}, caught {len(chosen) - len(missed)}, missed: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


def _failing(tree: Path, tests: list[str]) -> list[str]:
    """The ids of those tests that fail without any bug: they can tell nothing."""
    code, output = _run(tree, tests, anew=True, stops=False)
    names = re.findall(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
    if names or code != TESTS_PASSED:
        _say(output[-3000:])
    return names


def _plant(tree: Path, bug: Planted, *, anew: bool) -> bool:
    """Plant one bug, run its tests, and take it out again; whether they failed."""
    file = tree / bug.file
    before = file.read_text()
    if before.count(bug.old) != 1:
        return False
    file.write_text(before.replace(bug.old, bug.new))
    try:
        return _run(tree, bug.tests.split(), anew=anew)[0] == TESTS_FAILED
    finally:
        file.write_text(before)


def _run(tree: Path, tests: list[str], *, anew: bool, stops: bool = True) -> tuple[int, str]:
    """The exit code and output of pytest; a run that hangs has failed: what it waits for never comes."""
    environment = os.environ | {
        "PORTAL_ENVIRONMENT": "test", "DB_SUFFIX": "bite", "PYTHONDONTWRITEBYTECODE": "1",
        "VAR_DIR": os.environ.get("VAR_DIR") or str(ROOT / "var" / "test"),
    }  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    command += [*(["-x"] if stops else []), *(["--create-db"] if anew else [])]
    process = subprocess.Popen(
        command, cwd=tree, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        output, _none = process.communicate(timeout=TIMEOUT_SECONDS if stops else None)
    except subprocess.TimeoutExpired:
        return TESTS_FAILED, ""
    finally:
        process.kill()  # also where this run is ended: two would share a database
        process.wait()
    text = output.decode(errors="replace")
    if process.returncode not in (TESTS_FAILED, TESTS_PASSED):
        _say(text[-2000:])
    return process.returncode, text


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    sys.exit(main(sys.argv[1:]))
