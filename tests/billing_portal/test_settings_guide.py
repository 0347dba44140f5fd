"""docs/settings.md says of each setting what it is, and of no setting that there is not."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from billing_portal.environment import Environment

ROOT = Path(__file__).resolve().parent.parent.parent
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.*?) \| (.*?) \|$", re.M)


def test_every_setting_stands_in_the_guide_and_no_other() -> None:
    """The table's first column is exactly what billing_portal/environment.py reads."""
    described = [name for name, _, _ in ROW.findall((ROOT / "docs" / "settings.md").read_text())]
    assert sorted(described) == sorted(name.upper() for name in Environment.model_fields)


def test_the_defaults_in_the_guide_are_the_defaults() -> None:
    """The second column; `—` where there is none."""
    for name, default, what in ROW.findall((ROOT / "docs" / "settings.md").read_text()):
        field = Environment.model_fields[name.lower()]
        if field.default_factory is not None:
            continue
        value = field.default.get_secret_value() if hasattr(field.default, "get_secret_value") else field.default
        said = "" if default == "—" else default.strip("`")
        assert said == str(value), f"{name}: {default}"
        assert len(what) > 10, f"{name} says nothing"


@pytest.mark.parametrize(
    "value", ["", "12345", "ELEVEN CHARS", "A*B", "A<B", 'A"B', "A'B", "A\\B", "ÄRZTE", " MED", "MED "]
)
def test_a_descriptor_that_the_provider_would_refuse_is_refused_at_start(value: str) -> None:
    """docs.stripe.com/get-started/account/statement-descriptors; and two kinds never read alike."""
    with pytest.raises(ValidationError):
        Environment(stripe_descriptor_medical=value)
    with pytest.raises(ValidationError):
        Environment(stripe_descriptor_medical="Premium")
    assert Environment(stripe_descriptor_medical="MED BILL").stripe_descriptor_medical == "MED BILL"
