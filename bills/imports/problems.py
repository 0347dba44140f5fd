"""Why a record or a file is not taken. A reason tells what to do about it, and never names a person or a service."""

from dataclasses import dataclass


@dataclass
class Problem(Exception):
    """A rule that a record breaks. `rule` is its short name in docs/imports.md, `field` where in the record."""

    rule: str
    reason: str
    field: str = ""

    def __str__(self) -> str:
        return f"{self.rule}: {self.reason}"


class Refused(Problem):
    """The record cannot be taken: it is malformed, or not of the kind that becomes a bill."""


# What reading a value of the wrong type ends in: the record is refused for it, and the run goes on.
MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError)


def malformed() -> Refused:
    """The refusal of a record that is not shaped as its format says."""
    return Refused("malformed", "The record is not shaped as its format says.")


class NeedsReview(Problem):
    """The record does not add up: a person has to decide, and nothing is billed meanwhile."""


class Skipped(Problem):
    """The record is none of ours: counted, with its reason, and passed over."""


@dataclass
class Parked(NeedsReview):
    """The record waits for another, and is taken when that has come: `needs` is the other's key."""

    needs: str = ""
    relationship: str = ""  # of a dependant to the subscriber who is waited for


class FileRefused(Problem):
    """The whole file cannot be taken; nothing of it was."""
