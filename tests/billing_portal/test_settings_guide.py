"""docs/settings.md says of each setting what it is, and of no setting that there is not."""

import re
from pathlib import Path

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
