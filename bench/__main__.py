"""`python -m bench [NAME…] [--size N] [--pairs N] [--full]`: run benchmarks, all or those named (a prefix will do)."""

import argparse
import importlib
import os
import pkgutil
import sys
import time
from pathlib import Path

import django

NOT_BENCHMARKS = {
    "__main__", "frame", "databases", "processes", "report", "book", "filling", "serving", "serving_settings",
    "bare", "bare_app", "bare_urls", "provider",
}  # fmt: skip


def main() -> int:
    """Run what was asked for; 1 where a mark is missed, 2 where a benchmark fails or its name is unknown."""
    os.environ["PORTAL_ENVIRONMENT"] = "test"
    os.environ["VAR_DIR"] = str(Path(__file__).resolve().parent.parent / "var" / "bench")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_portal.settings")
    django.setup()
    frame, report = importlib.import_module("bench.frame"), importlib.import_module("bench.report")
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name not in NOT_BENCHMARKS and not module.ispkg:
            importlib.import_module(f"bench.{module.name}")
    options = _options()
    if options.list:
        for each in frame.REGISTRY.values():
            print(f"{each.name:<17} {each.says} (size {each.size:,}, full {each.full:,})")
        return 0
    chosen = [
        each for name, each in frame.REGISTRY.items() if not options.names or name.startswith(tuple(options.names))
    ]
    if not chosen:
        print(f"There is no such benchmark. There are: {', '.join(frame.REGISTRY)}", file=sys.stderr)
        return 2
    return _run(chosen, options, frame, report)


def _run(chosen, options, frame, report) -> int:
    runs, failed, began = [], [], time.monotonic()
    report.heading()
    for each in chosen:
        size = options.size or (each.full if options.full else each.size)
        run = frame.Run(each.name, size, is_full=options.full, pairs=options.pairs, on_step=_progress(each.name, began))
        try:
            each.run(run)
        except Exception as fault:  # one that fails does not take the others with it
            failed.append(each.name)
            print(f"\r\033[K{each.name}: failed: {fault!r}", file=sys.stderr)
            if options.traceback:
                raise
        _progress(each.name, began)("")
        report.show(run)
        runs.append(run)
    path = report.keep([run for run in runs if run.name not in failed])
    missed = [f"{run.name} ({row.label})" for run in runs for row in run.rows if row.reached is False]
    print(f"\n{len(runs)} benchmarks in {time.monotonic() - began:.0f} s; figures in {path}")
    if missed:
        print("Missed: " + "; ".join(missed))
    return 2 if failed else 1 if missed else 0


def _progress(name: str, began: float):
    def show(words: str) -> None:
        if sys.stderr.isatty():
            text = f"[{time.monotonic() - began:4.0f} s] {name}: {words}" if words else ""
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    return show


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks, or how their names begin (all)")
    parser.add_argument("--size", type=int, help="size instead of the usual one")
    parser.add_argument("--full", action="store_true", help="the sizes of the marks: hours, not minutes")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of ours and yardstick (5, the fewest that count)")
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("--traceback", action="store_true", help="stop at the first that fails, and show where")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
