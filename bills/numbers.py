"""Bill and payment numbers: drawn, never counted, so that no gap tells of a bill that is not shown (FAULTS F08)."""

import secrets

# Crockford's base 32: no I, L, O or U, so that a number read aloud or off paper is not mistaken.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def draw(*, groups: int = 2) -> str:
    """A number of `groups` times four symbols, e.g. 7F3K-2201; 20 bits a group."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(groups))


BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def in_sql(six_bytes: str) -> str:
    """The same in SQL, of an expression that yields six random bytes, for bills issued by the hundred thousand.

    Six bytes are eight symbols of base 64; two of those stand for each of ours, so that every number is as likely.
    """
    return f"overlay(translate(encode({six_bytes}, 'base64'), '{BASE64}', '{ALPHABET * 2}') placing '-' from 5 for 0)"
