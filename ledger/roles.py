"""The database role that web and workers sign in as: it uses the tables, owns none, and cannot take a wall down.

A superuser passes every wall, and the owner of a table may drop its triggers (FAULTS A18, F30).
"""

from django.db import connection
from psycopg2 import sql

# What is written once and never again: the role lacks the right itself, behind the walls that would refuse it anyway.
APPEND_ONLY = ("ledger_transfer", "activity_access")
NEVER_DELETED = ("ledger_account", "ledger_transfer", "activity_event", "activity_access")

STATEMENTS = (
    "ALTER ROLE {role} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS LOGIN PASSWORD {password}",
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "REVOKE DELETE ON {never_deleted} FROM {role}",
    "REVOKE UPDATE ON {append_only} FROM {role}",
    "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}",
)


def grant(role: str, password: str) -> None:
    """Make the role where it is missing, and give it exactly its rights. Harmless to repeat.

    Run it after every migrate, as the owner of the tables. Raises django.db.Error where that is somebody else.
    """
    names = {
        "role": sql.Identifier(role),
        "password": sql.Literal(password),
        "never_deleted": sql.SQL(", ").join(map(sql.Identifier, NEVER_DELETED)),
        "append_only": sql.SQL(", ").join(map(sql.Identifier, APPEND_ONLY)),
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            cursor.execute(sql.SQL("CREATE ROLE {role}").format(**names))
        for statement in STATEMENTS:
            cursor.execute(sql.SQL(statement).format(**names))
