"""The databases of the tests: made by the migrations, and copied for each worker. Usage: python -m tests.databases 2"""

import gc
import sys

import tests.environment  # noqa: F401  # before Django: the tests' own settings

import django  # isort: skip
from django.db import connection


def main(workers: int) -> None:
    """Make the test database, and a copy of it for each of pytest-xdist's workers, in place of those that stand."""
    django.setup()
    gc.freeze()  # what is loaded stays; the migrations make models by the ten thousand
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    for number in range(workers):
        connection.creation.clone_test_db(suffix=f"gw{number}", verbosity=0, autoclobber=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
