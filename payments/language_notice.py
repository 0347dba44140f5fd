"""The notice that help in one's language is free, in the languages most spoken (45 CFR 92.11: at least fifteen).

The sentences are those that the HHS Office for Civil Rights published translated. They are data (language_notice.json):
no machine translates at run time (45 CFR 92.201(c)(3)). English and Spanish readers have the whole statement besides.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sentence:
    """The notice in one language; `is_from_right` for those written from right to left."""

    language: str
    text: str
    is_from_right: bool = False


SENTENCES: dict[str, str] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
FROM_RIGHT = frozenset({"ar", "fa"})


def sentences(*, phone: str, tty: str) -> Iterator[Sentence]:
    """Every sentence, with where to call."""
    for language, text in SENTENCES.items():
        yield Sentence(language, text.format(phone=phone, tty=tty), language in FROM_RIGHT)
