"""Runs seeds one after the other on one set of processes, replays some, and lets the oracle judge each."""

import argparse
import sys
import time
import traceback

from tests.faults import mails, people, report, steps_reconciling
from tests.faults import plan as plans
from tests.faults import scene as scenes
from tests.faults.book import Book
from tests.faults.oracle import Oracle, Verdict
from tests.faults.people import House
from tests.faults.provider import Provider
from tests.faults.report import Figures
from tests.faults.rig import Rig
from tests.faults.scene import Scene
from tests.faults.settling import Settling
from tests.faults.visitor import Visitor


class Run:
    """One run of the plan."""

    def __init__(self, rig: Rig, options: argparse.Namespace) -> None:
        self.rig, self.options = rig, options
        self.book, self.provider = Book(rig.database_url), Provider(rig.sandbox_url)
        self.settling = Settling(self.book, self.provider, rig.done_dir, rig.revive_worker)
        self.oracle = Oracle(rig.sandbox_dir / "objects.jsonl", self.book)
        self.staff = Visitor(rig.web_url, people.staff_session())
        self.houses: list[House] = []
        seeds = range(options.start, options.start + options.seeds)
        self.figures = Figures(seeds, f"--seeds {options.seeds} --start {options.start}")
        self.figures.kinds, self.figures.missing = len(plans.kinds()), plans.missing()
        self.traces: dict[int, list[str]] = {}

    def all(self) -> Figures:
        """Every seed, the replays, and the last judgement."""
        started = time.monotonic()
        for seed in self.figures.seeds:
            self.traces[seed] = self.one(seed)
            self.figures.seeds_run += 1
            self.figures.traces.add("\n".join(self.traces[seed]))
        for seed in list(self.figures.seeds)[:: self.options.replay_every]:
            self.figures.replays += 1
            if (again := self.one(seed)) != self.traces[seed]:
                self.figures.unequal.append(seed)
                _print_difference(seed, self.traces[seed], again)
        self._last_judgement()
        self.figures.seconds = time.monotonic() - started
        return self.figures

    def one(self, seed: int) -> list[str]:
        """One seed in a household of its own; its trace. What goes wrong is kept, and the others go on."""
        steps, chance = plans.schedule(seed)
        started = time.monotonic()
        self.provider.back_to_real_time()
        scene = scenes.build(self.rig, self.provider, self.book, self.settling, self.staff, chance)
        self.houses.append(scene.house)
        known = plans.kinds()
        try:
            for name in steps:
                scene.note("step", name)
                known[name](scene)
                self.figures.steps[name] += 1
        except Exception as error:  # a seed that fails must not stop the others
            self.figures.failed[seed] = f"{scene.trace[-2:]}: {type(error).__name__}: {error}"
            traceback.print_exc()
            self._calm()
        verdict = self._judge([scene.house])
        if not verdict.is_clean:
            self.figures.failed.setdefault(seed, "; ".join(verdict.problems[:5]))
        self.figures.injected.update(scene.injected)
        self._say(seed, steps, scene, verdict, time.monotonic() - started)
        return scene.trace

    def _judge(self, houses: list[House]) -> Verdict:
        return self.oracle.judge({house.household_id: house.charged_cents for house in houses})

    def _calm(self) -> None:
        """Take back whatever a failed seed left planned."""
        self.provider.forget_faults()
        self.provider.road()
        self.provider.post("webhooks/resume")
        for armed in self.rig.crash_dir.glob("*-P*"):
            armed.unlink()

    def _say(self, seed: int, steps: list[str], scene: Scene, verdict: Verdict, seconds: float) -> None:
        word = "ok" if verdict.is_clean and seed not in self.figures.failed else "FAILED"
        _say(f"seed {seed}: {word} {seconds:.1f} s  {', '.join(steps)}")
        if self.options.trace:
            _say("\n".join(f"    {line}" for line in scene.trace))

    def _last_judgement(self) -> None:
        """All households once more, and what concerns the whole."""
        figures, book = self.figures, self.book
        self.provider.post("webhooks/flush")
        self.settling.run("payments.tasks.work_off_inbox")
        self.settling.run("notifications.tasks.work_off")
        verdict = self._judge(self.houses)
        waiting = book.rows("SELECT event_id FROM payments_stripeevent WHERE outcome = 'waiting'")
        verdict.hold("M8", not waiting, f"events still wait: {waiting[:5]}")
        speechless = book.one(
            "SELECT count(*) FROM payments_stripeevent WHERE outcome IN ('ignored', 'parked') AND reason = ''"
        )
        verdict.hold("M8", not speechless, f"{speechless} events are ignored or parked without a reason")
        undone = book.one("SELECT count(*) FROM activity_event WHERE processed_at IS NULL")
        verdict.hold("M11", not undone, f"{undone} events of the outbox were not acted on")
        sides = book.rows("SELECT coalesce(sum(balance_cents), 0) FROM ledger_account a WHERE NOT EXISTS"
                          " (SELECT 1 FROM ledger_account c WHERE c.control_id = a.id)")[0][0]  # fmt: skip
        plans_own = book.one(
            "SELECT coalesce(sum(CASE WHEN debit_id < 1000 THEN amount_cents ELSE 0 END)"
            " - sum(CASE WHEN credit_id < 1000 THEN amount_cents ELSE 0 END), 0) FROM ledger_transfer"
        )
        verdict.hold("M1", sides + plans_own == 0, f"the trial balance is {sides + plans_own}")
        steps_reconciling.reconcile(verdict, self.oracle.journal, book)
        self._unexplained(verdict)
        figures.mails = mails.judge(verdict, self.rig.mail_log, book)
        figures.verdict = verdict
        figures.webhooks = {
            name: self.provider.get("webhooks")[name] for name in ("sent", "accepted", "refused", "dropped")
        }
        figures.events = dict(book.rows("SELECT outcome, count(*) FROM payments_stripeevent GROUP BY 1 ORDER BY 1"))
        figures.deadlocks = book.one("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        figures.settle_seconds = self.settling.seconds
        figures.simulated_seconds, figures.tasks_lost = self.settling.simulated_seconds, self.settling.tasks_lost
        figures.workers_ended = self.settling.workers_ended

    def _unexplained(self, verdict: Verdict) -> None:
        """The provider's own totals against what was judged: no charge and no refund is outside of it."""
        totals = self.provider.get("totals")
        foreign = steps_reconciling.foreign(self.oracle.journal, self.book)
        judged = verdict.charges + len(foreign)
        verdict.hold("M5", totals["charges"] == judged,
                     f"the provider has {totals['charges']} charges, {judged} were judged")  # fmt: skip
        verdict.unreconciled += abs(totals["charged_cents"] + totals["refunded_cents"] - verdict.moved - sum(foreign))


def plan(rig: Rig, options: argparse.Namespace) -> int:
    """Run it all; the exit code."""
    figures = Run(rig, options).all()
    _say(report.show(figures))
    return 0 if figures.holds else 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _print_difference(seed: int, first: list[str], again: list[str]) -> None:
    _say(f"seed {seed}: the replay differs")
    for one, other in zip(first, again, strict=False):
        if one != other:
            _say(f"  first  {one}\n  again  {other}")
            return
    _say(f"  {len(first)} lines first, {len(again)} again")
