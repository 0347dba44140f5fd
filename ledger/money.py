"""Money at the edges: text to US cents and back, and shares that sum to the whole (DESIGN section 4)."""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

MAX_CENTS = 999_999_999  # $9,999,999.99
_USD = re.compile(r"(?:[0-9]{1,7}|[0-9]{1,3},[0-9]{3}|[0-9],[0-9]{3},[0-9]{3})(?:\.[0-9]{2})?", re.ASCII)


class InvalidAmount(ValueError):
    """The text is not an amount in dollars and cents."""


def parse_usd(text: str) -> int:
    """`"1,234.50"` → 123450 US cents.

    Takes dollars with or without thousands commas, and either no or exactly two decimals. Raises InvalidAmount for
    anything else: signs, other digits than ASCII's, exponents, NaN, infinities, more than 9,999,999.99.
    """
    if not isinstance(text, str) or not _USD.fullmatch(text):
        raise InvalidAmount("Write an amount in dollars and cents, for example 1,234.50.")
    dollars, _, cents = text.replace(",", "").partition(".")
    return int(dollars) * 100 + int(cents or "0")


def cents_of(amount: Decimal | float | int | str) -> int:
    """A dollar amount of another system's, to US cents, rounded half up (RULES 9.2). May be negative.

    A float counts as the decimal that it is written as, so 112.41600000000001 gives 11242. Raises InvalidAmount.
    """
    try:
        exact = Decimal(repr(amount) if isinstance(amount, float) else amount)
        cents = int((exact * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    except (InvalidOperation, ValueError, TypeError, OverflowError) as error:
        raise InvalidAmount(f"{amount!r} is not an amount") from error
    if abs(cents) > MAX_CENTS:
        raise InvalidAmount(f"{amount!r} is beyond 9,999,999.99")
    return cents


def format_usd(cents: int) -> str:
    """123450 → `"$1,234.50"`; a negative amount carries a minus sign (U+2212) before the dollar sign."""
    dollars, rest = divmod(abs(cents), 100)
    return f"{'−' if cents < 0 else ''}${dollars:,}.{rest:02d}"


def split(total_cents: int, weights: Sequence[int]) -> list[int]:
    """Shares of a whole by weight, by largest remainder, the earlier first among equals; they sum to the whole.

    Raises ValueError for a negative total, a negative weight, or weights that sum to nothing.
    """
    if total_cents < 0 or any(weight < 0 for weight in weights) or not sum(weights):
        raise ValueError("a split needs a total of at least 0 and weights above 0")
    whole = sum(weights)
    shares = [total_cents * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total_cents * weights[i] % whole), i))
    for i in order[: total_cents - sum(shares)]:
        shares[i] += 1
    return shares
