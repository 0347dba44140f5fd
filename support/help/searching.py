"""Finding help: PostgreSQL's full-text search over the articles as they read in the reader's language.

They are few, so they are searched as they stand in the catalogue: nothing is kept that could differ from what is shown.
"""

import unicodedata
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import get_language

from support.help import bills_and_claims, costs_and_privacy, paying
from support.help.articles import Article, Topic

TOPICS: tuple[Topic, ...] = (
    bills_and_claims.TOPIC, paying.TOPIC, costs_and_privacy.COSTS, costs_and_privacy.PRIVACY,
)  # fmt: skip
ARTICLES: dict[str, Article] = {article.slug: article for topic in TOPICS for article in topic.articles}
MAX_QUERY = 100
MAX_FOUND = 10
CONFIGURATIONS = {"es": "spanish", "en": "english"}

SEARCH = """
    WITH article AS (
        SELECT slug, setweight(to_tsvector(%(language)s::regconfig, title), 'A')
                     || to_tsvector(%(language)s::regconfig, body) AS words
        FROM unnest(%(slugs)s::text[], %(titles)s::text[], %(bodies)s::text[]) AS given (slug, title, body)
    ), asked AS (
        SELECT websearch_to_tsquery(%(language)s::regconfig, %(query)s) AS query
    )
    SELECT slug FROM article, asked WHERE words @@ query ORDER BY ts_rank(words, query) DESC, slug LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Found:
    """An article that fits, and how it begins."""

    article: Article
    excerpt: str


def search(asked: str) -> list[Found]:
    """The articles that fit the words, the best first, in the language of the request. One query."""
    query = _folded(asked.replace("\0", " ")[:MAX_QUERY]).strip()
    if not query:
        return []
    articles = list(ARTICLES.values())
    parameters: dict[str, Any] = {
        "language": CONFIGURATIONS.get((get_language() or "en")[:2], "simple"),
        "query": query,
        "slugs": [article.slug for article in articles],
        "titles": [_folded(str(article.title)) for article in articles],
        "bodies": [_folded(" ".join(map(str, article.paragraphs))) for article in articles],
        "limit": MAX_FOUND,
    }
    with connection.cursor() as cursor:
        cursor.execute(SEARCH, parameters)
        slugs = [row[0] for row in cursor.fetchall()]
    return [Found(ARTICLES[slug], str(ARTICLES[slug].paragraphs[0])) for slug in slugs]


def _folded(text: str) -> str:
    """Without accents: who types “credito” means “crédito”."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in plain if not unicodedata.combining(sign))
