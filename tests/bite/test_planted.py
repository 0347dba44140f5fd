"""The planted bugs can still be planted, and the tests that must catch them are there: the list does not rot."""

import pytest

from tests.bite.planted import BUGS, Planted
from tests.bite.run import ROOT

FEWEST = 25


def test_there_are_enough_of_them() -> None:
    """Issue 3: each guard removed in turn."""
    assert len({bug.guard for bug in BUGS}) == len(BUGS) >= FEWEST


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.guard)
def test_it_can_be_planted_and_its_tests_exist(bug: Planted) -> None:
    """The text stands once, what replaces it differs, and each test is a function of its file."""
    assert (ROOT / bug.file).read_text().count(bug.old) == 1
    assert bug.old != bug.new
    for test in bug.tests.split():
        file, _colons, name = test.partition("::")
        text, name = (ROOT / file).read_text(), name.partition("[")[0]  # with or without one of its parameters
        assert f"\ndef {name}(" in text if name else "\ndef test_" in text, test
