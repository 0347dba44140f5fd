"""The help pages: every article in both languages, and a search that finds them."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from support.help import searching

ARTICLES = list(searching.ARTICLES.values())


def found(asked: str, language: str = "en") -> list[str]:
    """The addresses of what a search finds."""
    with translation.override(language):
        return [each.article.slug for each in searching.search(asked)]


@pytest.mark.parametrize(
    ("asked", "language", "first"),
    [
        ("deductible", "en", "bill-words"),
        ("who sees my bills", "en", "who-sees"),
        ("autopay", "en", "autopay"),
        ("paid too much", "en", "overpaid"),
        ("deducible", "es", "bill-words"),
        ("ver FACTURAS del hogar", "es", "who-sees"),
        ("pago automatico", "es", "autopay"),  # without its accent
    ],
)
def test_words_find_the_article_that_is_meant(db: None, asked: str, language: str, first: str) -> None:
    """By their stems, in the language of the page, with or without accents."""
    assert first in found(asked, language)[:3]


@pytest.mark.parametrize("asked", ["", "   ", "zzzz", "'; DROP TABLE", "\0", '"', "&|!():*", "a" * 500])
def test_what_fits_nothing_finds_nothing_and_breaks_nothing(db: None, asked: str) -> None:
    assert found(asked) == []
    assert Client().get("/help/", {"q": asked}).status_code == 200


def test_every_article_opens_for_anybody_and_leads_somewhere(db: None) -> None:
    assert len({article.slug for article in ARTICLES}) == sum(len(topic.articles) for topic in searching.TOPICS)
    for article in ARTICLES:
        page = Client().get(f"/help/{article.slug}/")
        assert page.status_code == 200 and reverse(article.route) in page.content.decode()
    assert Client().get("/help/no-such-article/").status_code == 404


def test_the_page_names_the_topics_and_says_where_nothing_is_found(db: None) -> None:
    page = Client().get("/help/").content.decode()
    assert all(f"/help/{article.slug}/" in page for article in ARTICLES)
    assert "Nothing fits these words" in Client().get("/help/?q=zzzz").content.decode()
    assert "&lt;b&gt;" in Client().get("/help/?q=<b>").content.decode()
