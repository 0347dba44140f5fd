"""Gunicorn under a clock that a test moves: `python -m tests.browser.clocked DIRECTORY …`, the rest is gunicorn's.

The same as in the demo: the whole process is at the made-up moment, its workers too.
"""

import runpy
import sys
from pathlib import Path

from billing_portal.demo import clock

if __name__ == "__main__":
    directory = sys.argv.pop(1)
    clock.follow(Path(directory))
    sys.argv[0] = "gunicorn"
    runpy.run_module("gunicorn", run_name="__main__", alter_sys=True)
