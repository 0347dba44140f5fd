"""`python -m tests.faults --seeds 50 --start 1000`: run the fault plan and print the reliability report."""

import argparse
import os
import sys
from pathlib import Path

import django
from django.core.management import call_command

from tests.faults.rig import ROOT, Rig


def main() -> int:
    """Run the plan; 1 where one cent, one invariant or one replay is amiss."""
    parser = argparse.ArgumentParser(prog="tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50, help="how many (default 50)")
    parser.add_argument("--start", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--replay-every", type=int, default=10, help="replay every so manieth seed (default 10)")
    parser.add_argument("--trace", action="store_true", help="print what each seed did")
    options = parser.parse_args()
    folder = Path(os.environ.get("FAULTS_DIR") or ROOT / "var" / "faults").resolve()
    rig = Rig(folder)
    try:
        rig.start_servers()
        os.environ.update(rig.environment)
        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
        rig.start_portal()
        from tests.faults import run  # only now: it needs the environment

        return run.plan(rig, options)
    finally:
        rig.stop()


if __name__ == "__main__":
    sys.exit(main())
