"""Brings the demo's database up to date and fills it. One process, so that Django starts once."""

import os
import sys
import time
from io import StringIO

import django
from django.core.management import call_command


def prepare() -> None:
    """Migrate, then seed; both do nothing where there is nothing to do."""
    started = time.monotonic()
    django.setup()
    print("  database: migrations …", flush=True)
    call_command("migrate", interactive=False, verbosity=0)
    call_command("install_roles", verbosity=0, stdout=StringIO())
    print(f"  database: ready ({time.monotonic() - started:.1f} s)", flush=True)
    print("  demo data …", flush=True)
    started = time.monotonic()
    call_command("seed_demo")
    print(f"  demo data: ready ({time.monotonic() - started:.1f} s)", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_portal.settings")
    try:
        prepare()
    except KeyboardInterrupt:
        sys.exit(1)
