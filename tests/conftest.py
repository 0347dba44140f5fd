"""The permanent cast, and a database that takes real commits."""

import datetime as dt
import gc
import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test.utils import setup_databases, teardown_databases
from pytest_django import DjangoDbBlocker

from accounts import rate_limits
from accounts.households import add_member, open_household
from accounts.models import Household, Member, User
from ledger.opening import open_system_accounts
from payments.plans import policies

PASSWORD = "meridian-demo-tests"


def pytest_configure() -> None:
    """A cast of four sign-ins is hashed for every test, and every client makes its own middleware: quickly."""
    settings.PASSWORD_HASHERS = ["tests.hashing.QuickHasher"]
    settings.WHITENOISE_AUTOREFRESH = True  # a static file is looked for when it is asked for, not all of them at first


def pytest_collection_finish() -> None:
    """What is loaded stays to the end: to look through it for garbage, after every few requests, took a tenth of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    """What one test tried does not count against the next."""
    rate_limits.forget_everything()


@dataclass(frozen=True)
class Cast:
    """Alice the primary holder, Bob her adult dependant, Maya her child, Charlie a stranger, Dana of staff."""

    household: Household
    alice: Member
    bob: Member
    maya: Member
    strangers: Household
    charlie: Member
    dana: User


# Few rows are deleted: to cut every table off costs a file for each and its indexes, five times as long. What a
# migration entered stays (of the rules of the law no foreign key leads out).
EMPTY = """
    DO $$
    DECLARE name text;
    BEGIN
        FOR name IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'
            AND tablename NOT IN ('django_migrations', 'django_content_type', 'auth_permission',
                'assistance_povertyguideline', 'assistance_assistancepolicy', 'assistance_policyband',
                'assistance_excludedservice', 'assistance_charitablerule')
            AND tablename NOT LIKE '%rule'
        LOOP
            EXECUTE 'LOCK TABLE ' || name || ' IN EXCLUSIVE MODE';  -- who still writes is waited for
            IF pg_relation_size(name::regclass) > 1000000 THEN
                EXECUTE 'TRUNCATE ' || name || ' CASCADE';
            ELSE
                EXECUTE 'DELETE FROM ' || name;
            END IF;
        END LOOP;
    END $$
"""


def make_cast() -> Cast:
    """Create the cast in the present database."""
    household = open_household(number="4410-2297", city="Oakland", state="CA", zip="94612")
    strangers = open_household(number="7731-0042", city="Portland", state="OR", zip="97201")

    def person(
        house: Household, name: str, last: str, born: dt.date, relationship: str, *, holder: bool, signs_in: bool
    ) -> Member:
        user = User.objects.create_user(f"{name.lower()}@example.com", PASSWORD) if signs_in else None
        if user is not None:
            user.emailaddress_set.create(email=user.email, verified=True, primary=True)
        return add_member(
            house, number=f"M-{name.upper()}", first_name=name, last_name=last, birth_date=born,
            relationship=relationship, is_primary_holder=holder, user=user,
        )  # fmt: skip

    alice = person(household, "Alice", "Rivera", dt.date(1984, 3, 9), "self", holder=True, signs_in=True)
    bob = person(household, "Bob", "Rivera", dt.date(2004, 7, 21), "child", holder=False, signs_in=True)
    maya = person(household, "Maya", "Rivera", dt.date(2015, 11, 2), "child", holder=False, signs_in=False)
    charlie = person(strangers, "Charlie", "Novak", dt.date(1979, 1, 30), "self", holder=True, signs_in=True)
    dana = User.objects.create_user("dana@example.com", PASSWORD, is_staff=True, is_superuser=True)
    dana.emailaddress_set.create(email=dana.email, verified=True, primary=True)
    return Cast(household, alice, bob, maya, strangers, charlie, dana)


@pytest.fixture(scope="session")
def django_db_modify_db_settings_suffix() -> str:
    """A database of one's own for those who run tests side by side."""
    return os.environ.get("DB_SUFFIX", "")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_suffix: str, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """Add DB_SUFFIX to the name of the test database."""
    if django_db_modify_db_settings_suffix:
        test_settings = connection.settings_dict["TEST"]
        test_settings["NAME"] = f"{test_settings.get('NAME') or 'test_postgres'}_{django_db_modify_db_settings_suffix}"


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
    django_db_keepdb: bool,
    django_db_createdb: bool,
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    """The test database, for every test: pytest-django's own makes none where only `real_db` asks for it."""
    with django_db_blocker.unblock():
        made = setup_databases(
            verbosity=0, interactive=False, aliases=["default"], keepdb=django_db_keepdb and not django_db_createdb
        )
    yield
    if not django_db_keepdb:
        with django_db_blocker.unblock():
            teardown_databases(made, verbosity=0)


@pytest.fixture
def cast(db: None) -> Cast:
    """The cast, in a test that is rolled back."""
    return make_cast()


@pytest.fixture
def real_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A database whose commits are real, for races, threads and other processes; emptied afterwards.

    Not pytest-django's transactional_db: its flush is a TRUNCATE, which the ledger's walls refuse.
    """
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            empty_database()


@pytest.fixture
def real_cast(real_db: None) -> Cast:
    """The cast, committed."""
    return make_cast()


def empty_database() -> None:
    """Empty every table past the walls, and open the plan's own accounts again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state LIKE 'idle in transaction%%'"
        )
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(EMPTY)
        cursor.execute("SET session_replication_role = DEFAULT")
    open_system_accounts()
    policies.load()
    for other in connections.all(initialized_only=True):
        other.close_if_unusable_or_obsolete()
