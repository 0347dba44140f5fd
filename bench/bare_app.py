"""The yardstick of `web`: as many raw queries and as many bytes, through the same gunicorn. Started by bench/web.py."""

import json
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psycopg2

PLAN = json.loads(Path(os.environ["BENCH_PLAN"]).read_text())
BODY = b"x" * PLAN["bytes"]
_thread = threading.local()


def application(environment: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Ask the queries, throw the rows away, answer the bytes."""
    if not hasattr(_thread, "connection"):
        _thread.connection = psycopg2.connect(**PLAN["database"])
        _thread.connection.autocommit = True
    with _thread.connection.cursor() as cursor:
        for query in PLAN["queries"]:
            cursor.execute(query)
            if cursor.description:
                cursor.fetchall()
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(BODY)))])
    return [BODY]
