"""The articles of the help pages, by topic. Each text is a message of the catalogue: English here, Spanish there.

To add one: an `Article` in the module of its topic. Its slug is its address, and never changes.
"""

from dataclasses import dataclass

from django.utils.functional import Promise

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Article:
    """One article: its address, its title, its paragraphs, and where to go from it (a route's name and its words)."""

    slug: str
    title: Text
    paragraphs: tuple[Text, ...]
    route: str = ""
    route_words: Text = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """Articles that belong together."""

    title: Text
    articles: tuple[Article, ...]
