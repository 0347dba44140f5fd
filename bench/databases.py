"""Databases of the benchmarks' own, on the embedded server: made from a migrated template, dropped by the next run."""

import atexit
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader

NAME = f"bench_{os.getpid()}"


def fresh() -> None:
    """Point Django at an empty, migrated database of this run's own."""
    name = NAME
    template = _template()
    connections.close_all()
    with _server() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    _use(name)


def copied() -> str:
    """The name of a copy of the present database as it stands: dropped at the end of the run."""
    name = f"{NAME}_copy"
    with _server() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {NAME} STRATEGY FILE_COPY")
    return name


def use(name: str) -> None:
    """Point Django at this run's database, or at its copy."""
    _use(name)


def checkpoint() -> None:
    """Write out what is dirty, so that no benchmark pays for the one before it."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")


def raw() -> Any:
    """A connection of psycopg2's own to the present database, each statement its own commit."""
    parameters = {key: value for key, value in connection.get_connection_params().items() if key != "cursor_factory"}
    parameters.pop("context", None)
    made = psycopg2.connect(**parameters)
    made.autocommit = True
    return made


def execute(sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Run one statement; the rows, where there are any."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []


def vacuum(*tables: str) -> None:
    """Clear dead rows away and refresh the planner's figures."""
    execute(f"VACUUM (ANALYZE) {', '.join(tables)}")


def _template() -> str:
    """A migrated database that is kept between runs; its name changes with the migrations."""
    names = sorted(f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations)
    template = f"bench_template_{hashlib.sha256(' '.join(names).encode()).hexdigest()[:12]}"
    with _server() as cursor:
        if _exists(cursor, template):
            return template
        cursor.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {NAME}")
    _use(NAME)
    call_command("migrate", verbosity=0)
    connections.close_all()
    with _server() as cursor:
        if not _exists(cursor, template):
            cursor.execute(f"ALTER DATABASE {NAME} RENAME TO {template}")
    return template


def _exists(cursor: Any, name: str) -> bool:
    cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
    return cursor.fetchone() is not None


def _drop() -> None:
    """At the end of the run: its database is of no use to anybody else."""
    if os.getpid() == _OWNER:
        with _server() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
            cursor.execute(f"DROP DATABASE IF EXISTS {NAME}_copy WITH (FORCE)")


_OWNER = os.getpid()
atexit.register(_drop)


def _use(name: str) -> None:
    connections.close_all()
    connection.settings_dict["NAME"] = name


@contextmanager
def _server() -> Iterator[Any]:
    """A cursor in the server's own database."""
    before = connection.settings_dict["NAME"]
    _use("postgres")
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        _use(before)
