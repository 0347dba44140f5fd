"""The schedule of a seed: which steps, in which order; all of it from `random.Random(seed)` and the seed's number."""

import random
from collections.abc import Callable

from tests.faults import (
    steps_autopay,
    steps_back,
    steps_banking,
    steps_crashing,
    steps_paying,
    steps_reconciling,
    steps_telling,
)
from tests.faults.scene import Scene

Step = Callable[[Scene], None]
SPREAD = 61  # a prime: a few seeds in a row have kinds from all over the list
# What a schedule may hold besides its own kind: steps that cost little.
LIGHT = {**steps_paying.STEPS, **steps_back.STEPS}


def kinds() -> dict[str, Step]:
    """Every kind of step that the portal takes by now; each seed has one of its own, by its number."""
    found: dict[str, Step] = {**steps_paying.STEPS, **steps_back.STEPS, **steps_reconciling.STEPS}
    if steps_banking.books_disputes():
        found |= steps_banking.DISPUTES
    if steps_banking.takes_bank_debits():
        found |= steps_banking.DEBITS
    return found | steps_autopay.STEPS | steps_crashing.STEPS | steps_telling.STEPS


def missing() -> list[str]:
    """Kinds of step that are written and not taken, since the portal does not do it yet."""
    return sorted({**steps_banking.DISPUTES, **steps_banking.DEBITS}.keys() - kinds().keys())


def schedule(seed: int) -> tuple[list[str], random.Random]:
    """The names of a seed's steps, and the chance that decides within them."""
    chance = random.Random(seed)
    names = sorted(kinds())
    own = names[seed * SPREAD % len(names)]
    steps = [*chance.sample(sorted(LIGHT), 2), own]
    chance.shuffle(steps)
    return steps, chance
