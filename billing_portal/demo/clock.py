"""The demo's clock: every process of the demo is at the same made-up moment, which only goes forward.

`python -m billing_portal.demo.clock MODULE …` runs a module under it. `move_clock` moves it.
"""

import json
import os
import runpy
import sys
import threading
import time
from pathlib import Path

import time_machine

CLOCK_FILE = "clock.json"
LOOK_SECONDS = 0.1  # how often a process looks whether the clock was moved

_BEGAN_AT, _BEGAN = time.time(), time.monotonic()
_traveller: list[time_machine.Traveller] = []
_shifted = [0.0]


def state(var_dir: Path) -> dict[str, float | str]:
    """How far the clock is put forward (`shift_seconds`), and the day that it is on its way to (`goal`), if any."""
    try:
        read: dict[str, float | str] = json.loads((var_dir / CLOCK_FILE).read_text())
    except (FileNotFoundError, ValueError):
        return {"shift_seconds": 0.0, "goal": ""}
    return read


def follow(var_dir: Path) -> None:
    """Put this process's clock where the demo's is, now and whenever that is moved; its children's too."""
    look(var_dir)

    def watch() -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            look(var_dir)

    def begin() -> None:
        threading.Thread(target=watch, name="demo clock", daemon=True).start()

    begin()
    os.register_at_fork(after_in_child=begin)


def real_now() -> float:
    """The real moment, seconds since 1970, whatever the clock here says."""
    return _BEGAN_AT + (time.monotonic() - _BEGAN)


def look(var_dir: Path) -> None:
    """Put this process's clock where the demo's is."""
    wanted = float(state(var_dir)["shift_seconds"])
    if wanted == _shifted[0]:
        return
    if not _traveller:
        # A number, not a datetime: that would bring its zone with it, and a process's own dates would be UTC's.
        _traveller.append(time_machine.travel(real_now() + wanted, tick=True).start())
    else:
        _traveller[0].shift(wanted - _shifted[0])
    _shifted[0] = wanted


def write(var_dir: Path, *, shift_seconds: float, goal: str) -> None:
    """Let every process put its clock forward, by seconds from the real moment."""
    unfinished = var_dir / f".{CLOCK_FILE}"
    unfinished.write_text(json.dumps({"shift_seconds": shift_seconds, "goal": goal}))
    unfinished.replace(var_dir / CLOCK_FILE)


def main(arguments: list[str]) -> int:
    """Run a module, with its arguments, under the demo's clock."""
    if os.environ.get("PORTAL_ENVIRONMENT") != "demo":
        print("Only the demo's clock can be moved.", file=sys.stderr)
        return 1
    follow(Path(os.environ["VAR_DIR"]))
    sys.argv = arguments
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
