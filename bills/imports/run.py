"""What one run of an import carries along: its source, its dates, what it has learned, and what it has counted."""

import datetime as dt
from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from bills.imports.problems import Problem
from bills.imports.records import Names
from bills.imports.values import Json

MAX_ALIASES = 50_000
MAX_FAMILIES = 2_000_000
DUE_AFTER_DAYS = 30
MAX_REFUSED_KEPT = 10_000


@dataclass(slots=True)
class Rejected:
    """A record that was not taken, to be written down: refused, or in review with the record itself."""

    line: int
    problem: Problem
    source_id: str = ""
    version: str = ""
    resource: Json | None = None

    def __post_init__(self) -> None:
        """Let go of where the problem was found: its frames would keep the whole chunk in memory."""
        self.problem.__traceback__ = self.problem.__context__ = self.problem.__cause__ = None


@dataclass(slots=True)
class Tally:
    """What became of the records of one chunk."""

    counts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)  # the keys of what was taken, whose open reviews close

    def skip(self, reason: str) -> None:
        """Count a record that was passed over."""
        self.counts["skipped"] += 1
        self.skipped[reason] += 1


@dataclass(slots=True)
class Run:
    """One run over one file or folder."""

    batch_id: int
    source: str
    issued_on: dt.date
    due_after_days: int = DUE_AFTER_DAYS
    names: Names = field(default_factory=Names)
    aliases: OrderedDict[str, str] = field(default_factory=OrderedDict)
    families: dict[str, tuple[str, str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    prefix: str = ""  # the file's name, in a run over several

    def learn_alias(self, full_url: str, key: str) -> None:
        """Remember the full URL that a Bundle gives a resource, where its id does not follow from it."""
        if full_url and not full_url.endswith(f":{key.split('/')[1]}"):
            self.aliases[full_url] = key
            if len(self.aliases) > MAX_ALIASES:
                self.aliases.popitem(last=False)

    def learn_family(self, dependant: str, subscriber: str, relationship: str) -> None:
        """Remember whose dependant a person is, before either is known."""
        if dependant != subscriber and len(self.families) < MAX_FAMILIES:
            self.families[dependant] = (subscriber, relationship)

    def add(self, tally: Tally) -> None:
        """Count a chunk that is committed."""
        self.counts.update(tally.counts)
        self.skipped.update(tally.skipped)
