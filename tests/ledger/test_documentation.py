"""docs/ledger.md says what the chart says."""

from pathlib import Path

import pytest

from ledger import chart_table
from ledger.checks import RULES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "ledger.md"


@pytest.mark.parametrize("table", [chart_table.accounts, chart_table.movements])
def test_the_tables_of_the_document_are_those_of_the_chart(table: object) -> None:
    """`python -m ledger.chart_table` prints them anew."""
    assert table() in DOCUMENT.read_text()  # type: ignore[operator]


def test_every_rule_is_in_the_document() -> None:
    """What `check_ledger` may name, a reader can look up."""
    text = DOCUMENT.read_text()
    assert [rule.name for rule in RULES if f"| {rule.name} |" not in text] == []
