"""Transactions that are tried again where Postgres asks for it (serialization failure, deadlock: FAULTS A20)."""

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

MAX_ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.02
RETRIED = {"40001", "40P01"}  # serialization_failure, deadlock_detected: PostgreSQL manual, appendix A


class OutsideCall(AssertionError):
    """Something outside the database was about to be asked with a transaction open: it could not be undone."""


P = ParamSpec("P")
R = TypeVar("R")


def atomic_with_retry(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function in a transaction of its own, whole, at most MAX_ATTEMPTS times.

    Inside an open transaction it runs once: only the outermost can be begun again.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as error:
                if getattr(error.__cause__, "pgcode", None) not in RETRIED or attempt == MAX_ATTEMPTS:
                    raise
                time.sleep(FIRST_PAUSE_SECONDS * 2**attempt * random.random())  # noqa: S311  # a pause, not a secret
        raise AssertionError("unreachable: the last attempt returns or raises")

    return wrapper
