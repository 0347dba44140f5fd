"""The role that the portal signs in as in production: it does the portal's work and cannot take a wall down."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg2 import errors

from ledger import Posting, post
from ledger.chart import Code
from tests.conftest import Cast

ROLE = "portal_app_of_the_tests"


@pytest.fixture
def as_portal(real_cast: Cast, tmp_path: Path) -> Iterator[psycopg2.extensions.connection]:
    """A connection signed in as the role, made by the command."""
    file = tmp_path / "database_url"
    file.write_text(f"postgresql://{ROLE}:a%40secret@postgres/portal\n")
    for _ in range(2):
        call_command("grant_portal_role", url_file=file, verbosity=0)
    database = connection.settings_dict
    signed_in = psycopg2.connect(dbname=database["NAME"], user=ROLE, password="a@secret", host=database["HOST"])
    signed_in.autocommit = True
    yield signed_in
    signed_in.close()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {ROLE}")
        cursor.execute(f"DROP ROLE {ROLE}")


def test_it_is_neither_superuser_nor_owner(as_portal: psycopg2.extensions.connection) -> None:
    """FAULTS F30: asked of the catalogue."""
    with as_portal.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)


def test_it_can_post(as_portal: psycopg2.extensions.connection, real_cast: Cast) -> None:
    """The balance follows under the role's own rights."""
    with as_portal.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_transfer (debit_id, credit_id, amount_cents, owner_id, code, effective_on, key,"
            " reference) VALUES (1, %s, 500, %s, %s, %s, 'k', 'r')",
            [real_cast.household.credit_id, real_cast.household.pk, int(Code.OVERPAYMENT), dt.date(2026, 11, 1)],
        )
        cursor.execute("SELECT balance_cents FROM ledger_account WHERE id = %s", [real_cast.household.credit_id])
        assert cursor.fetchone() == (-500,)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_transfer SET amount_cents = 1",
        "DELETE FROM ledger_transfer",
        "TRUNCATE ledger_transfer",
        "DELETE FROM ledger_account",
        "UPDATE activity_access SET reason = ''",
        "DELETE FROM activity_event",
        "ALTER TABLE ledger_transfer DISABLE TRIGGER ALL",
        "DROP TABLE ledger_transfer",
        "SET session_replication_role = replica",
        "DELETE FROM django_migrations",
    ],
)
def test_it_cannot_take_a_wall_down(as_portal: psycopg2.extensions.connection, real_cast: Cast, statement: str) -> None:
    """FAULTS A18, N02: refused for want of the right, before any trigger is asked."""
    assert real_cast.household.credit_id is not None
    post(
        Posting(
            debit_id=1,
            credit_id=real_cast.household.credit_id,
            amount_cents=1,
            code=Code.OVERPAYMENT,
            key="k",
            reference="r",
            effective_on=dt.date(2026, 11, 1),
            owner_id=real_cast.household.pk,
        )
    )
    with as_portal.cursor() as cursor, pytest.raises(errors.InsufficientPrivilege):
        cursor.execute(statement)


def test_a_file_without_a_role_is_refused(real_db: None, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://postgres/portal")
    with pytest.raises(CommandError, match="holds no"):
        call_command("grant_portal_role", url_file=tmp_path / "url")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("grant_portal_role", url_file=tmp_path / "nothing")
