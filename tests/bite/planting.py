"""What a planted bug is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planted:
    """One bug. `tests` are separated by spaces; a bug `is_of_database` needs a database made anew."""

    guard: str
    file: str
    old: str
    new: str
    tests: str
    is_of_database: bool = False
