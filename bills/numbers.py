"""Bill and payment numbers: drawn, never counted, so that no gap tells of a bill that is not shown (FAULTS F08)."""

import secrets

# Crockford's base 32: no I, L, O or U, so that a number read aloud or off paper is not mistaken.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def draw(*, groups: int = 2) -> str:
    """A number of `groups` times four symbols, e.g. 7F3K-2201; 20 bits a group."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(groups))


def _symbol(byte: int) -> str:
    return f"substr('{ALPHABET}', (get_byte(drawn.bytes, {byte}) & 31) + 1, 1)"


# The same in SQL, for bills that are issued by the hundred thousand. `drawn.bytes` is the UUID that PostgreSQL draws
# from its strong random source: eight of its bytes that carry neither its version nor its variant (6 and 8).
SQL_DRAW = " || ".join([*map(_symbol, (0, 1, 2, 3)), "'-'", *map(_symbol, (4, 5, 9, 10))])
SQL_BYTES = "uuid_send(gen_random_uuid())"
