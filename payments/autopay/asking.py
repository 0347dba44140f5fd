"""Asking the provider for many saved methods at once: in threads, at the pace that all workers keep together.

The threads hold no connection to the database, and nothing is asked with a transaction open.
"""

import logging
import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import connection

from payments import gateway
from payments.autopay import pace
from payments.provider import GatewayError, InsideTransaction, MethodSummary, Refused

logger = logging.getLogger(__name__)


def ask(method_ids: Collection[str]) -> dict[str, MethodSummary | None]:
    """Each method as the provider knows it; None where it knows none. What it did not answer for is left out."""
    if connection.in_atomic_block:
        raise InsideTransaction("methods were asked for inside a database transaction")
    if not method_ids:
        return {}
    found: dict[str, MethodSummary | None] = {}
    with ThreadPoolExecutor(min(settings.AUTOPAY_THREADS, len(method_ids)), thread_name_prefix="asking") as threads:
        for method_id, answer in zip(method_ids, threads.map(_ask, method_ids), strict=True):
            if isinstance(answer, GatewayError):
                logger.warning("a method was not answered for: %s", type(answer).__name__)
            else:
                found[method_id] = answer
    return found


def _ask(method_id: str) -> MethodSummary | GatewayError | None:
    """One method; where the provider is too busy to the end, it is as if there was no answer."""
    try:
        return pace.in_turn(lambda: gateway.method_summary(method_id), stop=threading.Event())
    except Refused:
        return None
    except GatewayError as error:
        return error
