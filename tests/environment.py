"""Loaded before Django: the tests' own environment, whatever the caller's is."""

import os
import zlib
from pathlib import Path

from billing_portal.embedded import valkey

VAR_DIR = Path(os.environ.setdefault("VAR_DIR", str(Path(__file__).resolve().parent.parent / "var" / "test")))
VALKEY_DATABASES = 16

os.environ["PORTAL_ENVIRONMENT"] = "test"
os.environ.setdefault("STRIPE_WEBHOOK_SECRET", "whsec_test_secret")
os.environ.setdefault("STRIPE_SECRET_KEY", "sk_test_sandbox_tests")
os.environ.setdefault("STRIPE_PUBLISHABLE_KEY", "pk_test_sandbox_tests")
# A test that forgot to ask for the sandbox asks nobody outside this machine.
os.environ.setdefault("STRIPE_API_BASE", "http://127.0.0.1:9")
# No test ends Postgres in the middle: a commit is as much seen by others, and nobody waits for the disk.
os.environ.setdefault("PGOPTIONS", "-c synchronous_commit=off")

# Who tests side by side (pytest-xdist's workers, people with a DB_SUFFIX) counts and queues apart too.
if "REDIS_URL" not in os.environ or "PYTEST_XDIST_WORKER" in os.environ:
    who = f"{os.environ.get('DB_SUFFIX', '')}{os.environ.get('PYTEST_XDIST_WORKER', '')}"
    number = zlib.crc32(who.encode()) % (VALKEY_DATABASES - 1) + 1
    os.environ["REDIS_URL"] = f"{valkey.ensure_running(VAR_DIR / 'valkey').rsplit('/', 1)[0]}/{number}"
(Path(os.environ["VAR_DIR"]) / "static").mkdir(parents=True, exist_ok=True)  # WhiteNoise warns where it is missing
