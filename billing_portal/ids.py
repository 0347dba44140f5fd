"""What a stranger wrote, where an id is asked for."""

MOST_DIGITS = 18  # as a bigint holds


def is_id(text: str) -> bool:
    """Whether a text is a number that can be an id."""
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
