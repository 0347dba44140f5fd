"""Bill and payment numbers: drawn, never counted, so that no gap tells of a bill that is not shown (FAULTS F08)."""

import secrets

# Crockford's base 32: no I, L, O or U, so that a number read aloud or off paper is not mistaken.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def draw(*, groups: int = 2) -> str:
    """A number of `groups` times four symbols, e.g. 7F3K-2201; 20 bits a group."""
    bits = secrets.randbits(20 * groups)
    symbols = "".join(ALPHABET[bits >> 5 * place & 31] for place in range(4 * groups))
    return "-".join(symbols[start : start + 4] for start in range(0, 4 * groups, 4))


BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def in_sql(six_bytes: str) -> str:
    """The same in SQL, of an expression that yields six random bytes, for bills issued by the hundred thousand.

    Six bytes are eight symbols of base 64; two of those stand for each of ours, so that every number is as likely.
    """
    return f"overlay(translate(encode({six_bytes}, 'base64'), '{BASE64}', '{ALPHABET * 2}') placing '-' from 5 for 0)"
