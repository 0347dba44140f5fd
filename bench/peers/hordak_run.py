"""Run in an environment of its own by bench/ledger_peers.py: bills issued and paid through django-hordak.

Arguments: host and name of the database, bills, `prepare` or `run`. `run` prints the seconds that the postings took.
"""

import sys
import time

import django
from django.conf import settings


def main(host: str, name: str, bills: int, what: str) -> None:
    """Migrate and open accounts, or post."""
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.postgresql", "HOST": host, "NAME": name, "USER": "postgres"}
        },
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        HORDAK_CURRENCIES=["USD"],
        HORDAK_DEFAULT_CURRENCY="USD",
        DEFAULT_CURRENCY="USD",
        CURRENCIES=["USD"],
    )
    django.setup()
    if what == "prepare":
        prepare()
    else:
        print(post(bills))


def prepare() -> None:
    """An account for receivables, one for revenue, one for clearing: the fewest that do."""
    from django.core.management import call_command  # noqa: PLC0415  # after settings.configure
    from hordak.models import Account, AccountType  # noqa: PLC0415  # after settings.configure

    call_command("migrate", verbosity=0)
    for code, kind in (("1", AccountType.asset), ("2", AccountType.income), ("3", AccountType.asset)):
        Account.objects.create(name=code, code=code, type=kind, currencies=["USD"])


def post(bills: int) -> float:
    """Each bill issued and paid, each posting its own commit."""
    from django.db import transaction  # noqa: PLC0415  # after settings.configure
    from hordak.models import Account, Leg, Transaction  # noqa: PLC0415  # after settings.configure

    owed, revenue, clearing = (Account.objects.get(code=code) for code in "123")
    began = time.perf_counter()
    for _ in range(bills):
        for debit, credit in ((owed, revenue), (clearing, owed)):
            with transaction.atomic():
                made = Transaction.objects.create()
                Leg.objects.create(transaction=made, account=debit, debit=123, currency="USD")
                Leg.objects.create(transaction=made, account=credit, credit=123, currency="USD")
    return time.perf_counter() - began


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
