"""What a stranger wrote, where an id is asked for."""

from django.db.models import Q

MOST_DIGITS = 18  # as a bigint holds


def is_id(text: str) -> bool:
    """Whether a text is a number that can be an id."""
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS


def with_id(text: str) -> Q:
    """The row of this id, as a part of a search; no row where the text is no id."""
    return Q(pk=int(text)) if is_id(text) else Q(pk__in=[])
