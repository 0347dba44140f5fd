"""The portal as production starts it: its environment, with nothing behind the addresses, and a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

ENVIRONMENT = {
    "PORTAL_ENVIRONMENT": "production",
    "PORTAL_URL": "https://billing.health-plan.org",
    "ALLOWED_HOSTS": "billing.health-plan.org",
    "SECRET_KEY": "check-only-0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ3-not-in-use",
    "DATABASE_URL": "postgresql://portal:check-only@database.invalid/portal",
    "REDIS_URL": "redis://:check-only@redis.invalid/0",
    "STRIPE_SECRET_KEY": "sk_live_check_only",
    "STRIPE_PUBLISHABLE_KEY": "pk_live_check_only",
    "STRIPE_WEBHOOK_SECRET": "whsec_check_only",
    "EMAIL_HOST": "mail.invalid",
    "DEFAULT_FROM_EMAIL": "billing@billing.health-plan.org",
}


def process_environment(**changes: str) -> dict[str, str]:
    """The whole environment of a production process; what a change sets to "" is left out."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {name: value for name, value in (kept | ENVIRONMENT | changes).items() if value}


def python(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run `python ARGUMENTS` in production's environment, with `changes` to it."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT, env=process_environment(**changes), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
