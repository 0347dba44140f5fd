"""Ids and secrets in Stripe's form: `pi_` + 24 characters, `pi_…_secret_…` (docs.stripe.com/api)."""

import random
import string

_ALPHABET = string.ascii_letters + string.digits
_random = random.SystemRandom()
_fast = random.Random(_random.getrandbits(128))


def seed(value: int) -> None:
    """Makes the ids that follow repeatable, for replayed runs."""
    _fast.seed(value)


def token(length: int) -> str:
    """`length` characters of [A-Za-z0-9]."""
    return "".join(_fast.choices(_ALPHABET, k=length))


def new(prefix: str) -> str:
    """A new id, such as `pi_1Sand…`."""
    return f"{prefix}_1S{token(22)}"


def client_secret(object_id: str) -> str:
    """The client secret of an intent: `<id>_secret_<25 characters>`."""
    return f"{object_id}_secret_{token(25)}"
