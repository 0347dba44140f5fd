"""Starts processes, notices when one ends, and stops them all. Their output goes to one log file each."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

STOP_TIMEOUT_SECONDS = 20
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Ended:
    """A process that ended by itself, and the last words of its log."""

    name: str
    exit_code: int
    last_words: str
    log: Path


class Supervisor:
    """The processes of one demo. Each has its own session, so that a terminal's Ctrl-C reaches only their keeper."""

    def __init__(self, *, log_dir: Path, environment: dict[str, str]) -> None:
        self._log_dir = log_dir
        self._environment = environment
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._passing: set[str] = set()  # processes that may end by themselves

    def start(self, name: str, *arguments: str) -> None:
        """Start `python ARGUMENTS` under `name`."""
        self._log_dir.mkdir(parents=True, exist_ok=True)
        with self._log(name).open("wb") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env=self._environment, start_new_session=True, preexec_fn=_end_with_parent,  # noqa: PLW1509
            )  # fmt: skip

    def run(self, name: str, *arguments: str) -> None:
        """Start `python ARGUMENTS`, which may end by itself."""
        self.start(name, *arguments)
        self._passing.add(name)

    def ended(self) -> Ended | None:
        """The first process that ended by itself, or None."""
        for name, process in self._processes.items():
            if process.poll() is not None and name not in self._passing:
                return Ended(name, process.returncode, _last_words(self._log(name)), self._log(name))
        return None

    def stop(self, *names: str) -> None:
        """End the processes of `names`, or all, together; who takes longer than STOP_TIMEOUT_SECONDS is killed."""
        ending = [self._processes.pop(name) for name in names or list(self._processes) if name in self._processes]
        for process in ending:
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        for process in ending:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
                process.wait()

    def _log(self, name: str) -> Path:
        return self._log_dir / f"{name}.log"


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """SIGTERM goes to the head of the group, which ends its workers itself; SIGKILL goes to all of them."""
    try:
        if number is signal.SIGKILL:
            os.killpg(process.pid, number)
        elif process.poll() is None:
            process.send_signal(number)
    except ProcessLookupError:
        pass


def _end_with_parent() -> None:
    """On Linux, a keeper that is killed outright takes its processes along (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"
