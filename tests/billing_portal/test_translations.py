"""Spanish is whole: every text that the code marks for translation has its translation, with the same placeholders."""

import re
from pathlib import Path

import polib
import pytest
from django.core.management import call_command
from django.utils import translation

ROOT = Path(__file__).parents[2]
SOURCES = [
    "accounts", "activity", "assistance", "billing_portal", "bills", "ledger", "notifications", "payments", "support",
    "templates",
]  # fmt: skip
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


@pytest.fixture(scope="module")
def catalogue() -> dict[str, polib.POEntry]:
    """The translations that are kept, by their English."""
    return {entry.msgid: entry for entry in polib.pofile(str(ROOT / "locale/es/LC_MESSAGES/django.po"))}


def test_every_marked_text_is_translated(
    catalogue: dict[str, polib.POEntry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The texts are gathered anew, into a folder of the test's own."""
    for folder in SOURCES:
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / "locale").mkdir()
    monkeypatch.chdir(tmp_path)
    call_command("makemessages", locale=["es"], symlinks=True, verbosity=0)
    marked = polib.pofile(str(tmp_path / "locale/es/LC_MESSAGES/django.po"))
    assert len(marked) > 300
    known = {english for english, entry in catalogue.items() if entry.translated()}
    assert [entry.msgid for entry in marked if entry.msgid not in known] == []


def test_placeholders_survive_translation(catalogue: dict[str, polib.POEntry]) -> None:
    wrong = []
    for entry in catalogue.values():
        pairs = [(entry.msgid_plural, entry.msgstr_plural[1])] if entry.msgid_plural else [(entry.msgid, entry.msgstr)]
        wrong += [english for english, spanish in pairs if placeholders(english) != placeholders(spanish)]
    assert wrong == []


def placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


def test_the_compiled_catalogue_is_the_one_in_use() -> None:
    """`make setup` compiles it; a stale one would show English."""
    compiled = ROOT / "locale/es/LC_MESSAGES/django.mo"
    assert compiled.exists(), "run `make setup`"
    assert compiled.stat().st_mtime >= compiled.with_suffix(".po").stat().st_mtime - 1, "run `make setup`"
    with translation.override("es"):
        assert translation.gettext("Bills to pay") == "Facturas por pagar"
