"""The frame of every benchmark: registration, pairs against a yardstick, spreads, exponents.

Absolute figures of a shared machine mean little, so a benchmark times a yardstick of its own in the same run, in pairs
whose order alternates (A B B A …), and is judged by the median of the ratios.
"""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench import databases

PAIRS = 5

Work = Callable[[], float | None]
"""Does the work once. May return the seconds that count, where not all of the call does."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `ratio` is ours to the yardstick: of rates with `at_least`, of costs with `at_most`."""

    label: str
    ours: float
    unit: str
    yardstick: float | None = None
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def judged(self) -> float:
        """What the mark is held against: the ratio, or where there is none the figure itself."""
        return self.ours if self.ratio is None else self.ratio

    @property
    def reached(self) -> bool | None:
        """Whether the mark is reached; None where there is none."""
        if self.at_least is None and self.at_most is None:
            return None
        return (self.at_least is None or self.judged >= self.at_least) and (
            self.at_most is None or self.judged <= self.at_most
        )


@dataclass(slots=True)
class Run:
    """One run of one benchmark: its size, and what it measured."""

    name: str
    size: int
    is_full: bool = False
    pairs: int = PAIRS
    on_step: Callable[[str], object] = lambda words: None
    rows: list[Row] = field(default_factory=list)

    def compare(
        self,
        label: str,
        ours: Work,
        yardstick: Work,
        *,
        work: int,
        unit: str = "1/s",
        before: Callable[[], object] = lambda: None,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> Row:
        """Time both in alternating pairs, `work` units each; `before` runs untimed ahead of each, then a CHECKPOINT.

        With `at_least` the ratio is of rates, ours to the yardstick's; with `at_most` of times.
        """
        times: dict[Work, list[float]] = {ours: [], yardstick: []}
        for pair in range(self.pairs):
            for function in (ours, yardstick) if pair % 2 == 0 else (yardstick, ours):
                self.on_step(f"{label} {pair + 1}/{self.pairs}")
                before()
                times[function].append(timed(function))
        ratios = [mine / theirs for mine, theirs in zip(times[ours], times[yardstick], strict=True)]
        if at_most is None:
            ratios = [1 / ratio for ratio in ratios]
        row = Row(
            label=label,
            ours=work / statistics.median(times[ours]),
            unit=unit,
            yardstick=work / statistics.median(times[yardstick]),
            ratio=statistics.median(ratios),
            spread=(min(ratios), max(ratios)),
            at_least=at_least,
            at_most=at_most,
        )
        self.rows.append(row)
        return row

    def figure(
        self, label: str, value: float, unit: str, *, at_least: float | None = None, at_most: float | None = None
    ) -> None:
        """Keep a figure that has no yardstick; a mark is held against the figure itself."""
        self.rows.append(Row(label, value, unit, at_least=at_least, at_most=at_most))

    def grow(self, label: str, seconds: dict[int, float], *, at_most: float | None = None) -> None:
        """Keep the exponent of cost by size, from the seconds at (at least) three sizes."""
        self.figure(f"{label}: exponent", exponent(seconds), "", at_most=at_most)

    def sizes(self) -> list[int]:
        """Three sizes, each about a third of the next."""
        return [max(self.size // 10, 1), max(self.size // 3, 2), self.size]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A registered benchmark and its sizes: the usual one, and that of BENCH.md's mark."""

    name: str
    run: Callable[[Run], None]
    size: int
    full: int
    says: str


REGISTRY: dict[str, Benchmark] = {}


def benchmark(name: str, *, size: int, full: int) -> Callable[[Callable[[Run], None]], Callable[[Run], None]]:
    """Register a function as a benchmark; the first line of its docstring is what `--list` says of it."""

    def register(function: Callable[[Run], None]) -> Callable[[Run], None]:
        REGISTRY[name] = Benchmark(name, function, size, full, (function.__doc__ or "").splitlines()[0])
        return function

    return register


def timed(function: Work) -> float:
    """The seconds that one call takes, or that it says count, after a CHECKPOINT."""
    databases.checkpoint()
    began = time.perf_counter()
    counted = function()
    return time.perf_counter() - began if counted is None else counted


def exponent(seconds: dict[int, float]) -> float:
    """The slope of log time by log size: 1 where cost grows as the work does."""
    xs, ys = [math.log(size) for size in seconds], [math.log(value) for value in seconds.values()]
    return statistics.linear_regression(xs, ys).slope


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
